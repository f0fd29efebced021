/** Brings the sound of a job to its desk: what there is while it is separated, then its files. */
import { useEffect, useState } from "react";
import { API, type Job } from "../../api/client";
import type { Peaks } from "../../audio/peaks";
import { PreviewSong } from "../../audio/preview_song";
import { WavSong } from "../../audio/wav_song";
import { Desk } from "../../state/desk";
import type { Pace } from "../../state/pace";

const AGAIN_MS = 1_500;

export interface Source {
  desk: Desk;
  /** Waveforms of a song that is still being separated. */
  waves: ReadonlyMap<string, Peaks>;
  fault: string | null;
}

/** The files of a job that can be played together. */
export function playable(job: Job): { name: string; url: string }[] {
  return job.files
    .filter((file) => file.kind === "stem" || file.kind === "residual")
    .map((file) => {
      const name = file.of ?? file.kind ?? file.name;
      const wav = file.name.endsWith(".wav");
      const made = `${API}/jobs/${job.id}/stems/${encodeURIComponent(name)}?format=wav`;
      return { name, url: wav ? file.url : made };
    });
}

/** Whether the tracks of a job make up the whole song. */
export function isWhole(job: Job): boolean {
  return !job.options.stems || Boolean(job.options.with_rest);
}

export function useSource(job: Job, pace: Pace): Source {
  const [desk] = useState(() => new Desk());
  const [waves, setWaves] = useState<ReadonlyMap<string, Peaks>>(new Map());
  const [fault, setFault] = useState<string | null>(null);
  const separating = job.state === "running" && pace.songS !== null;
  const done = job.state === "done";

  useEffect(() => () => desk.close(), [desk]);

  useEffect(() => {
    if (!separating) return;
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const look = async () => {
      const song: PreviewSong | null = await PreviewSong.open(
        job.id,
        pace.songS ?? 0,
        () => {
          desk.more();
          if (song) setWaves(new Map(song.waves));
        },
        stop.signal,
      ).catch(() => null); // nothing to be heard yet is no fault
      if (stop.signal.aborted) song?.close();
      else if (song) desk.open(song);
      else timer = setTimeout(look, AGAIN_MS);
    };
    timer = setTimeout(look, AGAIN_MS);
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [desk, job.id, pace.songS, separating]);

  const sounds = JSON.stringify(done ? playable(job) : []); // the same while only notes change
  useEffect(() => {
    const files: ReturnType<typeof playable> = JSON.parse(sounds);
    if (files.length === 0) return;
    let gone = false;
    WavSong.open(files).then(
      (song) => (gone ? song.close() : desk.open(song)),
      (error: unknown) => !gone && setFault(error instanceof Error ? error.message : String(error)),
    );
    return () => {
      gone = true;
    };
  }, [desk, sounds]);

  return { desk, waves, fault };
}

/** What is known of the music of a finished job: its analysis, its notes, its waveforms. */
import { useQueries, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { API, type Job, refusalOf } from "../../api/client";
import { type Peaks, parsePeaks } from "../../audio/peaks";
import { BANDS, Spectrograms, type Waveform } from "../../audio/spectrogram";
import type { Analysis } from "../../music/analysis";
import { type Note, parseMidi } from "../../music/midi";

const FOREVER = { staleTime: Infinity, gcTime: 600_000 };

async function fetched(url: string, signal: AbortSignal): Promise<Response> {
  const answer = await fetch(url, { signal });
  if (!answer.ok) throw await refusalOf(answer);
  return answer;
}

export function useAnalysis(job: Job | null): Analysis | null {
  const url = job?.files.find((file) => file.name === "analysis.json")?.url;
  const found = useQuery({
    queryKey: ["analysis", job?.id],
    queryFn: async ({ signal }) => (await (await fetched(url!, signal)).json()) as Analysis,
    enabled: url !== undefined,
    ...FOREVER,
  });
  return found.data ?? null;
}

export function useNotes(job: Job): ReadonlyMap<string, readonly Note[]> {
  const files = useMemo(
    () => job.files.filter((file) => file.kind === "midi" && file.of !== "all"),
    [job],
  );
  const found = useQueries({
    queries: files.map((file) => ({
      queryKey: ["notes", job.id, file.name],
      queryFn: async ({ signal }: { signal: AbortSignal }) =>
        parseMidi(new Uint8Array(await (await fetched(file.url, signal)).arrayBuffer())),
      ...FOREVER,
    })),
    combine: (results) => results.map((result) => result.data),
  });
  return useMemo(
    () => new Map(files.map((file, k) => [file.of ?? file.name, found[k] ?? []])),
    [files, found],
  );
}

/** The waveform of a stem or of the `mix`; null while there is none. */
export function usePeaksOf(job: Job, track: string, samplesPerPeak: number): Peaks | null {
  const found = useQuery({
    queryKey: ["peaks", job.id, track, samplesPerPeak],
    queryFn: async ({ signal }) => {
      const path = `${API}/jobs/${job.id}/peaks/${encodeURIComponent(track)}`;
      const answer = await fetched(`${path}?samples_per_peak=${samplesPerPeak}`, signal);
      return parsePeaks(await answer.arrayBuffer());
    },
    enabled: job.state === "done",
    placeholderData: (before) => before, // the coarser one until the finer one is there
    retry: false,
    ...FOREVER,
  });
  return found.data ?? null;
}

/** The spectrograms of a job; null while it has none. */
export function useSpectrograms(job: Job): Spectrograms | null {
  const { data: waveforms } = useQuery({
    queryKey: ["waveforms", job.id],
    queryFn: async ({ signal }) => {
      const answer = await fetched(`${API}/jobs/${job.id}/peaks`, signal);
      return (await answer.json()) as Waveform[];
    },
    enabled: job.state === "done",
    ...FOREVER,
  });
  return useMemo(() => {
    if (!waveforms?.some((each) => each.spectrogram)) return null;
    return new Spectrograms(waveforms, async (track, level, from, to) => {
      const path = `${API}/jobs/${job.id}/spectrograms/${encodeURIComponent(track)}`;
      const answer = await fetch(`${path}?samples_per_column=${level}`, {
        headers: { Range: `bytes=${from * BANDS}-${to * BANDS - 1}` },
      });
      if (!answer.ok) throw await refusalOf(answer);
      return new Uint8Array(await answer.arrayBuffer());
    });
  }, [waveforms, job.id]);
}

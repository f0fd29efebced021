/** What is known of the music of a finished job: its analysis, its notes, its waveforms. */
import { keepPreviousData, queryOptions, useQueries, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { API, type Job, type ResultFile, refusalOf } from "../../api/client";
import { queries } from "../../api/queries";
import { type Peaks, parsePeaks } from "../../audio/peaks";
import { BANDS, Spectrograms, type Waveform } from "../../audio/spectrogram";
import type { Analysis } from "../../music/analysis";
import { type Note, parseMidi } from "../../music/midi";

const FOREVER = { staleTime: Infinity, gcTime: 600_000 };

export interface Manifest {
  input: { duration_s: number };
  model: { name: string; licence: string };
  midi: { corrected?: string[] } | null;
  warnings: string[];
}

async function fetched(url: string, signal: AbortSignal): Promise<Response> {
  const answer = await fetch(url, { signal });
  if (!answer.ok) throw await refusalOf(answer);
  return answer;
}

/** What this version of a file says. */
function fileQuery<T>(
  job: Job | null,
  file: ResultFile | undefined,
  read: (answer: Response) => Promise<T>,
) {
  return queryOptions<T>({
    queryKey: ["file", job?.id, file?.name, file?.version],
    queryFn: async ({ signal }) => read(await fetched(file!.url, signal)),
    enabled: file !== undefined,
    ...FOREVER,
  });
}

const named = (job: Job | null, name: string) => job?.files.find((file) => file.name === name);
const scoresOf = (job: Job) =>
  job.files.filter((file) => file.kind === "midi" && file.of !== "all");

const analysisQuery = (job: Job | null) => {
  const file = named(job, "analysis.json");
  return fileQuery(job, file, async (answer): Promise<Analysis> => {
    return { ...((await answer.json()) as Analysis), version: file?.version };
  });
};

const notesQuery = (job: Job, file: ResultFile) =>
  fileQuery(job, file, async (answer) => parseMidi(new Uint8Array(await answer.arrayBuffer())));

/** Fetches the music of a job before it is shown. */
export async function fetchMusic(job: Job): Promise<void> {
  await Promise.all([
    ...(named(job, "analysis.json") ? [queries.fetchQuery(analysisQuery(job))] : []),
    ...scoresOf(job).map((file) => queries.fetchQuery(notesQuery(job, file))),
  ]);
}

export function useAnalysis(job: Job | null): Analysis | null {
  return useQuery({ ...analysisQuery(job), placeholderData: keepPreviousData }).data ?? null;
}

export function useManifest(job: Job): Manifest | null {
  const file = named(job, "manifest.json");
  const read = async (answer: Response) => (await answer.json()) as Manifest;
  const query = { ...fileQuery(job, file, read), placeholderData: keepPreviousData };
  return useQuery(query).data ?? null;
}

export function useNotes(job: Job): ReadonlyMap<string, readonly Note[]> {
  const files = useMemo(() => scoresOf(job), [job]);
  const found = useQueries({
    queries: files.map((file) => notesQuery(job, file)),
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

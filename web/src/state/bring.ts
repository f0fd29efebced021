/** Songs on their way to the server: checked, sent, queued. */
import { createStore } from "zustand";
import {
  api,
  type BatchRequest,
  body,
  type JobRequest,
  mayPass,
  type Options,
  Refusal,
} from "../api/client";
import { limitsQuery, queries } from "../api/queries";
import { send } from "../api/upload";
import { batchPath, jobPath } from "../route";
import { titleOf } from "../text";
import { fault, isArchive, lengthOf, tooLong } from "./check";

export interface Parcel {
  id: number;
  name: string;
  state:
    | "checking"
    | "waiting"
    | "composing"
    | "sending"
    | "paused"
    | "asking"
    | "queued"
    | "refused";
  /** Of the bytes that were sent, 0 to 1. */
  share: number;
  /** Why it was refused. */
  reason: string | null;
  /** Tries once more, where that may help. */
  again: (() => void) | null;
  /** The page of what came of it. */
  path: string | null;
}

interface Bring {
  parcels: readonly Parcel[];
}

export const bring = createStore<Bring>(() => ({ parcels: [] }));

const stops = new Map<number, AbortController>();
let count = 0;
let line: Promise<unknown> = Promise.resolve(); // one recording is sent at a time

/** Sends files; resolves with the page of what came of them, if that is one. */
export async function bringFiles(files: readonly File[], options: Options): Promise<string | null> {
  const recordings = files.filter((file) => !isArchive(file));
  const paths = await Promise.all([
    ...files.filter(isArchive).map((file) => bringOne(file, options)),
    ...(recordings.length > 1
      ? [bringSeveral(recordings, options)]
      : recordings.map((file) => bringOne(file, options))),
  ]);
  return paths.length === 1 ? paths[0]! : null;
}

/** Sends a recording, or an archive of them. */
function bringOne(file: File, options: Options): Promise<string | null> {
  const parcel = add(file.name);
  let uploadId: string | undefined; // of an earlier attempt
  return attempt([parcel], async (signal) => {
    uploadId ??= await sent(parcel, file, signal);
    return isArchive(file)
      ? submitBatch([parcel], { archive_id: uploadId, options })
      : submit(parcel, { upload_id: uploadId, options });
  });
}

/** Sends recordings, which become a batch. */
async function bringSeveral(files: readonly File[], options: Options): Promise<string | null> {
  const uploads = new Map<number, string>();
  const titles = new Map<number, string>();
  await Promise.all(
    files.map((file) => {
      const parcel = add(file.name);
      titles.set(parcel, titleOf(file.name));
      const alone = () => {
        drop(parcel);
        void bringOne(file, options); // for the others do not wait
      };
      const work = async (signal: AbortSignal) => {
        uploads.set(parcel, await sent(parcel, file, signal));
        change(parcel, { state: "asking", share: 1 });
      };
      return attempt([parcel], work, alone);
    }),
  );
  const there = bring.getState().parcels.filter(({ id }) => uploads.has(id));
  const ids = there.map(({ id }) => id);
  const [first] = ids;
  if (first === undefined) return null;
  const upload_ids = ids.map((id) => uploads.get(id)!);
  const rest = ids.length > 1 ? ` and ${ids.length - 1} more` : "";
  const name = `${titles.get(first)}${rest}`;
  return attempt(ids, () => submitBatch(ids, { upload_ids, options, name }));
}

/** Has the server fetch a recording from a link. */
export function bringLink(url: string, options: Options): Promise<string | null> {
  const parcel = add(url);
  return attempt([parcel], () => {
    change(parcel, { state: "asking" });
    return submit(parcel, { url, options });
  });
}

/** Takes the demonstration song, which the server has. */
export function bringDemo(options: Options): Promise<string | null> {
  const parcel = add("The demonstration song");
  return attempt([parcel], async (signal) => {
    change(parcel, { state: "composing" });
    const upload = await body(api.POST("/api/v1/uploads/demo", { signal }));
    return submit(parcel, { upload_id: upload.id, options });
  });
}

/** Stops sending a parcel, or takes a refused one out of sight. */
export function drop(id: number): void {
  stops.get(id)?.abort();
  bring.setState(({ parcels }) => ({ parcels: parcels.filter((parcel) => parcel.id !== id) }));
}

/** Sends a file when its turn has come; gives the id of the upload. */
async function sent(id: number, file: File, signal: AbortSignal): Promise<string> {
  const limits = await queries.ensureQueryData(limitsQuery);
  const wrong = fault(file, limits);
  const length = wrong || isArchive(file) ? null : await lengthOf(file);
  const reason = wrong ?? (length ? tooLong(length, limits) : null);
  if (reason) throw new Refusal({ status: 0, detail: reason });
  change(id, { state: "waiting" });
  const upload = line.then(() => {
    signal.throwIfAborted();
    return send(file, {
      onProgress: (share) => change(id, { state: "sending", share }),
      onPause: () => change(id, { state: "paused" }),
      signal,
    });
  });
  line = upload.catch(() => undefined);
  return (await upload).id;
}

async function submit(id: number, request: JobRequest): Promise<string> {
  const job = await body(api.POST("/api/v1/jobs", { body: request }));
  return queued([id], jobPath(job.id));
}

async function submitBatch(ids: readonly number[], request: BatchRequest): Promise<string> {
  const batch = await body(api.POST("/api/v1/batches", { body: request }));
  void queries.invalidateQueries({ queryKey: ["batches"] });
  return queued(ids, batchPath(batch.id));
}

function queued(ids: readonly number[], path: string): string {
  for (const id of ids) change(id, { state: "queued", share: 1, path });
  void queries.invalidateQueries({ queryKey: ["jobs"] });
  return path;
}

function add(name: string): number {
  count += 1;
  const id = count;
  const blank = { share: 0, reason: null, again: null, path: null };
  bring.setState(({ parcels }) => ({
    parcels: [...parcels, { id, name, state: "checking", ...blank }],
  }));
  return id;
}

/** Works on parcels; what goes wrong is told of them, with what tries it again. */
async function attempt<T>(
  ids: readonly number[],
  work: (signal: AbortSignal) => Promise<T>,
  again: () => void = () => void attempt(ids, work),
): Promise<T | null> {
  const stop = new AbortController();
  for (const id of ids) {
    stops.set(id, stop);
    change(id, { state: "checking", reason: null, again: null });
  }
  try {
    return await work(stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) {
      const reason = error instanceof Error ? error.message : String(error);
      for (const id of ids) change(id, { state: "refused", reason });
      if (mayPass(error)) change(ids[0]!, { again });
    }
    return null;
  } finally {
    for (const id of ids) stops.delete(id);
  }
}

function change(id: number, part: Partial<Parcel>): void {
  bring.setState(({ parcels }) => ({
    parcels: parcels.map((parcel) => (parcel.id === id ? { ...parcel, ...part } : parcel)),
  }));
}

/** Songs on their way to the server: checked, sent, queued. */
import { createStore } from "zustand";
import { api, body, type Job, type JobRequest, Refusal, type Upload } from "../api/client";
import { limitsQuery, queries } from "../api/queries";
import { send } from "../api/upload";
import { fault, lengthOf, tooLong } from "./check";

export interface Parcel {
  id: number;
  name: string;
  state: "checking" | "waiting" | "composing" | "sending" | "queued" | "refused";
  /** Of the bytes that were sent, 0 to 1. */
  share: number;
  /** Why it was refused. */
  reason: string | null;
  jobId: string | null;
}

interface Bring {
  parcels: readonly Parcel[];
}

/** What to ask for once a recording is there. */
export type Ask = (uploadId: string) => JobRequest;

export const bring = createStore<Bring>(() => ({ parcels: [] }));

const stops = new Map<number, AbortController>();
let count = 0;
let line: Promise<unknown> = Promise.resolve(); // one recording is sent at a time

/** Sends files; resolves with the jobs that came of them. */
export async function bringFiles(files: readonly File[], ask: Ask): Promise<Job[]> {
  const jobs = await Promise.all(
    files.map((file) => {
      const parcel = add(file.name);
      return attempt(parcel, async (signal) => {
        const limits = await queries.ensureQueryData(limitsQuery);
        const length = file.size && file.size <= limits.max_upload_bytes && (await lengthOf(file));
        const reason = fault(file, limits) ?? (length ? tooLong(length, limits) : null);
        if (reason) throw new Refusal({ status: 0, detail: reason });
        change(parcel, { state: "waiting" });
        const sent = line.then(() => {
          signal.throwIfAborted();
          change(parcel, { state: "sending" });
          return send(file, (share) => change(parcel, { share }), signal);
        });
        line = sent.catch(() => undefined);
        return queue(parcel, await sent, ask);
      });
    }),
  );
  return jobs.filter((job) => job !== null);
}

/** Takes the demonstration song, which the server has. */
export async function bringDemo(ask: Ask): Promise<Job | null> {
  const parcel = add("The demonstration song");
  return attempt(parcel, async (signal) => {
    change(parcel, { state: "composing" });
    return queue(parcel, await body(api.POST("/api/v1/uploads/demo", { signal })), ask);
  });
}

/** Stops sending a parcel, or takes a refused one out of sight. */
export function drop(id: number): void {
  stops.get(id)?.abort();
  bring.setState(({ parcels }) => ({ parcels: parcels.filter((parcel) => parcel.id !== id) }));
}

async function queue(id: number, upload: Upload, ask: Ask): Promise<Job> {
  const job = await body(api.POST("/api/v1/jobs", { body: ask(upload.id) }));
  change(id, { state: "queued", share: 1, jobId: job.id });
  void queries.invalidateQueries({ queryKey: ["jobs"] });
  return job;
}

function add(name: string): number {
  count += 1;
  const parcel: Parcel = {
    id: count,
    name,
    state: "checking",
    share: 0,
    reason: null,
    jobId: null,
  };
  bring.setState(({ parcels }) => ({ parcels: [...parcels, parcel] }));
  return count;
}

async function attempt(
  id: number,
  work: (signal: AbortSignal) => Promise<Job>,
): Promise<Job | null> {
  const stop = new AbortController();
  stops.set(id, stop);
  try {
    return await work(stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) {
      change(id, {
        state: "refused",
        reason: error instanceof Error ? error.message : String(error),
      });
    }
    return null;
  } finally {
    stops.delete(id);
  }
}

function change(id: number, part: Partial<Parcel>): void {
  bring.setState(({ parcels }) => ({
    parcels: parcels.map((parcel) => (parcel.id === id ? { ...parcel, ...part } : parcel)),
  }));
}

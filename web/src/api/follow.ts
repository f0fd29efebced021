/** What happens to a job, as it happens: server-sent events, or asking now and then. */
import { API, api, body, type JobState, type Stage } from "./client";
import { isActive } from "./queries";

export interface StateEvent {
  kind: "state";
  number: number;
  at: number;
  state: JobState;
  attempt?: number | null;
  error?: { type: string; detail: string } | null;
}

export interface ProgressEvent {
  kind: "progress";
  number: number;
  at: number;
  stage: Stage;
  done_s: number;
  total_s: number | null;
  fraction: number | null;
}

/** An event; `at` is in seconds, of the server's clock. */
export type JobEvent = StateEvent | ProgressEvent;

export interface Listener {
  onEvent(event: JobEvent): void;
  /** The server cannot be heard; it is asked again and again. */
  onLost(): void;
}

const POLL_MS = 1_000;

/** Reads the data of an event. */
export function parseEvent(kind: JobEvent["kind"], number: number, data: string): JobEvent {
  const { at, ...rest } = JSON.parse(data) as { at: string };
  return { ...rest, kind, number, at: Date.parse(at) / 1_000 } as JobEvent;
}

/** Tells a listener of all events after a number until the job is at rest; gives how to stop. */
export function follow(jobId: string, after: number, listener: Listener): () => void {
  let last = after;
  let stopped = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let source: EventSource | undefined;

  const stop = () => {
    stopped = true;
    source?.close();
    clearTimeout(timer);
  };

  const take = (event: JobEvent) => {
    if (stopped || event.number <= last) return;
    last = event.number;
    listener.onEvent(event);
    if (event.kind === "state" && !isActive(event.state)) stop();
  };

  const listen = () => {
    source = new EventSource(`${API}/jobs/${jobId}/events`);
    for (const kind of ["state", "progress"] as const) {
      source.addEventListener(kind, (message) =>
        take(parseEvent(kind, Number(message.lastEventId), message.data)),
      );
    }
    source.onerror = () => {
      if (stopped) return;
      if (source?.readyState === EventSource.CLOSED) timer = setTimeout(poll, POLL_MS);
      else listener.onLost(); // the browser tries again by itself
    };
  };

  const poll = async () => {
    try {
      const job = await body(
        api.GET("/api/v1/jobs/{job_id}", { params: { path: { job_id: jobId } } }),
      );
      if (stopped) return;
      const step = job.steps.find((each) => each.state === "running");
      const at = Date.now() / 1_000;
      if (isActive(job.state) && step) {
        const { stage, done_s, total_s } = step;
        const { fraction, last_event: number } = job;
        take({ kind: "progress", number, at, stage, done_s, total_s, fraction });
      } else if (!isActive(job.state)) {
        const { state, error } = job;
        take({ kind: "state", number: Math.max(job.last_event, last + 1), at, state, error });
      }
    } catch {
      listener.onLost();
    }
    if (!stopped) timer = setTimeout(poll, POLL_MS);
  };

  listen();
  return stop;
}

/** Asks over a WebSocket to stop a job; resolves when it has stopped, or by plain request. */
export function cancel(jobId: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const url = new URL(`${API}/jobs/${jobId}/ws?after=2147483647`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    let asked = false;
    socket.onopen = () => {
      socket.send('{"type": "cancel"}');
      asked = true;
    };
    socket.onclose = () => {
      if (asked) resolve();
      else {
        const params = { path: { job_id: jobId } };
        api.POST("/api/v1/jobs/{job_id}/cancel", { params }).then(() => resolve(), reject);
      }
    };
  });
}

// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { follow, type JobEvent, type Listener } from "./follow";

/** Stands in for the browser's, which jsdom lacks. */
class Source extends EventTarget {
  static readonly CLOSED = 2;
  static all: Source[] = [];
  readyState = 1;
  onerror?: () => void;

  constructor(readonly url: string) {
    super();
    Source.all.push(this);
  }

  close() {
    this.readyState = Source.CLOSED;
  }

  tell(kind: string, number: number, data: object) {
    const at = "2026-01-01T00:00:00Z";
    const text = JSON.stringify({ at, ...data });
    this.dispatchEvent(new MessageEvent(kind, { data: text, lastEventId: String(number) }));
  }
}

let heard: JobEvent[];
let lost: number;
const listener: Listener = {
  onEvent: (event) => heard.push(event),
  onLost: () => {
    lost += 1;
  },
};

beforeEach(() => {
  heard = [];
  lost = 0;
  Source.all = [];
  vi.stubGlobal("EventSource", Source);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test("events are told once, and the stream is closed when the job is at rest", () => {
  follow("j", 1, listener);
  const source = Source.all[0]!;
  source.tell("state", 1, { state: "queued" });
  source.tell("state", 2, { state: "running" });
  source.tell("state", 2, { state: "running" });
  source.tell("state", 3, { state: "done" });
  expect(heard.map((event) => event.number)).toEqual([2, 3]);
  expect(heard[0]?.at).toBe(Date.parse("2026-01-01T00:00:00Z") / 1000);
  expect(source.readyState).toBe(Source.CLOSED);
});

test("while the browser connects again, the listener knows", () => {
  const stop = follow("j", 0, listener);
  const source = Source.all[0]!;
  source.readyState = 0;
  source.onerror?.();
  expect(lost).toBe(1);
  stop();
});

test("where events cannot be had, the job is asked for", async () => {
  vi.useFakeTimers();
  const job = { state: "running", fraction: 0.5, last_event: 7, error: null };
  const steps = [{ stage: "separate", state: "running", done_s: 3, total_s: 9 }];
  const answers = [
    { ...job, steps },
    { ...job, state: "done", last_event: 9, steps: [] },
  ];
  vi.stubGlobal("fetch", async () => Response.json(answers.shift()));
  follow("j", 0, listener);
  const source = Source.all[0]!;
  source.close();
  source.onerror?.();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(heard.map((event) => [event.kind, event.number])).toEqual([
    ["progress", 7],
    ["state", 9],
  ]);
});

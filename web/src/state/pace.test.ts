import { expect, test } from "vitest";
import type { JobEvent, ProgressEvent } from "../api/follow";
import { AT_REST, paceAfter } from "./pace";

const progress = (number: number, at: number, part: Partial<ProgressEvent>): ProgressEvent => ({
  kind: "progress",
  number,
  at,
  stage: "separate",
  done_s: 0,
  total_s: 60,
  fraction: 0,
  ...part,
});

const after = (...events: JobEvent[]) => events.reduce(paceAfter, AT_REST);

test("speed and time left follow from when things happened, not from when they are heard", () => {
  const events = [0, 1, 2, 3, 4].map((second) =>
    progress(second + 1, 1_000 + second, { done_s: 6 * second, fraction: second / 10 }),
  );
  const pace = after(...events);
  expect(pace.speed).toBeCloseTo(6);
  expect(pace.leftS).toBeCloseTo(6);
});

test("nothing is claimed before there is anything to judge by", () => {
  const pace = after(progress(1, 0, { fraction: 0.2 }), progress(2, 1, { fraction: 0.3 }));
  expect([pace.speed, pace.leftS]).toEqual([null, null]);
});

test("speed is that of the step at hand", () => {
  const pace = after(
    progress(1, 0, { stage: "decode", done_s: 0 }),
    progress(2, 2, { stage: "decode", done_s: 60 }),
    progress(3, 2, { done_s: 0 }),
    progress(4, 6, { done_s: 4 }),
  );
  expect(pace.speed).toBeCloseTo(1);
});

test("a repeated event changes nothing, and the bar never goes back", () => {
  const pace = after(progress(1, 0, { fraction: 0.4 }), progress(2, 9, { fraction: 0.1 }));
  expect(pace.fraction).toBe(0.4);
  expect(paceAfter(pace, progress(2, 20, { fraction: 0.9 }))).toBe(pace);
});

test("the log has a line for each step, with its time", () => {
  const pace = after(
    { kind: "state", number: 1, at: 0, state: "queued" },
    { kind: "state", number: 2, at: 5, state: "running", attempt: 1 },
    progress(3, 6, { stage: "decode" }),
    progress(4, 7, { stage: "decode" }),
    progress(5, 8, {}),
    { kind: "state", number: 6, at: 9, state: "failed", error: { type: "audio", detail: "no" } },
  );
  expect(pace.log.map((line) => [line.at, line.stage])).toEqual([
    [0, null],
    [5, null],
    [6, "decode"],
    [8, "separate"],
    [9, null],
  ]);
  expect(pace.log.at(-1)?.text).toBe("no");
  expect(pace.state).toBe("failed");
});

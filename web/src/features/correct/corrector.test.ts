// @vitest-environment jsdom
import { expect, test } from "vitest";
import type { Job } from "../../api/client";
import type { Analysis } from "../../music/analysis";
import { Corrector, turnable } from "./corrector";
import { add, opened } from "./draft";

const analysis = (version: string, bpm: number) =>
  ({
    version,
    bpm,
    metre: "4/4",
    beats: [1, 2, 3],
    downbeats: [1],
    tempo: { curve: [] },
  }) as unknown as Analysis;

test("a correction is shown until the analysis has it, and never twice", () => {
  const corrector = new Corrector("one");
  const faster = (landed: string | null) => ({
    wish: { kind: "correct" as const, correction: { tempo: "double" as const } },
    landed,
    tell: () => {},
  });
  const bpm = (version: string, told: number) => corrector.shown(analysis(version, told)).bpm;
  corrector.store.setState({ pending: [faster(null), faster(null)] });
  expect(bpm("a", 60)).toBe(240);
  corrector.store.setState({ pending: [faster("b"), faster(null)] });
  expect([bpm("a", 60), bpm("b", 120)]).toEqual([240, 240]);
  corrector.settle();
  expect(bpm("b", 120)).toBe(240);
  corrector.store.setState({ pending: [] });
  expect(bpm("c", 240)).toBe(240);
});

test("edits that were not sent, and wishes that wait, are not to be lost", () => {
  const corrector = new Corrector("one");
  corrector.edit("bass", []);
  expect(corrector.isDirty).toBe(false);
  corrector.draw("bass", add(opened([]), { start: 0, end: 1, pitch: 40, velocity: 0.5 }));
  expect(corrector.isDirty).toBe(true);
  corrector.close("bass");
  expect(corrector.isDirty).toBe(false);
  const tell = () => {};
  corrector.store.setState({ pending: [{ wish: { kind: "undo" }, landed: null, tell }] });
  expect(corrector.isDirty).toBe(true);
  corrector.store.setState({ task: "sent" });
  expect(corrector.isDirty).toBe(false);
});

test("the server says which task can be undone", () => {
  const tasks = [
    { id: "3", undo: null },
    { id: "2", undo: "redo" },
    { id: "1", undo: "undo" },
  ];
  const job = { tasks } as unknown as Job;
  expect([turnable(job, "undo")?.id, turnable(job, "redo")?.id]).toEqual(["1", "2"]);
  expect(turnable({ ...job, tasks: [] }, "undo")).toBeUndefined();
});

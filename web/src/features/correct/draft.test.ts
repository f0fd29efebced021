import { expect, test } from "vitest";
import type { Note } from "../../music/midi";
import {
  add,
  change,
  isDirty,
  neighbour,
  noteAt,
  notesWithin,
  opened,
  redone,
  remove,
  saved,
  select,
  undone,
} from "./draft";

const note = (start: number, end: number, pitch: number): Note => ({
  start,
  end,
  pitch,
  velocity: 0.5,
});
const [one, two, three] = [note(1, 2, 60), note(2, 3, 64), note(2, 2.1, 67)];
const draft = opened([one, two, three]);
const DURATION = 10;

test("each step is undone and done again, with what was selected", () => {
  const moved = change(select(draft, [one]), { later: 0.5, higher: 12 }, DURATION);
  expect(moved.notes).toContainEqual({ ...note(1.5, 2.5, 72) });
  const gone = remove(moved);
  expect(gone.notes).toEqual([two, three]);
  const back = undone(undone(gone));
  expect(back.notes).toBe(draft.notes);
  expect([...back.selected]).toEqual([one]);
  expect(isDirty(back)).toBe(false);
  expect(redone(redone(back)).notes).toBe(gone.notes);
  expect(undone(draft)).toBe(draft);
  expect(redone(add(back, three)).notes).toHaveLength(4);
});

test("what is saved is not dirty until it is changed once more", () => {
  const fuller = add(draft, note(5, 6, 60));
  expect(isDirty(fuller)).toBe(true);
  const kept = saved(fuller, fuller.notes);
  expect(isDirty(kept)).toBe(false);
  expect(isDirty(undone(kept))).toBe(true);
});

test("notes that are moved together stay together, within the song and the keyboard", () => {
  const both = select(draft, [one, three]);
  const early = change(both, { later: -5, higher: 100 }, DURATION);
  expect([...early.selected]).toEqual([note(0, 1, 120), note(1, 1.1, 127)]);
  const late = change(both, { later: 50, higher: -100 }, DURATION);
  expect([...late.selected]).toEqual([
    { ...note(8.9, 9.9, 0), end: expect.closeTo(9.9, 6) },
    { ...note(9.9, 10, 7), end: expect.closeTo(10, 6) },
  ]);
  expect(late.notes[0]).toBe(two);
});

test("notes keep some length, and end with the song", () => {
  const short = change(select(draft, [two]), { longer: -9 }, DURATION);
  expect([...short.selected][0]!.end).toBeCloseTo(2.03);
  const long = change(select(draft, [two]), { longer: 99 }, DURATION);
  expect([...long.selected][0]!.end).toBe(DURATION);
});

test("a note is found where it is touched, by its end too", () => {
  expect(noteAt(draft.notes, 1.2, 60, 0.1)).toEqual({ note: one, byEnd: false });
  expect(noteAt(draft.notes, 1.95, 60, 0.1)).toEqual({ note: one, byEnd: true });
  expect(noteAt(draft.notes, 2.08, 60, 0.1)?.byEnd).toBe(true);
  expect(noteAt(draft.notes, 1.2, 61, 0.1)).toBeNull();
  expect(noteAt(draft.notes, 0.8, 60, 0.1)).toBeNull();
  expect(notesWithin(draft.notes, [0, 2.05], [60, 64])).toEqual([one, two]);
});

test("one goes from note to note, at first to the one at the playhead", () => {
  expect(neighbour(draft, 1, 2.05)).toBe(two);
  expect(neighbour(draft, 1, 9)).toBe(three);
  expect(neighbour(select(draft, [one]), 1, 0)).toBe(two);
  expect(neighbour(select(draft, [one]), -1, 0)).toBe(one);
  expect(neighbour(opened([]), 1, 0)).toBeUndefined();
});

import { expect, test } from "vitest";
import { chordAt, joined, labelOf, partsOf, relabelled, split, splitOf } from "./chords";

const chords = [
  { start: 0, end: 2, label: "C:maj" },
  { start: 2, end: 4, label: "N" },
];
const beats = [0.1, 0.6, 1.1, 1.6, 2.1];

test.each([
  ["F#:min7", { root: "F#", quality: "min7", bass: "" }],
  ["C:maj/3", { root: "C", quality: "maj", bass: "3" }],
  ["G:sus4(b7)/b7", { root: "G", quality: "sus4(b7)", bass: "b7" }],
  ["N", { root: "", quality: "maj", bass: "" }],
])("%s is taken apart and put together", (label, parts) => {
  expect(partsOf(label)).toEqual(parts);
  expect(labelOf(parts)).toBe(label);
});

test.each(["H:maj", "C:odd", "Cm7", "C:maj/x", ""])("%s is no chord", (label) => {
  expect(partsOf(label)).toBeNull();
});

test("a chord alone counts as major", () => {
  expect(labelOf(partsOf("Bb")!)).toBe("Bb:maj");
});

test("chords are found, named otherwise, split at a beat and joined", () => {
  expect([chordAt(chords, 0), chordAt(chords, 2), chordAt(chords, 99)]).toEqual([0, 1, 1]);
  expect(relabelled(chords, 1, "G:7")[1]).toEqual({ start: 2, end: 4, label: "G:7" });
  expect(splitOf(chords[0]!, 0.7, beats)).toBe(0.6);
  expect(splitOf(chords[0]!, 3, beats)).toBe(1.1);
  expect(splitOf({ start: 1, end: 1.09, label: "C" }, 0, beats)).toBe(1.045);
  const parts = split(chords, 0, 0.6);
  expect(parts.map(({ start, end }) => [start, end])).toEqual([
    [0, 0.6],
    [0.6, 2],
    [2, 4],
  ]);
  expect(joined(parts, 0)).toEqual(chords);
  expect(joined(chords, 1)).toEqual(chords);
});

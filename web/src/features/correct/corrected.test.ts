import { expect, test } from "vitest";
import type { Analysis } from "../../music/analysis";
import { corrected, filled } from "./corrected";
import { beatAt, snapped, stepped, timeOf } from "./grid";

const analysis = {
  duration_s: 8,
  bpm: 120,
  metre: "4/4",
  beats: [0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5],
  downbeats: [1, 3],
  tempo: { steady: true, rubato: false, confidence: 0.7, curve: [{ time: 1, bpm: 120 }] },
  key: { tonic: "C", mode: "major", confidence: 0.5, camelot: "8B", relative: "A minor" },
  chords: [],
} as unknown as Analysis;

test("twice as fast has a beat between any two and the same first bar", () => {
  const { beats, downbeats, bpm, tempo } = corrected(analysis, { tempo: "double" });
  expect(beats.slice(0, 4)).toEqual([0.5, 0.75, 1, 1.25]);
  expect(downbeats).toEqual([1, 2, 3, 4]);
  expect([bpm, tempo.curve[0]!.bpm]).toEqual([240, 240]);
});

test("half as fast undoes it, and keeps the beat of the first bar", () => {
  const half = corrected(analysis, { tempo: "half" });
  expect(half.beats).toEqual([1, 2, 3, 4]);
  expect(half.downbeats).toEqual([1]);
  const back = corrected(corrected(analysis, { tempo: "double" }), { tempo: "half" });
  expect([back.beats, back.downbeats]).toEqual([analysis.beats, analysis.downbeats]);
});

test.each([
  [1, [1.5, 3.5]],
  [-1, [0.5, 2.5, 4.5]],
  [-2, [2, 4]],
])("bars that begin %i beats later begin at %j", (downbeat, downbeats) => {
  expect(corrected(analysis, { downbeat }).downbeats).toEqual(downbeats);
});

test("a song without beats keeps none, and a key can be given to it", () => {
  const free = { ...analysis, metre: null, beats: [], downbeats: [], key: null };
  expect(corrected(free, { tempo: "half", downbeat: 1 })).toBe(free);
  const key = corrected(free, { key: { tonic: "F#", mode: "minor" } }).key;
  expect([key?.tonic, key?.mode, key?.confidence]).toEqual(["F#", "minor", 1]);
});

test("between chords there is none", () => {
  const chord = { start: 2, end: 3, label: "C:maj" };
  const silent = (start: number, end: number) => ({ start, end, label: "N" });
  expect(filled([chord], 8)).toEqual([silent(0, 2), chord, silent(3, 8)]);
  expect(filled([], 8)).toEqual([silent(0, 8)]);
});

test("moments and beats are told from each other, also beyond the beats", () => {
  const beats = [1, 2, 4];
  for (const [time, beat] of [
    [0, -1],
    [1.5, 0.5],
    [3, 1.5],
    [4, 2],
    [8, 4],
  ] as const) {
    expect(beatAt(time, beats)).toBeCloseTo(beat);
    expect(timeOf(beat, beats)).toBeCloseTo(time);
  }
});

test("a moment goes to the nearest line of the grid, or from line to line", () => {
  const beats = [1, 2, 4];
  expect(snapped(1.3, beats, 4)).toBeCloseTo(1.25);
  expect(snapped(3.3, beats, 4)).toBeCloseTo(3.5);
  expect(snapped(0.3, [], 1)).toBeCloseTo(0.5);
  expect(stepped(1.25, beats, 4, 1)).toBeCloseTo(1.5);
  expect(stepped(1.2501, beats, 4, -1)).toBeCloseTo(1);
  expect(stepped(1.3, beats, 4, -1)).toBeCloseTo(1.25);
});

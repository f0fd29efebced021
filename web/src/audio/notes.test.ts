import { expect, test } from "vitest";
import { gainsOf, hzOf, mixed, soundingIn } from "./notes";

const RATE = 1_000;
const note = (start: number, end: number, velocity = 1) => ({ start, end, pitch: 60, velocity });
const ONES = new Map([[60, new Float32Array(4 * RATE).fill(1)]]);

test("a part has the notes that begin in it and those that still sound from before", () => {
  const notes = [note(0, 1), note(4, 6), note(5.5, 7), note(10, 11)];
  expect(soundingIn(notes, { start: 5, end: 10 }, 0)).toEqual([notes[1], notes[2]]);
  expect(soundingIn(notes, { start: 5, end: 10 }, 4.5)).toEqual(notes.slice(1, 3));
  expect(soundingIn(notes, { start: 4, end: 10 }, 4.5)).toEqual(notes.slice(0, 3));
});

test("notes begin on their sample, as loud as they are struck, and are released at their end", () => {
  const sound = mixed([note(0.5, 1, 0.5)], { start: 0, end: 2 }, ONES, RATE, false);
  expect([sound[499], sound[500], sound[999]]).toEqual([0, 0.5, 0.5]);
  expect(sound[1_060]).toBeCloseTo(0.25);
  expect(sound[1_120]).toBe(0);
});

test("a note that is bent up goes through its tone faster from then on", () => {
  const ramp = new Map([[60, Float32Array.from({ length: 4 * RATE }, (_, i) => i / 1_024)]]);
  const bends = [{ time: 0.7, by: 12 }];
  const sound = mixed([{ ...note(0.5, 1.5), bends }], { start: 0, end: 2 }, ramp, RATE, false);
  expect(sound[700]).toBeCloseTo(200 / 1_024);
  expect(sound[800]).toBeCloseTo(400 / 1_024);
});

test("drums sound to their end", () => {
  const sound = mixed([note(0.5, 0.55)], { start: 0, end: 5 }, ONES, RATE, true);
  expect([sound[4_000], sound[4_500]]).toEqual([1, 0]);
});

test("parts are those of the whole", () => {
  const notes = [note(0.2, 1.4), note(0.9, 1.1, 0.3), note(1.9, 3)];
  const whole = mixed(notes, { start: 0, end: 3 }, ONES, RATE, false);
  const parts = [0, 1, 2].flatMap((start) => {
    const part = { start, end: start + 1 };
    return [...mixed(soundingIn(notes, part, 0.2), part, ONES, RATE, false)];
  });
  expect(parts).toEqual([...whole]);
});

test("pitches and balances are what they are called", () => {
  expect([hzOf(69), hzOf(57)]).toEqual([440, 220]);
  expect([0, 0.5, 1].map(gainsOf)).toEqual([
    { sound: 1, notes: 0 },
    { sound: 1, notes: 1 },
    { sound: 0, notes: 1 },
  ]);
});

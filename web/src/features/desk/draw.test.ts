import { expect, test } from "vitest";
import type { Note } from "../../music/midi";
import { heightOfPitch, namedPitches, rangeOf } from "./draw";
import { paletteOf, pixelsOf } from "./heat";

const note = (pitch: number): Note => ({ start: 0, end: 1, pitch, velocity: 1 });

test("a roll shows an octave at least, and all pitches of its notes inside", () => {
  expect(rangeOf([note(60)])).toEqual([54, 66]);
  expect(rangeOf([note(40), note(70)])).toEqual([40, 70]);
  const range = rangeOf([note(40), note(70)]);
  const places = [70, 55, 40].map((pitch) => heightOfPitch(pitch, range, 100));
  expect(places[0]).toBeLessThan(places[1]!);
  expect(places[1]).toBeCloseTo(50);
  expect(places[0]! + places[2]!).toBeCloseTo(100);
});

test("each C is named; without two of them the ends are", () => {
  expect(namedPitches([40, 75])).toEqual([48, 60, 72]);
  expect(namedPitches([49, 59])).toEqual([49, 59]);
  expect(namedPitches([54, 66])).toEqual([54, 66]);
});

test("colours go from the ground to the loudest of the song", () => {
  const bytes = new Uint8Array(paletteOf("0 0 0, 100 200 50, 200 255 255", 205).buffer);
  const at = (level: number) => [...bytes.subarray(4 * level, 4 * level + 4)];
  expect(at(0)).toEqual([0, 0, 0, 255]);
  expect(at(30)).toEqual([0, 0, 0, 255]); // 70 dB below
  expect(at(205)).toEqual([200, 255, 255, 255]);
  expect(at(255)).toEqual(at(205));
});

test("low tones are at the bottom", () => {
  const palette = Uint32Array.from({ length: 256 }, (_, level) => level);
  const data = new Uint8Array(2 * 128);
  data[0] = 7; // the first column's lowest band
  data[255] = 9; // the second's highest
  const pixels = pixelsOf({ data, columns: 2, start: 0, end: 1 }, palette);
  expect(pixels[127 * 2]).toBe(7);
  expect(pixels[1]).toBe(9);
});

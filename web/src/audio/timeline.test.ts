import { expect, test } from "vitest";
import { chunksAhead, cutAt, endOf, nextStretch, placeAt, type Stretch, snap } from "./timeline";

const CHUNK = 100;
const SONG = 350;

/** Plays a number of stretches from a place on. */
function play(place: number, count: number, loop: { start: number; end: number } | null) {
  const stretches = [];
  let at = place;
  for (let i = 0; i < count; i += 1) {
    const next = nextStretch(at, CHUNK, SONG, loop);
    if (!next) break;
    stretches.push([next.chunk, next.from, next.length]);
    at = next.from + next.length;
  }
  return stretches;
}

test("stretches follow each other without a gap to the end of the song", () => {
  expect(play(130, 9, null)).toEqual([
    [1, 130, 70],
    [2, 200, 100],
    [3, 300, 50],
  ]);
});

test("a loop goes round, also within a chunk and across one", () => {
  expect(play(110, 4, { start: 120, end: 140 })).toEqual([
    [1, 110, 30],
    [1, 120, 20],
    [1, 120, 20],
    [1, 120, 20],
  ]);
  expect(play(180, 5, { start: 180, end: 220 })).toEqual([
    [1, 180, 20],
    [2, 200, 20],
    [1, 180, 20],
    [2, 200, 20],
    [1, 180, 20],
  ]);
});

test("what a growing song does not have yet is not played", () => {
  expect(nextStretch(200, CHUNK, 200, null)).toBeNull();
  expect(nextStretch(200, CHUNK, 260, null)).toEqual({ chunk: 2, from: 200, length: 60 });
});

test("no more is decoded ahead than was asked for", () => {
  expect(chunksAhead(30, 150, CHUNK, SONG, null)).toEqual([0, 1]);
  expect(chunksAhead(30, 1e6, CHUNK, SONG, null)).toEqual([0, 1, 2, 3]);
  expect(chunksAhead(130, 1e6, CHUNK, SONG, { start: 120, end: 220 })).toEqual([1, 2]);
});

test("the place is that of the stretch that sounds, and stands still where there is none", () => {
  const stretches: Stretch[] = [
    { at: 1, from: 50, length: 20, speed: 1 },
    { at: 3, from: 10, length: 40, speed: 1 },
  ];
  const places = [0.5, 1, 2, 2.9, 3.5, 99].map((time) => placeAt(stretches, time, 10));
  expect(places).toEqual([null, 50, 60, 69, 15, 50]);
});

test("at half the speed a stretch takes twice as long, and can be cut anywhere", () => {
  const slow: Stretch = { at: 1, from: 50, length: 20, speed: 0.5 };
  expect(endOf(slow, 10)).toBe(5);
  expect(placeAt([slow], 2, 10)).toBe(55);
  const next = { ...slow, at: 5, from: 70 };
  expect(cutAt([slow, next], 3, 10)).toEqual([{ ...slow, length: 10 }]);
  expect(cutAt([slow, next], 5, 10)).toEqual([slow]);
  expect(cutAt([slow, next], 1, 10)).toEqual([]);
});

test("a time snaps to the nearest beat", () => {
  expect([snap(1.2, [0, 1, 2]), snap(1.6, [0, 1, 2]), snap(3, [])]).toEqual([1, 2, 3]);
});

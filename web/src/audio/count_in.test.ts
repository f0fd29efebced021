import { expect, test } from "vitest";
import { countIn } from "./count_in";

/** A song of a beat each half second, with bars of three from its second beat on. */
const BEATS = Array.from({ length: 12 }, (_, k) => ({ time: 0.5 + k / 2, first: k % 3 === 1 }));

test("a bar is counted to a place, with its first beat where a bar begins", () => {
  expect(countIn(2.5, BEATS)).toEqual({
    lead: 1.5,
    clicks: [
      { time: 0, first: true },
      { time: 0.5, first: false },
      { time: 1, first: false },
    ],
  });
});

test("between beats the count stays on them", () => {
  const { lead, clicks } = countIn(3.2, BEATS)!;
  expect(lead).toBeCloseTo(1.2);
  expect(clicks.map(({ first }) => first)).toEqual([false, true, false]);
});

test("before the first beat and after the last one, the tempo goes on", () => {
  expect(countIn(0, BEATS)!.lead).toBeCloseTo(1.5);
  expect(countIn(0, BEATS)!.clicks.map(({ first }) => first)).toEqual([false, false, true]);
  expect(countIn(8, BEATS)!.lead).toBeCloseTo(1.5);
});

test("without bars four beats are counted, without beats none", () => {
  const even = [0, 1, 2].map((time) => ({ time, first: false }));
  expect(countIn(1, even)!.clicks).toHaveLength(4);
  expect(countIn(1, [])).toBeNull();
});

import { expect, test } from "vitest";
import { isNeutral, shiftOf } from "./shifter";

test("what the speed does to the pitch is undone, and what is wanted is done", () => {
  expect(isNeutral({ speed: 1, semitones: 0 })).toBe(true);
  expect(isNeutral({ speed: 0.95, semitones: 0 })).toBe(false);
  expect(shiftOf({ speed: 0.5, semitones: 0 })).toBe(12);
  expect(shiftOf({ speed: 1, semitones: -7 })).toBe(-7);
  expect(shiftOf({ speed: 1.5, semitones: 7 })).toBeCloseTo(-0.02, 2);
});

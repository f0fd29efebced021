import { expect, test } from "vitest";
import { AS_IT_IS } from "../audio/player";
import { Desk, mixOf, toDb, toGain } from "./desk";

test("the mix that is sent is the one that is heard", () => {
  const state = { ...new Desk().state, tracks: ["vocals", "drums", "bass"] };
  const settings = {
    vocals: { ...AS_IT_IS, solo: true, pan: -0.5 },
    drums: { ...AS_IT_IS, solo: true, mute: true },
    bass: { ...AS_IT_IS, volume: 0.5 },
  };
  expect(mixOf({ ...state, settings })).toEqual({
    vocals: { gain_db: 0, pan: -0.5, mute: false },
    drums: { gain_db: 0, pan: 0, mute: true },
    bass: { gain_db: toDb(0.5), pan: 0, mute: true },
  });
  const asItWas = mixOf({ ...state, settings, original: true });
  expect(Object.values(asItWas).every(({ gain_db, mute }) => gain_db === 0 && !mute)).toBe(true);
});

test("the lowest volume is silence", () => {
  expect([toGain(-48), toGain(0), toGain(-6)]).toEqual([0, 1, expect.closeTo(0.501, 3)]);
  expect(toDb(0)).toBe(-48);
});

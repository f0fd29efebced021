import { expect, test } from "vitest";
import type { Model, Preset } from "../api/client";
import { asOptions, toggled, USUAL, type Wish, wishOf, withModel, withPreset } from "./wish";

const model = { name: "m", stems: ["vocals", "drums", "bass"] } as unknown as Model;

test("all stems of a model are not named, and one always stays", () => {
  expect(toggled(null, "drums", model)).toEqual(["vocals", "bass"]);
  expect(toggled(["vocals", "bass"], "drums", model)).toBeNull();
  expect(toggled(["bass"], "bass", model)).toEqual(["bass"]);
});

test("another model forgets the stems of the one before", () => {
  const wish = { ...USUAL, stems: ["piano"], withRest: true, ...withModel("lite") };
  expect(asOptions(wish)).toMatchObject({ stems: null, with_rest: false });
});

test("a preset brings its model, stems and way of separating", () => {
  const preset = {
    name: "render",
    purpose: "",
    options: { model: "best", stems: ["vocals"], with_rest: true, separation: { shifts: 1 } },
  } as unknown as Preset;
  const wish = { ...USUAL, ...withPreset(preset) };
  expect(asOptions(wish, preset)).toMatchObject({
    model: "best",
    stems: ["vocals"],
    with_rest: true,
    separation: { shifts: 1 },
  });
});

test("options say the wish that they came of", () => {
  const wish: Wish = {
    model: "htdemucs",
    preset: null,
    stems: ["bass"],
    withRest: true,
    midi: false,
    format: "flac",
    onsetThreshold: 0.7,
    confidence: 0.4,
    minNoteS: 0.08,
    lowestHz: 40,
    highestHz: 900,
    quantise: "1/8T",
  };
  expect(wishOf(asOptions(wish))).toEqual(wish);
  expect(wishOf({})).toEqual(USUAL);
});

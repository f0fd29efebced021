import { expect, test } from "vitest";
import { BANDS, heightOf, levelFor, Spectrograms, type Waveform } from "./spectrogram";

const LEVELS = [1_024, 4_096, 16_384];
const SONG_S = 600;

function song(loudest: number): Waveform {
  const length = SONG_S * 44_100;
  const levels = LEVELS.map((level) => ({
    samples_per_column: level,
    columns: Math.ceil(length / level),
    url: "",
  }));
  const spectrogram = { bands: BANDS, highest_hz: 22_050, loudest, levels };
  return { name: "mix", sample_rate: 44_100, length, levels: [], spectrogram };
}

function opened() {
  const asked: [number, number, number][] = [];
  const spectrograms = new Spectrograms([song(180)], (_, level, from, to) => {
    asked.push([level, from, to]);
    return Promise.resolve(new Uint8Array((to - from) * BANDS));
  });
  return { asked, spectrograms };
}

const arrived = () => new Promise((resolve) => setTimeout(resolve));

test("only what is looked at is fetched, once, and told of", async () => {
  const { asked, spectrograms } = opened();
  let told = 0;
  const stop = spectrograms.subscribe(() => {
    told += 1;
  });
  expect(spectrograms.tiles("mix", 60, 70, 1_000)).toEqual([]);
  expect(spectrograms.tiles("mix", 60, 70, 1_000)).toEqual([]);
  expect(asked).toEqual([
    [1_024, 2_560, 2_816],
    [1_024, 2_816, 3_072],
  ]);
  await arrived();
  expect(told).toBe(2);
  const [tile] = spectrograms.tiles("mix", 60, 70, 1_000);
  expect(tile!.start).toBeCloseTo((2_560 * 1_024 - 512) / 44_100);
  expect(tile!.end).toBeCloseTo((2_816 * 1_024 - 512) / 44_100);
  stop();
});

test("a coarser picture stands in until the finer one is there", async () => {
  const { spectrograms } = opened();
  spectrograms.tiles("mix", 0, SONG_S, 800);
  await arrived();
  const whole = spectrograms.tiles("mix", 0, SONG_S, 800);
  expect(whole.map((tile) => tile.columns)).toEqual([256, 256, 256, 256, 256, 256, 79]);
  expect(spectrograms.tiles("mix", 100, 110, 800)).toEqual([whole[1]]);
  await arrived();
  expect(spectrograms.tiles("mix", 100, 110, 800)).not.toContain(whole[1]);
});

test("what cannot be had is asked for again at the next look", async () => {
  let asked = 0;
  const spectrograms = new Spectrograms([song(1)], () => {
    asked += 1;
    return Promise.reject(new Error("gone"));
  });
  spectrograms.tiles("mix", 0, 1, 800);
  await arrived();
  spectrograms.tiles("mix", 0, 1, 800);
  expect(asked).toBe(2);
});

test("a zoom has a column for every two pixels at least", () => {
  const coarseFirst = [...LEVELS].reverse();
  expect(levelFor(coarseFirst, 10_000)).toBe(16_384);
  expect(levelFor(coarseFirst, 2_048)).toBe(4_096);
  expect(levelFor(coarseFirst, 10)).toBe(1_024);
});

test("bands divide mel: linear below 1 kHz, then logarithmic", () => {
  expect(heightOf(22_050, 22_050)).toBe(1);
  expect(heightOf(500, 22_050)).toBeCloseTo(heightOf(1_000, 22_050) / 2);
  expect(heightOf(0, 22_050)).toBe(0);
});

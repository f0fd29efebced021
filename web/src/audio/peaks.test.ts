import { expect, test } from "vitest";
import { columnsOf, levelFor, parsePeaks, peaksOf, withPeaks } from "./peaks";

test("a file of audiowaveform is read", () => {
  const bytes = new ArrayBuffer(24 + 8);
  const view = new DataView(bytes);
  for (const [k, value] of [2, 0, 44_100, 256, 2, 1].entries()) view.setInt32(4 * k, value, true);
  for (const [k, value] of [-100, 200, -32_767, 32_767].entries()) {
    view.setInt16(24 + 2 * k, value, true);
  }
  const peaks = parsePeaks(bytes);
  expect(peaks).toMatchObject({ sampleRate: 44_100, samplesPerPeak: 256 });
  expect([...columnsOf(peaks, 0, 1, 2)]).toEqual([-1, 1, Number.NaN, Number.NaN]);
  expect(columnsOf(peaks, 0, 0.004, 1)[1]).toBeCloseTo(200 / 32_767);
});

test("peaks of samples are their extremes in both channels, however many chunks they come in", () => {
  const left = new Float32Array(3_000);
  const right = new Float32Array(3_000);
  left[10] = 0.5;
  right[2_500] = -2;
  const data = peaksOf([left, right]);
  expect([...data]).toEqual([0, 16_383, 0, 0, -32_767, 0]);
  const twice = withPeaks(withPeaks(undefined, data, 44_100), data, 44_100);
  expect(twice.data.length).toBe(12);
});

test("the zoom is as coarse as the columns allow", () => {
  expect([100, 1_000, 4_096, 1e6].map(levelFor)).toEqual([256, 256, 4_096, 16_384]);
});

/** Waveforms as few numbers, for drawing. */
import type { Stereo } from "./song";

export interface Peaks {
  /** Lowest and highest sample of each stretch, ±32767 for full scale. */
  data: Int16Array;
  samplesPerPeak: number;
  sampleRate: number;
}

const FULL_SCALE = 32_767;
const HEAD_BYTES = 24;
const SAMPLES_PER_PEAK = 1_024;

/** The zooms that the server has. */
const LEVELS = [16_384, 4_096, 1_024, 256];

/** The coarsest zoom that still shows all there is to see. */
export function levelFor(samplesPerColumn: number): number {
  return LEVELS.find((level) => level <= samplesPerColumn) ?? 256;
}

/** Reads a file of audiowaveform, version 2 with 16 bits. */
export function parsePeaks(bytes: ArrayBuffer): Peaks {
  const view = new DataView(bytes);
  if (view.getInt32(0, true) !== 2) throw new Error("This is no waveform.");
  return {
    sampleRate: view.getInt32(8, true),
    samplesPerPeak: view.getInt32(12, true),
    data: new Int16Array(bytes, HEAD_BYTES),
  };
}

/** The peaks of some samples. */
export function peaksOf([left, right]: Stereo): Int16Array {
  const count = Math.ceil(left.length / SAMPLES_PER_PEAK);
  const data = new Int16Array(2 * count);
  for (let k = 0; k < count; k += 1) {
    let low = 0;
    let high = 0;
    const end = Math.min(left.length, (k + 1) * SAMPLES_PER_PEAK);
    for (let i = k * SAMPLES_PER_PEAK; i < end; i += 1) {
      low = Math.min(low, left[i]!, right[i]!);
      high = Math.max(high, left[i]!, right[i]!);
    }
    data[2 * k] = Math.max(-1, low) * FULL_SCALE;
    data[2 * k + 1] = Math.min(1, high) * FULL_SCALE;
  }
  return data;
}

/** Peaks with more after them. */
export function withPeaks(before: Peaks | undefined, more: Int16Array, sampleRate: number): Peaks {
  const data = new Int16Array((before?.data.length ?? 0) + more.length);
  if (before) data.set(before.data);
  data.set(more, before?.data.length ?? 0);
  return { data, samplesPerPeak: SAMPLES_PER_PEAK, sampleRate };
}

/**
 * Lowest and highest of the peaks in columns of a drawing, ±1; NaN where there are none.
 *
 * @param from First moment of the first column, in seconds.
 * @param each Seconds of a column.
 */
export function columnsOf(peaks: Peaks, from: number, each: number, count: number): Float32Array {
  const { data } = peaks;
  const perSecond = peaks.sampleRate / peaks.samplesPerPeak;
  const found = new Float32Array(2 * count).fill(Number.NaN);
  for (let column = 0; column < count; column += 1) {
    const begin = (from + column * each) * perSecond;
    const first = Math.max(0, Math.floor(begin));
    const end = Math.max(first + 1, Math.ceil(begin + each * perSecond));
    const last = Math.min(data.length / 2, end);
    if (first >= last) continue;
    let low = 0;
    let high = 0;
    for (let k = 2 * first; k < 2 * last; k += 2) {
      if (data[k]! < low) low = data[k]!;
      if (data[k + 1]! > high) high = data[k + 1]!;
    }
    found[2 * column] = low / FULL_SCALE;
    found[2 * column + 1] = high / FULL_SCALE;
  }
  return found;
}

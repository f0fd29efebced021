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

/** Lowest and highest of the peaks between two moments, ±1; null where there are none. */
export function extremes(peaks: Peaks, from: number, to: number): [number, number] | null {
  const perSecond = peaks.sampleRate / peaks.samplesPerPeak;
  const first = Math.max(0, Math.floor(from * perSecond));
  const last = Math.min(peaks.data.length / 2, Math.max(first + 1, Math.ceil(to * perSecond)));
  if (first >= last) return null;
  let low = 0;
  let high = 0;
  for (let k = first; k < last; k += 1) {
    low = Math.min(low, peaks.data[2 * k]!);
    high = Math.max(high, peaks.data[2 * k + 1]!);
  }
  return [low / FULL_SCALE, high / FULL_SCALE];
}

/** WAV: where the samples lie, and what they are. */

export interface WavHeader {
  sampleRate: number;
  channels: number;
  bits: 16 | 24 | 32;
  float: boolean;
  /** Bytes before the first sample. */
  start: number;
  /** Samples of each channel. */
  length: number;
}

const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;

/** Reads the head of a file; null if more than these bytes are needed for it. */
export function parseHeader(bytes: Uint8Array<ArrayBuffer>): WavHeader | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const name = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 12 || name(0) !== "RIFF" || name(8) !== "WAVE") {
    throw new Error("This stem is no WAV file.");
  }
  let format: Omit<WavHeader, "start" | "length"> | null = null;
  let at = 12;
  while (at + 8 <= bytes.length) {
    const kind = name(at);
    const size = view.getUint32(at + 4, true);
    const start = at + 8;
    if (kind === "data" && format) {
      const length = Math.floor(size / ((format.channels * format.bits) / 8));
      return { ...format, start, length };
    }
    if (kind === "fmt ") {
      if (start + Math.min(size, 26) > bytes.length) return null;
      format = formatOf(view, start);
    }
    at = start + size + (size % 2);
  }
  return null;
}

function formatOf(view: DataView, at: number): Omit<WavHeader, "start" | "length"> {
  const tag = view.getUint16(at, true);
  const kind = tag === EXTENSIBLE ? view.getUint16(at + 24, true) : tag;
  const bits = view.getUint16(at + 14, true);
  const known = kind === FLOAT ? bits === 32 : kind === PCM && [16, 24, 32].includes(bits);
  if (!known) throw new Error(`Samples of kind ${kind} with ${bits} bits cannot be played here.`);
  return {
    sampleRate: view.getUint32(at + 4, true),
    channels: view.getUint16(at + 2, true),
    bits: bits as WavHeader["bits"],
    float: kind === FLOAT,
  };
}

/** Bytes of a sample in all channels. */
export function frameBytes(header: WavHeader): number {
  return (header.channels * header.bits) / 8;
}

/** The first two channels of interleaved samples, full scale 1. */
export function decode(bytes: ArrayBuffer, header: WavHeader): [Float32Array, Float32Array] {
  const length = Math.floor(bytes.byteLength / frameBytes(header));
  const left = new Float32Array(length);
  const right = header.channels > 1 ? new Float32Array(length) : left;
  const sample = reader(bytes, header);
  for (let i = 0, k = 0; i < length; i += 1, k += header.channels) {
    left[i] = sample(k);
    if (right !== left) right[i] = sample(k + 1);
  }
  return [left, right === left ? left.slice() : right];
}

/** Gives the sample of a number; all files are little-endian, as all browsers' machines are. */
function reader(bytes: ArrayBuffer, header: WavHeader): (k: number) => number {
  if (header.bits === 24) {
    const octets = new Uint8Array(bytes);
    return (k) => {
      const at = 3 * k;
      // In the upper three bytes of 32, so that the sign is right.
      const value = (octets[at]! << 8) | (octets[at + 1]! << 16) | (octets[at + 2]! << 24);
      return value / 2_147_483_648;
    };
  }
  if (header.float) {
    const samples = new Float32Array(bytes);
    return (k) => samples[k]!;
  }
  const samples = header.bits === 16 ? new Int16Array(bytes) : new Int32Array(bytes);
  const scale = 2 ** -(header.bits - 1);
  return (k) => samples[k]! * scale;
}

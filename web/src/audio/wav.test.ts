import { expect, test } from "vitest";
import { decode, parseHeader } from "./wav";

/** A WAV file of some samples, with chunks before them. */
function wav(bits: 16 | 24 | 32, float: boolean, samples: number[], extensible = false) {
  const size = bits / 8;
  const bytes = new Uint8Array(200 + samples.length * size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const word = (text: string) => {
    for (const letter of text) bytes[at++] = letter.charCodeAt(0);
  };
  const number = (value: number, octets: number) => {
    for (let i = 0; i < octets; i += 1) bytes[at++] = Math.floor(value / 256 ** i) & 255;
  };
  word("RIFF");
  number(bytes.length, 4);
  word("WAVEbext");
  number(7, 4);
  at += 8; // an odd chunk has a byte more
  word("fmt ");
  number(extensible ? 40 : 16, 4);
  const kind = float ? 3 : 1;
  number(extensible ? 0xfffe : kind, 2);
  number(2, 2);
  number(44_100, 4);
  number(44_100 * 2 * size, 4);
  number(2 * size, 2);
  number(bits, 2);
  if (extensible) {
    number(22, 2);
    number(bits, 2);
    number(3, 4);
    number(kind, 2);
    at += 14;
  }
  word("data");
  number(samples.length * size, 4);
  for (const sample of samples) {
    if (float) view.setFloat32(at, sample, true);
    else if (bits === 16) view.setInt16(at, sample * 32_767, true);
    else if (bits === 32) view.setInt32(at, sample * 2_147_483_647, true);
    else {
      const value = Math.round(sample * 8_388_607);
      view.setUint16(at, value & 0xffff, true);
      view.setInt8(at + 2, value >> 16);
    }
    at += size;
  }
  return bytes.slice(0, at);
}

const SAMPLES = [0, 1, -1, 0.5, -0.25, 0.001];

test.each([
  ["16 bits", 16, false, false],
  ["24 bits", 24, false, false],
  ["24 bits, extensible", 24, false, true],
  ["32 bits", 32, false, false],
  ["floats beyond full scale", 32, true, true],
] as const)("%s are read as they were written", (_, bits, float, extensible) => {
  const samples = float ? SAMPLES.map((sample) => 1.5 * sample) : SAMPLES;
  const file = wav(bits, float, samples, extensible);
  const header = parseHeader(file)!;
  expect(header).toMatchObject({ sampleRate: 44_100, channels: 2, bits, float, length: 3 });
  const [left, right] = decode(file.buffer.slice(header.start), header);
  const interleaved = [...left].flatMap((sample, i) => [sample, right[i]!]);
  interleaved.forEach((sample, i) => {
    expect(sample).toBeCloseTo(samples[i]!, 4);
  });
});

test("a head that goes on is asked for", () => {
  expect(parseHeader(wav(24, false, SAMPLES).slice(0, 40))).toBeNull();
});

test("what is no WAV says so", () => {
  expect(() => parseHeader(new TextEncoder().encode("fLaC............"))).toThrow("no WAV");
});

import { expect, test } from "vitest";
import { barAndBeat, chordName, noteName } from "./analysis";
import { parseMidi } from "./midi";

test.each([
  ["C:maj", "C"],
  ["F#:min7", "F♯m7"],
  ["Bb:maj/3", "B♭/D"],
  ["C:maj/5", "C/G"],
  ["C:min/b3", "Cm/E♭"],
  ["F#:maj/3", "F♯/A♯"],
  ["G:7/b7", "G7/F"],
  ["B:hdim7", "Bø7"],
  ["N", ""],
])("%s is written %s", (label, name) => {
  expect(chordName(label)).toBe(name);
});

test("notes are named from the octave of the middle C", () => {
  expect([noteName(60), noteName(21), noteName(127)]).toEqual(["C4", "A0", "G9"]);
});

test("a moment has a bar and a beat once there are bars", () => {
  const beats = [0.5, 1, 1.5, 2, 2.5, 3];
  const downbeats = [1, 2.5];
  expect(barAndBeat(0.6, beats, downbeats)).toBeNull();
  expect(barAndBeat(2.1, beats, downbeats)).toEqual({ bar: 1, beat: 3 });
  expect(barAndBeat(2.5, beats, downbeats)).toEqual({ bar: 2, beat: 1 });
});

const chunk = (name: string, ...octets: number[]) => [
  ...new TextEncoder().encode(name),
  0,
  0,
  0,
  octets.length,
  ...octets,
];

test("notes have their times through changes of tempo, running status and tracks", () => {
  const conductor = [
    ...[0, 0xff, 0x51, 3, 0x07, 0xa1, 0x20], // 500,000 µs for a quarter
    ...[96, 0xff, 0x51, 3, 0x0f, 0x42, 0x40], // after one of them, twice as long
    ...[0, 0xff, 0x2f, 0],
  ];
  const part = [
    ...[0, 0xe1, 0, 64], // a bend
    ...[48, 0x91, 60, 127, 0, 64, 64], // two notes, the second by running status
    ...[96, 60, 0], // silence by velocity 0, half of it at the new tempo
    ...[0x81, 0x40, 0x81, 64, 10], // a length of two octets
    ...[0, 0xff, 0x2f, 0],
  ];
  const file = [
    ...chunk("MThd", 0, 1, 0, 2, 0, 96),
    ...chunk("MTrk", ...conductor),
    ...chunk("MTrk", ...part),
  ];
  const notes = parseMidi(new Uint8Array(file));
  expect(notes).toEqual([
    { start: 0.25, end: 1, pitch: 60, velocity: 1 },
    { start: 0.25, end: 3, pitch: 64, velocity: 64 / 127 },
  ]);
});

test("bends go with the notes of their channel", () => {
  const part = [
    ...[0, 0xe1, 0, 96], // half way up: a semitone
    ...[0, 0x91, 60, 127],
    ...[48, 0xe1, 0, 64], // back
    ...[0, 0xe2, 0, 0], // another channel
    ...[48, 0x81, 60, 0],
    ...[0, 0x91, 62, 127],
    ...[96, 0x81, 62, 0],
    ...[0, 0xff, 0x2f, 0],
  ];
  const file = [...chunk("MThd", 0, 1, 0, 1, 0, 96), ...chunk("MTrk", ...part)];
  const [bent, plain] = parseMidi(new Uint8Array(file));
  expect(bent?.bends).toEqual([
    { time: 0, by: 1 },
    { time: 0.25, by: 0 },
  ]);
  expect(plain?.bends).toBeUndefined();
});

/** Chords set right: another label, one in two, two in one. */
import type { Chord } from "../../music/analysis";
import { NO_CHORD } from "./corrected";
import { snapped } from "./grid";

/** The qualities that scores and charts know, as Harte writes them. */
export const QUALITIES = [
  ...["maj", "min", "7", "maj7", "min7", "sus2", "sus4", "dim", "aug", "5", "maj6", "min6"],
  ...["minmaj7", "dim7", "hdim7", "9", "maj9", "min9", "11", "maj11", "min11", "13", "maj13"],
  "min13",
];

/** What may be below a chord, from its root. */
export const BASSES = ["b2", "2", "b3", "3", "4", "b5", "5", "#5", "6", "b7", "7"];

export interface ChordParts {
  /** Empty for no chord. */
  root: string;
  /** With what is added or left out, such as `maj(9)`. */
  quality: string;
  /** Empty for the root. */
  bass: string;
}

const LABEL = /^([A-G][#b]*)(?::(\w*(?:\([^()]+\))?))?(?:\/([#b]*\d+))?$/;

/** What a label says; null where it is none. */
export function partsOf(label: string): ChordParts | null {
  if (label === NO_CHORD || label === "X") return { root: "", quality: "maj", bass: "" };
  const [, root, quality = "maj", bass = ""] = LABEL.exec(label) ?? [];
  if (!root || !QUALITIES.includes(quality.replace(/\(.*/, "") || "maj")) return null;
  return { root, quality, bass };
}

export function labelOf({ root, quality, bass }: ChordParts): string {
  return root ? `${root}:${quality}${bass && `/${bass}`}` : NO_CHORD;
}

export const chordAt = (chords: readonly Chord[], moment: number) =>
  Math.max(
    0,
    chords.findLastIndex(({ start }) => start <= moment),
  );

export function relabelled(chords: readonly Chord[], k: number, label: string): Chord[] {
  return chords.map((chord, at) => (at === k ? { ...chord, label } : chord));
}

/** Where a chord would be split: on a beat by a moment within it, or else by its middle. */
export function splitOf({ start, end }: Chord, moment: number, beats: readonly number[]): number {
  const inside = (time: number) => time > start + 0.02 && time < end - 0.02;
  const wanted = inside(moment) ? moment : (start + end) / 2;
  const beat = beats.length ? snapped(wanted, beats, 1) : wanted;
  return Number((inside(beat) ? beat : wanted).toFixed(3));
}

export function split(chords: readonly Chord[], k: number, moment: number): Chord[] {
  const chord = chords[k]!;
  const parts = [
    { ...chord, end: moment },
    { ...chord, start: moment },
  ];
  return [...chords.slice(0, k), ...parts, ...chords.slice(k + 1)];
}

/** A chord that lasts through the one after it. */
export function joined(chords: readonly Chord[], k: number): Chord[] {
  const next = chords[k + 1];
  if (!next) return [...chords];
  return [...chords.slice(0, k), { ...chords[k]!, end: next.end }, ...chords.slice(k + 2)];
}

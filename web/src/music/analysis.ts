/** What the music of a song is, as analysis.json says it. */

export interface Analysis {
  /** Of the file that says it. */
  version?: string | undefined;
  duration_s: number;
  bpm: number | null;
  tempo: {
    steady: boolean;
    rubato: boolean;
    confidence: number;
    curve: { time: number; bpm: number }[];
  };
  beats: number[];
  downbeats: number[];
  metre: string | null;
  key: {
    tonic: string;
    mode: string;
    confidence: number;
    camelot: string;
    relative: string;
    segments: KeySpan[];
  } | null;
  chords: Chord[];
  /** None in results of older versions. */
  sections?: Section[];
  drums: Stroke[] | null;
  loudness: { integrated_lufs: number | null };
  stems: Record<string, { peak_db: number | null; rms_db: number | null }>;
  quality: { whole: number | null; stems: Record<string, number | null> };
}

export interface Chord {
  start: number;
  end: number;
  /** In Harte's notation. */
  label: string;
}

export interface KeySpan {
  start: number;
  end: number;
  tonic: string;
  mode: string;
}

export interface Section {
  start: number;
  end: number;
  /** A, B and so on; what comes again has the letter that it had. */
  label: string;
}

export interface Stroke {
  time: number;
  drum: string;
  velocity: number;
}

const QUALITIES: Record<string, string> = {
  maj: "",
  min: "m",
  "7": "7",
  maj7: "maj7",
  min7: "m7",
  sus2: "sus2",
  sus4: "sus4",
  dim: "°",
  aug: "+",
  hdim7: "ø7",
};
const LETTERS = "CDEFGAB";
const SEMITONES = [0, 2, 4, 5, 7, 9, 11];

/** A chord as musicians write it: `F#:min7` is F♯m7, `C:maj/3` is C/E, `N` is nothing. */
export function chordName(label: string): string {
  const [, tonic, quality = "maj", bass] =
    /^([A-G][#b]*)(?::([^/]+))?(?:\/(.+))?$/.exec(label) ?? [];
  if (!tonic) return "";
  const root = `${pretty(tonic)}${QUALITIES[quality] ?? quality}`;
  return bass ? `${root}/${pretty(toneOf(tonic, bass))}` : root;
}

/** The tone at an interval such as `b7` above another, spelled by its letter. */
function toneOf(tonic: string, interval: string): string {
  const [, accidentals = "", degree = "1"] = /^([#b]*)(\d+)$/.exec(interval) ?? [];
  const steps = Number(degree) - 1;
  const from = LETTERS.indexOf(tonic.charAt(0));
  const letter = (from + steps) % 7;
  const wanted = pitchOf(tonic) + SEMITONES[steps % 7]! + raised(accidentals);
  const off = ((((wanted - SEMITONES[letter]!) % 12) + 18) % 12) - 6;
  return LETTERS.charAt(letter) + (off < 0 ? "b".repeat(-off) : "#".repeat(off));
}

const raised = (accidentals: string) =>
  [...accidentals].reduce((sum, sign) => sum + (sign === "#" ? 1 : -1), 0);
const pitchOf = (tone: string) =>
  SEMITONES[LETTERS.indexOf(tone.charAt(0))]! + raised(tone.slice(1));

/** With the signs of notation. */
export function pretty(tone: string): string {
  return tone.replaceAll("#", "♯").replaceAll("b", "♭");
}

const NAMES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];

/** The name of a MIDI note; 60 is C4. */
export function noteName(pitch: number): string {
  return `${NAMES[pitch % 12]}${Math.floor(pitch / 12) - 1}`;
}

/** Bar and beat of a moment, counted from 1; null before the first bar. */
export function barAndBeat(
  moment: number,
  beats: readonly number[],
  downbeats: readonly number[],
): { bar: number; beat: number } | null {
  const bar = downbeats.findLastIndex((time) => time <= moment + 1e-3);
  if (bar < 0) return null;
  const first = beats.indexOf(downbeats[bar]!);
  const beat = beats.findLastIndex((time) => time <= moment + 1e-3);
  return { bar: bar + 1, beat: Math.max(0, beat - first) + 1 };
}

/** What an analysis will be once a correction is made; the server does the same. */
import type { Correction } from "../../api/client";
import type { Analysis, Chord } from "../../music/analysis";

const BEATS_PER_BAR: Record<string, number> = { "3/4": 3, "4/4": 4, "6/8": 2 };
export const NO_CHORD = "N";

export function corrected(analysis: Analysis, correction: Correction): Analysis {
  const { tempo, downbeat = 0, key, chords } = correction;
  let found = analysis;
  if ((tempo || downbeat) && found.metre) found = counted(found, tempo ?? null, downbeat);
  if (key) found = { ...found, key: inKey(key, found.duration_s) };
  if (chords) found = { ...found, chords: filled(chords, found.duration_s) };
  return found;
}

function inKey(key: { tonic: string; mode: string }, duration: number): Analysis["key"] {
  const segments = [{ start: 0, end: duration, ...key }];
  return { ...key, confidence: 1, camelot: "", relative: "", segments };
}

/** The same with other beats and bars. */
function counted(found: Analysis, tempo: Correction["tempo"], downbeat: number): Analysis {
  let beats = found.beats;
  let first = Math.max(0, beats.indexOf(found.downbeats[0] ?? Number.NaN));
  const factor = tempo === "double" ? 2 : tempo === "half" ? 0.5 : 1;
  if (tempo === "double") {
    beats = beats.flatMap((time, k) => (k ? [(beats[k - 1]! + time) / 2, time] : [time]));
    first *= 2;
  } else if (tempo === "half") {
    const odd = first % 2;
    beats = beats.filter((_, k) => k % 2 === odd);
    first = Math.floor(first / 2);
  }
  const bar = BEATS_PER_BAR[found.metre ?? "4/4"] ?? 4;
  if (downbeat) first = (((first + downbeat) % bar) + bar) % bar;
  return {
    ...found,
    bpm: found.bpm && Math.round(found.bpm * factor * 1e3) / 1e3,
    beats,
    downbeats: beats.filter((_, k) => k >= first && (k - first) % bar === 0),
    tempo: {
      ...found.tempo,
      curve: found.tempo.curve.map(({ time, bpm }) => ({ time, bpm: bpm * factor })),
    },
  };
}

/** Chords from the beginning of a song to its end, with none where none is given. */
export function filled(chords: readonly Chord[], duration: number): Chord[] {
  const all: Chord[] = [];
  let now = 0;
  for (const chord of chords) {
    if (chord.start > now) all.push({ start: now, end: chord.start, label: NO_CHORD });
    all.push(chord);
    now = chord.end;
  }
  if (now < duration) all.push({ start: now, end: duration, label: NO_CHORD });
  return all;
}

/** The notes of a song as sound: samples of tones, mixed where the notes are. */
import type { Note } from "../music/midi";

export interface Part {
  /** In seconds of the song. */
  start: number;
  end: number;
}

const RELEASE_S = 0.12;
const LONGEST_S = 8; // for which a tone is held

const MOST_BEND = 2 ** (2 / 12); // of a wheel's two semitones

/** How long a note sounds, in seconds. */
const lengthOf = ({ start, end }: Note) => Math.min(end - start, LONGEST_S) + RELEASE_S;

/** How long the sample of a note has to be, in seconds. */
export const heldBy = (note: Note) => lengthOf(note) * (note.bends ? MOST_BEND : 1);

/** The notes that sound in a part of a song. */
export function soundingIn(notes: readonly Note[], { start, end }: Part, tail: number): Note[] {
  return notes.filter((note) => note.start < end && Math.max(note.end, note.start + tail) > start);
}

/**
 * Mixes a part of a song, in one channel.
 *
 * @param samples of each pitch, at full velocity.
 * @param whole has samples sound to their end, however short the note; as drums do.
 */
export function mixed(
  notes: readonly Note[],
  { start, end }: Part,
  samples: ReadonlyMap<number, Float32Array>,
  sampleRate: number,
  whole: boolean,
): Float32Array<ArrayBuffer> {
  const sound = new Float32Array(Math.round((end - start) * sampleRate));
  const release = RELEASE_S * sampleRate;
  for (const note of notes) {
    const tone = samples.get(note.pitch);
    if (!tone) continue;
    const sample = note.bends ? bent(tone, note, sampleRate) : tone;
    const from = Math.round((note.start - start) * sampleRate);
    const held = whole ? Infinity : Math.round(lengthOf(note) * sampleRate);
    const length = Math.min(sample.length, held);
    const last = Math.min(length, sound.length - from);
    for (let i = Math.max(0, -from); i < last; i += 1) {
      const fade = Math.min(1, (length - i) / release);
      sound[from + i]! += note.velocity * fade * sample[i]!;
    }
  }
  return sound;
}

/** A tone whose pitch goes where its note is bent to. */
function bent(tone: Float32Array, note: Note, sampleRate: number): Float32Array {
  const sound = new Float32Array(Math.round(lengthOf(note) * sampleRate));
  const bends = note.bends ?? [];
  let next = 0;
  let place = 0;
  let rate = 1;
  for (let i = 0; i < sound.length; i += 1) {
    for (; (bends[next]?.time ?? Infinity) <= note.start + i / sampleRate; next += 1) {
      rate = 2 ** (bends[next]!.by / 12);
    }
    const k = Math.floor(place);
    const before = tone[k] ?? 0;
    sound[i] = before + (place - k) * ((tone[k + 1] ?? 0) - before);
    place += rate;
  }
  return sound;
}

export const hzOf = (pitch: number) => 440 * 2 ** ((pitch - 69) / 12);

/** Gains of sound and notes for a balance from 0, the sound alone, to 1, the notes alone. */
export const gainsOf = (balance: number) => ({
  sound: Math.min(1, 2 - 2 * balance),
  notes: Math.min(1, 2 * balance),
});

/** Notes that are being edited, with what was done to them. */
import type { Note } from "../../music/midi";

export interface Moment {
  notes: readonly Note[];
  selected: ReadonlySet<Note>;
}

export interface Draft extends Moment {
  /** As the server has them. */
  base: readonly Note[];
  past: readonly Moment[];
  future: readonly Moment[];
}

const NOBODY: ReadonlySet<Note> = new Set();
const MOST_STEPS = 200;
export const LEAST_S = 0.03;

export const opened = (notes: readonly Note[]): Draft => ({
  notes,
  selected: NOBODY,
  base: notes,
  past: [],
  future: [],
});

export const isDirty = (draft: Draft) => draft.notes !== draft.base;

/** The server has these notes. */
export const saved = (draft: Draft, notes: readonly Note[]): Draft => ({ ...draft, base: notes });

export const select = (draft: Draft, notes: Iterable<Note>): Draft => ({
  ...draft,
  selected: new Set(notes),
});

export function undone(draft: Draft): Draft {
  const last = draft.past.at(-1);
  if (!last) return draft;
  const { notes, selected } = draft;
  const future = [{ notes, selected }, ...draft.future];
  return { ...draft, ...last, past: draft.past.slice(0, -1), future };
}

export function redone(draft: Draft): Draft {
  const next = draft.future[0];
  if (!next) return draft;
  const { notes, selected } = draft;
  const past = [...draft.past, { notes, selected }];
  return { ...draft, ...next, past, future: draft.future.slice(1) };
}

/** How notes are changed: later by seconds, higher by semitones, longer, or louder. */
export interface Change {
  later?: number;
  higher?: number;
  longer?: number;
  /** 0 to 1, in the place of what it was. */
  velocity?: number;
}

/** The notes after a change of the selected ones, which stay together within song and keyboard. */
export function changed(draft: Moment, change: Change, duration: number): Moment {
  const chosen = [...draft.selected];
  const between = (value: number, low: number, high: number) =>
    Math.min(Math.max(value, low), Math.max(low, high));
  const later = between(
    change.later ?? 0,
    -Math.min(...chosen.map(({ start }) => start)),
    duration - Math.max(...chosen.map(({ end }) => end)),
  );
  const pitches = chosen.map(({ pitch }) => pitch);
  const higher = between(change.higher ?? 0, -Math.min(...pitches), 127 - Math.max(...pitches));
  const { longer = 0, velocity } = change;
  const selected = new Set<Note>();
  const notes = draft.notes.map((note) => {
    if (!draft.selected.has(note)) return note;
    const start = note.start + later;
    const end = Math.min(Math.max(note.end + later + longer, start + LEAST_S), duration);
    const { bends, ...plain } = note;
    const same = !later && !higher && !longer; // else its bends would be at other moments
    const next = {
      ...plain,
      ...(bends && same ? { bends } : {}),
      start,
      end: Math.max(end, start + LEAST_S),
      pitch: note.pitch + higher,
      velocity: velocity ?? note.velocity,
    };
    selected.add(next);
    return next;
  });
  return { notes: inOrder(notes), selected };
}

/** A draft in which the selected notes are changed, as one step. */
export function change(draft: Draft, by: Change, duration: number): Draft {
  return draft.selected.size ? step(draft, changed(draft, by, duration)) : draft;
}

export function remove(draft: Draft): Draft {
  if (!draft.selected.size) return draft;
  const notes = draft.notes.filter((note) => !draft.selected.has(note));
  return step(draft, { notes, selected: NOBODY });
}

export function add(draft: Draft, note: Note): Draft {
  return step(draft, { notes: inOrder([...draft.notes, note]), selected: new Set([note]) });
}

/** One more step, which can be undone. */
export function step(draft: Draft, next: Moment): Draft {
  const { notes, selected } = draft;
  const past = [...draft.past.slice(1 - MOST_STEPS), { notes, selected }];
  return { ...draft, ...next, past, future: [] };
}

/** The note after the selected ones, or before; with none, the one at a moment. */
export function neighbour(draft: Draft, direction: 1 | -1, moment: number): Note | undefined {
  const places = [...draft.selected].map((note) => draft.notes.indexOf(note));
  if (places.length === 0) {
    const next = draft.notes.findIndex((note) => note.end > moment);
    return draft.notes.at(next) ?? draft.notes.at(-1);
  }
  const place = direction > 0 ? Math.max(...places) + 1 : Math.min(...places) - 1;
  return draft.notes[Math.min(Math.max(place, 0), draft.notes.length - 1)];
}

/** The note at a place, the last drawn first, and whether it is taken by its end. */
export function noteAt(
  notes: readonly Note[],
  moment: number,
  pitch: number,
  /** How far from a note one may be, in seconds. */
  slack: number,
): { note: Note; byEnd: boolean } | null {
  const found = notes.findLast(
    (note) =>
      note.pitch === pitch && moment >= note.start - slack / 2 && moment <= note.end + slack,
  );
  if (!found) return null;
  const inner = Math.min(slack, (found.end - found.start) / 3);
  return { note: found, byEnd: moment > found.end - inner };
}

/** The notes within a frame of moments and pitches. */
export function notesWithin(
  notes: readonly Note[],
  [from, to]: readonly [number, number],
  [low, high]: readonly [number, number],
): Note[] {
  return notes.filter(
    ({ start, end, pitch }) => end > from && start < to && pitch >= low && pitch <= high,
  );
}

const inOrder = (notes: Note[]) => notes.sort((a, b) => a.start - b.start || a.pitch - b.pitch);

/** Notes in words. */
import { type Analysis, barAndBeat, noteName } from "../../music/analysis";
import type { Note } from "../../music/midi";
import { clock } from "../../text";
import type { Draft } from "./draft";

/** What is selected: "E2 at bar 3, beat 2, 0:04.1, 0.25 s". */
export function spoken({ selected }: Draft, analysis: Analysis | null): string {
  const [note] = selected;
  if (!note) return "";
  if (selected.size > 1) return `${selected.size} notes`;
  const length = `${(note.end - note.start).toFixed(2)} s`;
  return `${noteName(note.pitch)} at ${placeOf(note, analysis)}, ${length}`;
}

/** Where a note is, by bar and beat where there are bars. */
export function placeOf({ start }: Note, analysis: Analysis | null): string {
  const place = barAndBeat(start, analysis?.beats ?? [], analysis?.downbeats ?? []);
  return `${place ? `bar ${place.bar}, beat ${place.beat}, ` : ""}${clock(start, true)}`;
}

/** What can be done with the notes of a stem. */
import { memo } from "react";
import { create } from "zustand";
import { type Analysis, noteName } from "../../music/analysis";
import type { Note } from "../../music/midi";
import { Button, IconButton } from "../../ui/controls";
import type { Corrector } from "./corrector";
import { change, type Draft, isDirty, redone, remove, select, undone } from "./draft";
import { useCorrector } from "./hooks";
import { placeOf } from "./spoken";

/** How many parts a beat has on the grid that notes go to; 0 for none. */
export const useParts = create<{ parts: number }>()(() => ({ parts: 4 }));

const GRIDS: readonly [number, string][] = [
  [1, "beats"],
  [2, "half beats"],
  [3, "thirds of beats"],
  [4, "quarter beats"],
  [8, "eighths of beats"],
  [0, "no grid"],
];

export function Tools({
  track,
  corrector,
  draft,
  analysis,
  duration,
  words,
  onAdd,
}: {
  track: string;
  corrector: Corrector;
  draft: Draft;
  analysis: Analysis | null;
  duration: number;
  /** What is selected. */
  words: string;
  onAdd: () => void;
}) {
  const busy = useCorrector(corrector, (state) => state.busy);
  const parts = useParts((state) => state.parts);
  const put = (next: Draft) => corrector.draw(track, next);
  const dirty = isDirty(draft);
  const [chosen] = draft.selected;
  const close = () => {
    if (!dirty || confirm(`Leave the notes of ${track} as they were?`)) corrector.close(track);
  };
  return (
    <fieldset
      aria-label={`Edit the notes of ${track}`}
      className="flex flex-wrap items-center gap-x-3 gap-y-2 md:col-start-2"
    >
      <NoteList {...{ track, draft, analysis, put }} />
      <div className="flex">
        <IconButton icon="plus" label="Add a note here" onClick={onAdd} />
        <IconButton
          icon="trash"
          label="Delete the notes"
          disabled={!chosen}
          onClick={() => put(remove(draft))}
        />
        <IconButton
          icon="undo"
          label="Undo this edit"
          disabled={!draft.past.length}
          onClick={() => put(undone(draft))}
        />
        <IconButton
          icon="redo"
          label="Redo this edit"
          disabled={!draft.future.length}
          onClick={() => put(redone(draft))}
        />
      </div>
      <label className="flex items-center gap-2 text-sm text-quiet">
        Velocity
        <input
          type="range"
          className="h-8 w-24"
          min={1}
          max={127}
          disabled={!chosen}
          value={Math.round((chosen?.velocity ?? 0.75) * 127)}
          onChange={(event) =>
            put(change(draft, { velocity: event.target.valueAsNumber / 127 }, duration))
          }
        />
      </label>
      <label className="flex items-center gap-2 text-sm text-quiet">
        Onto
        <select
          className="field"
          value={parts}
          onChange={(event) => useParts.setState({ parts: Number(event.target.value) })}
        >
          {GRIDS.map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <div className="ml-auto flex gap-2">
        <Button onClick={close}>{dirty ? "Discard" : "Close"}</Button>
        <Button kind="main" disabled={!dirty || busy} onClick={() => corrector.save(track)}>
          Save notes
        </Button>
      </div>
      <p className="w-full text-sm text-quiet">
        Drag notes, or their ends; a double click adds one. In the roll: N next, arrows move, A
        adds, Delete removes.
      </p>
      <p aria-live="polite" className="sr-only">
        {words}
      </p>
    </fieldset>
  );
}

/** All notes in words; one is chosen here as in the roll. */
const NoteList = memo(function NoteList({
  track,
  draft,
  analysis,
  put,
}: {
  track: string;
  draft: Draft;
  analysis: Analysis | null;
  put: (next: Draft) => void;
}) {
  const [chosen] = draft.selected;
  const place = chosen && draft.selected.size === 1 ? draft.notes.indexOf(chosen) : "";
  return (
    <select
      aria-label={`Note of ${track}`}
      className="field max-w-full min-w-0 font-mono text-sm"
      value={place}
      onChange={(event) => {
        const note = draft.notes[Number(event.target.value)];
        put(select(draft, note ? [note] : []));
      }}
    >
      <option value="" disabled>
        {draft.selected.size || draft.notes.length} notes{draft.selected.size ? " chosen" : ""}
      </option>
      <Options notes={draft.notes} analysis={analysis} />
    </select>
  );
});

const Options = memo(function Options({
  notes,
  analysis,
}: {
  notes: readonly Note[];
  analysis: Analysis | null;
}) {
  return notes.map((note, k) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a note is what is at its place
    <option key={k} value={k}>
      {noteName(note.pitch)} at {placeOf(note, analysis)}
    </option>
  ));
});

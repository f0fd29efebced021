/** Opens the editor of a stem's notes. */
import { useContext } from "react";
import type { Note } from "../../music/midi";
import { NONE } from "../desk/row";
import { CorrectorContext, useDraft } from "./hooks";

export function EditNotes({ track, notes }: { track: string; notes: readonly Note[] }) {
  const corrector = useContext(CorrectorContext);
  const draft = useDraft(track);
  const transcribed = notes !== NONE && track !== "drums"; // strokes are no notes
  if (!corrector || draft || !transcribed) return null;
  return (
    <button
      type="button"
      className="mt-1.5 min-h-6 rounded text-sm text-quiet underline hover:text-text"
      onClick={() => corrector.edit(track, notes)}
    >
      Edit the notes<span className="sr-only"> of {track}</span>
    </button>
  );
}

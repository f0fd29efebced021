/** Notes looked for once more, with other options, in all stems or some. */
import { useState } from "react";
import type { Job } from "../../api/client";
import { cancel } from "../../api/follow";
import { usePace } from "../../state/live";
import { type NoteWish, noteOptions, notesOf, USUAL_NOTES } from "../../state/wish";
import { Bar, Button, Notice } from "../../ui/controls";
import { NoteFields } from "../bring/note_fields";
import { useManifest } from "../job/music";
import type { Corrector } from "./corrector";
import { dirtyTracks, useCorrector } from "./hooks";

export function Transcribe({
  job,
  corrector,
  onClose,
}: {
  job: Job;
  corrector: Corrector;
  onClose: () => void;
}) {
  const [wish, setWish] = useState<NoteWish>(() => notesOf(job.options));
  const stems = job.files.flatMap(({ kind, of }) =>
    kind === "midi" && of && of !== "all" && of !== "drums" ? [of] : [],
  );
  const [left, setLeft] = useState<readonly string[]>([]);
  const chosen = stems.filter((stem) => !left.includes(stem));
  const busy = useCorrector(corrector, (state) => state.busy);
  const drafts = useCorrector(corrector, (state) => state.drafts);
  const right = [...(useManifest(job)?.midi?.corrected ?? []), ...dirtyTracks(drafts)];
  const lost = chosen.filter((stem) => right.includes(stem));
  const all = chosen.length === stems.length;

  const start = async () => {
    const { transcription, quantise } = noteOptions(wish);
    const done = await corrector.transcribe({
      transcription: { ...job.options.transcription, ...transcription },
      quantise: quantise && { ...job.options.quantise, ...quantise },
      ...(all ? {} : { stems: chosen }),
    });
    if (!done) return;
    for (const stem of chosen) corrector.close(stem);
    onClose();
  };
  return (
    <form
      aria-label="Transcribe again"
      className="panel mt-4 grid gap-5 p-5"
      onSubmit={(event) => {
        event.preventDefault();
        void start();
      }}
    >
      <fieldset className="flex flex-wrap gap-x-5 gap-y-2">
        <legend className="mb-1 font-semibold">Notes of these stems are looked for anew</legend>
        {stems.map((stem) => (
          <label key={stem} className="flex min-h-9 items-center gap-2.5">
            <input
              type="checkbox"
              className="size-5"
              checked={!left.includes(stem)}
              onChange={() =>
                setLeft(
                  left.includes(stem) ? left.filter((each) => each !== stem) : [...left, stem],
                )
              }
            />
            {stem}
          </label>
        ))}
      </fieldset>
      <div className="grid items-start gap-x-8 gap-y-4 sm:grid-cols-2">
        <NoteFields wish={wish} change={(part) => setWish({ ...wish, ...part })} />
      </div>
      {lost.length > 0 && (
        <Notice>
          The notes that you have set right in {lost.join(", ")} will be lost. To keep them, leave{" "}
          {lost.length > 1 ? "these stems" : "this stem"} out.
        </Notice>
      )}
      <div className="flex flex-wrap items-center gap-3">
        <Button kind="main" type="submit" icon="notes" disabled={busy || chosen.length === 0}>
          Transcribe
        </Button>
        <Button onClick={() => setWish(USUAL_NOTES)}>As usual</Button>
        <Button kind="quiet" onClick={onClose}>
          Close
        </Button>
        <Work corrector={corrector} />
      </div>
    </form>
  );
}

/** How far the transcription is. */
function Work({ corrector }: { corrector: Corrector }) {
  const task = useCorrector(corrector, ({ task, pending }) =>
    pending.some(({ wish, landed }) => wish.kind === "transcribe" && landed === null) ? task : null,
  );
  const pace = usePace(task ?? "", false); // the corrector watches it
  if (task === null) return null;
  return (
    <>
      <Bar share={pace.fraction} label="Transcription" className="min-w-24 flex-1" />
      <Button kind="bad" onClick={() => cancel(task)}>
        Stop
      </Button>
    </>
  );
}

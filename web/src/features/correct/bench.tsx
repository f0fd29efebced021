/** What is set right of the whole song with one press: tempo, bars, key; and undone. */
import { useState } from "react";
import type { Job } from "../../api/client";
import type { Analysis } from "../../music/analysis";
import { pretty } from "../../music/analysis";
import type { Desk } from "../../state/desk";
import { Button, Notice } from "../../ui/controls";
import { Icon } from "../../ui/icons";
import { type Corrector, turnable } from "./corrector";
import { useCorrector } from "./hooks";
import { TONICS } from "./tonics";
import { Transcribe } from "./transcribe";

/** What undoing a task takes back. */
const TURNED: Partial<Record<Job["kind"], string>> = {
  correct: "correction",
  transcribe: "transcription",
  export: "export",
};

export function Bench({
  job,
  corrector,
  desk,
  analysis,
}: {
  job: Job;
  corrector: Corrector;
  desk: Desk;
  analysis: Analysis | null;
}) {
  const busy = useCorrector(corrector, (state) => state.busy);
  const transcribing = useCorrector(corrector, ({ pending }) =>
    pending.some(({ wish }) => wish.kind === "transcribe"),
  );
  const fault = useCorrector(corrector, (state) => state.fault);
  const [again, setAgain] = useState(false);
  const chord = useCorrector(corrector, (state) => state.chord);
  const toggleChords = () => corrector.openChord(chord === null ? desk.position : null);
  const beats = Boolean(analysis?.metre);
  const hasNotes = job.files.some((file) => file.kind === "midi");
  if (!analysis && !hasNotes) return null;
  return (
    <section aria-labelledby="correct" className="mt-6">
      <div className="flex flex-wrap items-center gap-x-5 gap-y-3">
        <h2 id="correct" className="font-semibold max-sm:w-full">
          Correct
        </h2>
        {beats && (
          <fieldset className="flex items-center gap-1.5">
            <legend className="sr-only">Tempo</legend>
            <span aria-hidden="true" className="text-sm text-quiet">
              Tempo
            </span>
            <Press label="Half as fast" onClick={() => corrector.correct({ tempo: "half" })}>
              ½
            </Press>
            <Press label="Twice as fast" onClick={() => corrector.correct({ tempo: "double" })}>
              ×2
            </Press>
          </fieldset>
        )}
        {beats && (
          <fieldset className="flex items-center gap-1.5">
            <legend className="sr-only">Bars</legend>
            <span aria-hidden="true" className="text-sm text-quiet">
              Bars
            </span>
            <Press label="Bars a beat earlier" onClick={() => corrector.correct({ downbeat: -1 })}>
              ← beat
            </Press>
            <Press label="Bars a beat later" onClick={() => corrector.correct({ downbeat: 1 })}>
              beat →
            </Press>
          </fieldset>
        )}
        {analysis && <KeyChoice corrector={corrector} analysis={analysis} />}
        {analysis && (
          <Button data-chords aria-expanded={chord !== null} onClick={toggleChords}>
            Chords
          </Button>
        )}
        {hasNotes && (
          <Button aria-expanded={again} onClick={() => setAgain(!again)}>
            Transcribe again
          </Button>
        )}
        <div className="flex items-center gap-1.5">
          <Turn job={job} corrector={corrector} kind="undo" />
          <Turn job={job} corrector={corrector} kind="redo" />
        </div>
        <span role="status" className="text-sm text-quiet">
          {busy ? (transcribing ? "Transcribing…" : "Saving…") : ""}
        </span>
      </div>
      {fault && (
        <Notice kind="bad" className="mt-3">
          {fault} What was not saved is as it was; edited notes are still there.
        </Notice>
      )}
      {again && <Transcribe job={job} corrector={corrector} onClose={() => setAgain(false)} />}
    </section>
  );
}

function Press({
  label,
  onClick,
  children,
}: {
  label: string;
  onClick: () => void;
  children: string;
}) {
  return (
    <Button aria-label={label} title={label} className="min-h-9 px-3" onClick={onClick}>
      {children}
    </Button>
  );
}

function KeyChoice({ corrector, analysis }: { corrector: Corrector; analysis: Analysis }) {
  const tonic = analysis.key?.tonic ?? "";
  const mode = analysis.key?.mode === "minor" ? "minor" : "major";
  const choose = (next: { tonic: string; mode: "major" | "minor" }) => {
    if (next.tonic) void corrector.correct({ key: next });
  };
  const tonics = TONICS.includes(tonic) ? TONICS : [tonic, ...TONICS];
  return (
    <fieldset className="flex items-center gap-1.5">
      <legend className="sr-only">Key</legend>
      <span aria-hidden="true" className="text-sm text-quiet">
        Key
      </span>
      <select
        aria-label="Tonic"
        className="field"
        value={tonic}
        onChange={(event) => choose({ tonic: event.target.value, mode })}
      >
        {tonics.map((each) => (
          <option key={each} value={each}>
            {each ? pretty(each) : "–"}
          </option>
        ))}
      </select>
      <select
        aria-label="Mode"
        className="field"
        value={mode}
        disabled={!tonic}
        onChange={(event) =>
          choose({ tonic, mode: event.target.value === "minor" ? "minor" : "major" })
        }
      >
        <option>major</option>
        <option>minor</option>
      </select>
    </fieldset>
  );
}

/** Takes the last change back, or makes it again. */
function Turn({ job, corrector, kind }: { job: Job; corrector: Corrector; kind: "undo" | "redo" }) {
  const busy = useCorrector(corrector, (state) => state.busy);
  const task = turnable(job, kind);
  const name = kind === "undo" ? "Undo" : "Redo";
  const what = task ? (TURNED[task.kind] ?? "change") : "correction";
  return (
    <button
      type="button"
      aria-label={`${name} the ${what}`}
      title={`${name} the ${what}`}
      disabled={!busy && !task}
      onClick={() => corrector.turn(kind)}
      className="grid size-9 place-items-center rounded-full text-quiet hover:bg-lifted hover:text-text disabled:opacity-40"
    >
      <Icon name={kind} />
    </button>
  );
}

/** One chord, to be named otherwise, split or joined. */
import { useContext, useEffect, useRef, useState } from "react";
import { type Analysis, type Chord, chordName, pretty } from "../../music/analysis";
import type { Desk } from "../../state/desk";
import { clock } from "../../text";
import { Button, IconButton } from "../../ui/controls";
import {
  BASSES,
  type ChordParts,
  chordAt,
  joined,
  labelOf,
  partsOf,
  QUALITIES,
  relabelled,
  split,
  splitOf,
} from "./chords";
import { CorrectorContext, useCorrector } from "./hooks";
import { TONICS } from "./tonics";

export function ChordEditor({ desk, analysis }: { desk: Desk; analysis: Analysis | null }) {
  const corrector = useContext(CorrectorContext);
  const moment = useCorrector(corrector, (state) => state.chord);
  const root = useRef<HTMLSelectElement>(null);
  const open = moment !== null;
  useEffect(() => {
    if (open) root.current?.focus();
  }, [open]);
  if (!corrector || !analysis || moment === null) return null;
  const { chords, beats } = analysis;
  const k = chordAt(chords, moment);
  const chord = chords[k];
  if (!chord) return null;
  const close = () => {
    corrector.openChord(null);
    document.querySelector<HTMLElement>("[data-chords]")?.focus();
  };
  const go = (to: Chord | undefined) => {
    if (!to) return;
    corrector.openChord(to.start);
    desk.seek(to.start);
  };
  const put = (next: Chord[]) => void corrector.correct({ chords: next });
  const name = (label: string) => put(relabelled(chords, k, label));
  const parts = partsOf(chord.label) ?? { root: "", quality: "maj", bass: "" };
  const change = (part: Partial<ChordParts>) => name(labelOf({ ...parts, ...part }));
  const qualities = QUALITIES.includes(parts.quality) ? QUALITIES : [parts.quality, ...QUALITIES];
  const basses = ["", ...BASSES];
  if (!basses.includes(parts.bass)) basses.push(parts.bass);
  const shownName = chordName(chord.label) || "No chord";
  return (
    <fieldset
      aria-label="Edit a chord"
      className="panel my-2 grid gap-3 p-4 md:col-start-2"
      onKeyDown={(event) => {
        if (event.key === "Escape") close();
      }}
    >
      <div className="flex flex-wrap items-center gap-3">
        <IconButton
          icon="back"
          label="The chord before"
          disabled={k === 0}
          onClick={() => go(chords[k - 1])}
        />
        <p className="min-w-24" aria-live="polite">
          <span className="text-lg font-semibold">{shownName}</span>{" "}
          <span className="font-mono text-sm text-quiet">
            {clock(chord.start, true)} to {clock(chord.end, true)}
          </span>
        </p>
        <IconButton
          icon="back"
          label="The chord after"
          className="rotate-180"
          disabled={k === chords.length - 1}
          onClick={() => go(chords[k + 1])}
        />
        <IconButton icon="close" label="Close the chord" className="ml-auto" onClick={close} />
      </div>
      <div className="flex flex-wrap items-end gap-3">
        <label className="grid gap-1 text-sm text-quiet">
          Root
          <select
            ref={root}
            className="field text-text"
            value={parts.root}
            onChange={(event) => change({ root: event.target.value })}
          >
            <option value="">no chord</option>
            {[...new Set([...TONICS, ...(parts.root ? [parts.root] : [])])].map((tonic) => (
              <option key={tonic} value={tonic}>
                {pretty(tonic)}
              </option>
            ))}
          </select>
        </label>
        <label className="grid gap-1 text-sm text-quiet">
          Kind
          <select
            className="field text-text"
            value={parts.quality}
            disabled={!parts.root}
            onChange={(event) => change({ quality: event.target.value })}
          >
            {qualities.map((quality) => (
              <option key={quality} value={quality}>
                {chordName(`C:${quality}`).slice(1) || "major"}
              </option>
            ))}
          </select>
        </label>
        <label className="grid gap-1 text-sm text-quiet">
          Bass
          <select
            className="field text-text"
            value={parts.bass}
            disabled={!parts.root}
            onChange={(event) => change({ bass: event.target.value })}
          >
            {basses.map((bass) => (
              <option key={bass} value={bass}>
                {bass ? bassName(parts.root, bass) : "root"}
              </option>
            ))}
          </select>
        </label>
        <Harte key={`${chord.start} ${chord.label}`} label={chord.label} onName={name} />
        <div className="ml-auto flex flex-wrap gap-2">
          <Button
            onClick={() => put(split(chords, k, splitOf(chord, desk.position, beats)))}
            title="On a beat: that at the playhead, or the middle one"
          >
            Split
          </Button>
          <Button disabled={k === chords.length - 1} onClick={() => put(joined(chords, k))}>
            Join with the next
          </Button>
        </div>
      </div>
    </fieldset>
  );
}

const bassName = (root: string, bass: string) =>
  `${chordName(`${root || "C"}:maj/${bass}`).split("/")[1]} (${pretty(bass)})`;

/** The chord as Harte writes it, for those who know. */
function Harte({ label, onName }: { label: string; onName: (label: string) => void }) {
  const [text, setText] = useState(label);
  const wrong = partsOf(text.trim()) === null;
  const put = () => {
    if (!wrong && text.trim() !== label) onName(text.trim());
  };
  return (
    <label className="grid gap-1 text-sm text-quiet">
      In letters
      <input
        className="field w-32 font-mono text-text aria-invalid:border-bad"
        value={text}
        maxLength={64}
        spellCheck={false}
        autoCapitalize="off"
        aria-invalid={wrong}
        title="As Harte writes chords: F#:min7, C:maj/3, N for none"
        onChange={(event) => setText(event.target.value)}
        onBlur={put}
        onKeyDown={(event) => {
          if (event.key === "Enter") put();
        }}
      />
      {wrong && <span role="alert">Write it as F#:min7, C:maj/3 or N.</span>}
    </label>
  );
}

/** What counts as a note, as fields of a form. */
import { GRIDS, type NoteWish } from "../../state/wish";

export function NoteFields({
  wish,
  change,
}: {
  wish: NoteWish;
  change: (part: Partial<NoteWish>) => void;
}) {
  return (
    <>
      <Slider
        label="Onset threshold"
        hint="higher finds fewer notes, and surer ones"
        value={wish.onsetThreshold}
        min={0.05}
        max={0.95}
        step={0.05}
        onChange={(onsetThreshold) => change({ onsetThreshold })}
      />
      <Slider
        label="Confidence"
        hint="higher ends notes sooner, where they are less sure"
        value={wish.confidence}
        min={0.05}
        max={0.95}
        step={0.05}
        onChange={(confidence) => change({ confidence })}
      />
      <Slider
        label="Shortest note"
        hint="what is shorter is dropped"
        unit="s"
        value={wish.minNoteS}
        min={0.03}
        max={0.5}
        step={0.005}
        onChange={(minNoteS) => change({ minNoteS })}
      />
      <div className="grid grid-cols-2 gap-3">
        <Hertz label="Lowest" value={wish.lowestHz} onChange={(lowestHz) => change({ lowestHz })} />
        <Hertz
          label="Highest"
          value={wish.highestHz}
          onChange={(highestHz) => change({ highestHz })}
        />
      </div>
      <label className="grid gap-1.5">
        Onto the beats
        <select
          className="field"
          value={wish.quantise ?? ""}
          onChange={(event) =>
            change({ quantise: GRIDS.find((grid) => grid === event.target.value) ?? null })
          }
        >
          <option value="">as played</option>
          {GRIDS.map((grid) => (
            <option key={grid}>{grid}</option>
          ))}
        </select>
      </label>
    </>
  );
}

function Slider({
  label,
  hint,
  unit = "",
  value,
  onChange,
  ...range
}: {
  label: string;
  hint: string;
  unit?: string;
  value: number;
  min: number;
  max: number;
  step: number;
  onChange: (value: number) => void;
}) {
  return (
    <label className="grid gap-1">
      <span className="flex justify-between gap-3">
        {label}
        <span aria-hidden="true" className="font-mono text-sm">
          {value} {unit}
        </span>
      </span>
      <input
        type="range"
        {...range}
        value={value}
        onChange={(event) => onChange(event.target.valueAsNumber)}
      />
      <span className="text-sm text-quiet">{hint}</span>
    </label>
  );
}

function Hertz({
  label,
  value,
  onChange,
}: {
  label: string;
  value: number;
  onChange: (value: number) => void;
}) {
  return (
    <label className="grid gap-1.5">
      {label} (Hz)
      <input
        type="number"
        className="field w-full font-mono"
        min={10}
        max={20000}
        step="any"
        value={value}
        onChange={(event) => {
          if (event.target.valueAsNumber > 0) onChange(event.target.valueAsNumber);
        }}
      />
    </label>
  );
}

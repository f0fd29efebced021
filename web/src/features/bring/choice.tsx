/** What to make of the next songs: model or preset, stems, notes. */
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Model, Preset } from "../../api/client";
import { modelsQuery, presetsQuery } from "../../api/queries";
import { toggled, USUAL, useWish, withModel, withPreset } from "../../state/wish";
import { classes } from "../../text";
import { Notice } from "../../ui/controls";
import { Icon } from "../../ui/icons";

export function Choice() {
  const models = useQuery(modelsQuery);
  const presets = useQuery(presetsQuery);
  const wish = useWish();
  const model = models.data?.find((each) => each.name === wish.model) ?? models.data?.[0];
  return (
    <form
      aria-label="What to make of it"
      className="panel flex min-h-96 flex-col gap-5 p-6"
      onSubmit={(event) => event.preventDefault()}
    >
      {models.error && <Notice kind="bad">{models.error.message}</Notice>}
      {models.data && <Models models={models.data} presets={presets.data ?? []} />}
      {model && <ModelFacts model={model} />}
      {model && <Stems model={model} />}
      <Notes />
    </form>
  );
}

function Models({ models, presets }: { models: Model[]; presets: Preset[] }) {
  const { model, preset, change } = useWish();
  const chosen = preset ? `preset ${preset}` : model;
  const choose = (name: string) => {
    const found = presets.find((each) => `preset ${each.name}` === name);
    change(found ? withPreset(found) : withModel(name));
  };
  return (
    <label className="grid gap-1.5">
      <span className="font-semibold">Model or purpose</span>
      <select className="field w-full" value={chosen} onChange={(e) => choose(e.target.value)}>
        <optgroup label="Models">
          {models.map((each) => (
            <option key={each.name} value={each.name}>
              {each.name}
              {each.present ? "" : " (is fetched first)"}
            </option>
          ))}
        </optgroup>
        <optgroup label="For a purpose">
          {presets.map((each) => (
            <option key={each.name} value={`preset ${each.name}`}>
              {each.name}: {each.purpose}
            </option>
          ))}
        </optgroup>
      </select>
    </label>
  );
}

function ModelFacts({ model }: { model: Model }) {
  return (
    <div className="-mt-2 grid gap-1.5 text-[0.9375rem] text-quiet">
      <p>{model.summary}</p>
      <p>
        {model.stems.length} stems · licence {model.licence}
        {!model.present && " · not on this server yet, so its first song takes longer"}
      </p>
      {model.non_commercial && (
        <p className="text-warn">What it makes may not be used commercially.</p>
      )}
    </div>
  );
}

function Stems({ model }: { model: Model }) {
  const { stems, withRest, change } = useWish();
  return (
    <fieldset className="grid gap-2">
      <legend className="mb-2 font-semibold">Stems</legend>
      <div className="flex flex-wrap gap-2">
        {model.stems.map((stem) => (
          <Chip
            key={stem}
            stem={stem}
            checked={stems?.includes(stem) ?? true}
            onChange={() => change({ stems: toggled(stems, stem, model), preset: null })}
          >
            {stem}
          </Chip>
        ))}
        <Chip
          stem="rest"
          checked={withRest}
          disabled={stems === null}
          onChange={() => change({ withRest: !withRest, preset: null })}
        >
          the rest as one
        </Chip>
      </div>
    </fieldset>
  );
}

function Chip({
  stem,
  checked,
  disabled,
  onChange,
  children,
}: {
  stem: string;
  checked: boolean;
  disabled?: boolean;
  onChange: () => void;
  children: ReactNode;
}) {
  return (
    <label
      data-stem={stem}
      className={classes(
        "inline-flex min-h-9 items-center gap-2 rounded-full border px-3.5 text-[0.9375rem] has-focus-visible:outline-3 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent-text",
        checked ? "border-stem bg-lifted" : "border-line text-quiet",
        disabled && "opacity-50",
      )}
    >
      <input
        type="checkbox"
        className="sr-only"
        checked={checked}
        disabled={disabled}
        onChange={onChange}
      />
      <span
        aria-hidden="true"
        className={classes("size-2.5 rounded-full border-2 border-stem", checked && "bg-stem")}
      />
      {children}
    </label>
  );
}

const GRIDS = ["1/4", "1/8", "1/8T", "1/16", "1/16T", "1/32"] as const;

function Notes() {
  const wish = useWish();
  const { change } = wish;
  return (
    <details className="group mt-auto border-t border-line pt-4">
      <summary className="flex min-h-9 items-center justify-between rounded-lg font-semibold">
        Notes and MIDI
        <span className="flex items-center gap-2 text-[0.9375rem] font-normal text-quiet">
          {wish.midi ? (wish.quantise ? `on ${wish.quantise}` : "as played") : "none"}
          <span className="transition-transform group-open:rotate-180">
            <Icon name="chevron" />
          </span>
        </span>
      </summary>
      <div className="mt-3 grid gap-4">
        <label className="flex items-center gap-3">
          <input
            type="checkbox"
            className="size-5"
            checked={wish.midi}
            onChange={(event) => change({ midi: event.target.checked })}
          />
          Write the notes of each stem as MIDI
        </label>
        <fieldset disabled={!wish.midi} className="grid gap-4 disabled:opacity-50">
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
            <Hertz
              label="Lowest"
              value={wish.lowestHz}
              onChange={(lowestHz) => change({ lowestHz })}
            />
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
        </fieldset>
        <button
          type="button"
          className="justify-self-start rounded text-[0.9375rem] text-quiet underline hover:text-text"
          onClick={() => {
            const { midi, onsetThreshold, minNoteS, lowestHz, highestHz, quantise } = USUAL;
            change({ midi, onsetThreshold, minNoteS, lowestHz, highestHz, quantise });
          }}
        >
          As usual
        </button>
      </div>
    </details>
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
        <output className="font-mono text-sm">
          {value} {unit}
        </output>
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

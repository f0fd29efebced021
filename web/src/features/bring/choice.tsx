/** What to make of the next songs: model or preset, stems, notes. */
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Model, Preset } from "../../api/client";
import { modelsQuery, presetsQuery } from "../../api/queries";
import {
  FORMATS,
  type Format,
  toggled,
  USUAL,
  USUAL_NOTES,
  type Wish,
  withModel,
  withPreset,
} from "../../state/wish";
import { classes, duration, times } from "../../text";
import { Notice } from "../../ui/controls";
import { Icon } from "../../ui/icons";
import { NoteFields } from "./note_fields";

interface Chosen {
  wish: Wish;
  change: (part: Partial<Wish>) => void;
}

/** The form; what is under it acts on what was chosen. */
export function Choice({ wish, change, children }: Chosen & { children?: ReactNode }) {
  const models = useQuery(modelsQuery);
  const presets = useQuery(presetsQuery);
  const model = models.data?.find((each) => each.name === wish.model) ?? models.data?.[0];
  const preset = presets.data?.find((each) => each.name === wish.preset);
  return (
    <form
      aria-label="What to make of it"
      className="panel flex min-h-96 flex-col gap-5 p-6"
      onSubmit={(event) => event.preventDefault()}
    >
      {models.error && <Notice kind="bad">{models.error.message}</Notice>}
      {models.data && (
        <Models models={models.data} presets={presets.data ?? []} wish={wish} change={change} />
      )}
      {model && <ModelFacts model={model} speed={preset ? preset.speed : model.speed} />}
      {model && <Stems model={model} wish={wish} change={change} />}
      <Formats wish={wish} change={change} />
      <Notes wish={wish} change={change} />
      {children}
    </form>
  );
}

function Models({
  models,
  presets,
  wish: { model, preset },
  change,
}: Chosen & { models: Model[]; presets: Preset[] }) {
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
              {each.speed ? `, ${times(each.speed)} real time here` : ""}
              {each.non_commercial ? ", not for commerce" : ""}
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

function ModelFacts({ model, speed }: { model: Model; speed: number | null }) {
  return (
    <div className="-mt-2 grid gap-1.5 text-[0.9375rem] text-quiet">
      <p>{model.summary}</p>
      <p>
        {model.stems.length} stems · licence {model.licence}
        {!model.present && " · not on this server yet, so its first song takes longer"}
      </p>
      <p>{timeText(speed)}</p>
      {model.non_commercial && (
        <p className="text-warn">What it makes may not be used commercially.</p>
      )}
    </div>
  );
}

/** How long a song takes on this server, by what it has measured. */
export function timeText(speed: number | null): string {
  if (!speed) return "How long it takes on this machine is known after its first song.";
  return `As measured on this machine, a song of 4 min takes about ${duration(240 / speed)}.`;
}

function Stems({ model, wish: { stems, withRest }, change }: Chosen & { model: Model }) {
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

function Formats({ wish, change }: Chosen) {
  return (
    <label className="flex items-center justify-between gap-4">
      <span className="font-semibold">Format of the stems</span>
      <select
        className="field"
        value={wish.format}
        onChange={(event) => change({ format: event.target.value as Format })}
      >
        {FORMATS.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function Notes({ wish, change }: Chosen) {
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
          <NoteFields wish={wish} change={change} />
        </fieldset>
        <button
          type="button"
          className="justify-self-start rounded text-[0.9375rem] text-quiet underline hover:text-text"
          onClick={() => {
            change({ midi: USUAL.midi, ...USUAL_NOTES });
          }}
        >
          As usual
        </button>
      </div>
    </details>
  );
}

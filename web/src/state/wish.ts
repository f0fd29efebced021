/** What is wanted of the next songs, and the options that say so. */
import { create } from "zustand";
import { persist } from "zustand/middleware";
import type { Model, Options, Preset } from "../api/client";

export type Format = NonNullable<Options["format"]>;

export const FORMATS: readonly [Format, string][] = [
  ["wav", "WAV, 24 bit"],
  ["flac", "FLAC, 24 bit"],
  ["mp3", "MP3"],
  ["ogg", "Ogg Vorbis"],
  ["opus", "Opus"],
];

/** Steps that notes can be moved to, in parts of a whole note. */
export const GRIDS = ["1/4", "1/4T", "1/8", "1/8T", "1/16", "1/16T", "1/32"] as const;

/** What counts as a note, and where it is put. */
export interface NoteWish {
  onsetThreshold: number;
  /** Least activation that keeps a note sounding. */
  confidence: number;
  minNoteS: number;
  lowestHz: number;
  highestHz: number;
  quantise: (typeof GRIDS)[number] | null;
}

export interface Wish extends NoteWish {
  model: string;
  preset: string | null;
  /** Stems to keep; null keeps all. */
  stems: string[] | null;
  withRest: boolean;
  midi: boolean;
  format: Format;
}

export const USUAL_NOTES: NoteWish = {
  onsetThreshold: 0.5,
  confidence: 0.3,
  minNoteS: 0.125,
  lowestHz: 32.7,
  highestHz: 2093,
  quantise: null,
};

export const USUAL: Wish = {
  model: "lite",
  preset: null,
  stems: null,
  withRest: false,
  midi: true,
  format: "wav",
  ...USUAL_NOTES,
};

interface WishStore extends Wish {
  change(part: Partial<Wish>): void;
}

export const useWish = create<WishStore>()(
  persist((set) => ({ ...USUAL, change: (part) => set(part) }), { name: "unbraid-wish" }),
);

/** The wish with another model: all its stems, for others may not be there. */
export function withModel(model: string): Partial<Wish> {
  return { model, preset: null, stems: null, withRest: false };
}

/** The wish as a preset has it. */
export function withPreset(preset: Preset): Partial<Wish> {
  const { model = USUAL.model, stems = null, with_rest: withRest = false } = preset.options;
  return { preset: preset.name, model, stems, withRest };
}

/** The stems with one more, or without it; all of a model's are null, and none is not possible. */
export function toggled(stems: string[] | null, stem: string, model: Model): string[] | null {
  const kept = stems ?? [...model.stems];
  const next = model.stems.filter((each) => (each === stem) !== kept.includes(each));
  if (next.length === 0) return stems;
  return next.length === model.stems.length ? null : next;
}

/** The part of the options that is about notes. */
export function noteOptions(wish: NoteWish) {
  return {
    transcription: {
      onset_threshold: wish.onsetThreshold,
      frame_threshold: wish.confidence,
      min_note_duration_s: wish.minNoteS,
      min_frequency_hz: wish.lowestHz,
      max_frequency_hz: wish.highestHz,
    },
    quantise: wish.quantise ? { grid: wish.quantise } : null,
  } satisfies Options;
}

/** What notes were asked for by options. */
export function notesOf({ transcription, quantise }: Options): NoteWish {
  const usual = USUAL_NOTES;
  return {
    onsetThreshold: transcription?.onset_threshold ?? usual.onsetThreshold,
    confidence: transcription?.frame_threshold ?? usual.confidence,
    minNoteS: transcription?.min_note_duration_s ?? usual.minNoteS,
    lowestHz: transcription?.min_frequency_hz ?? usual.lowestHz,
    highestHz: transcription?.max_frequency_hz ?? usual.highestHz,
    quantise: GRIDS.find((grid) => grid === quantise?.grid) ?? null,
  };
}

/** What is sent to the server. */
export function asOptions(wish: Wish, preset?: Preset): Options {
  const options: Options = {
    model: wish.model,
    stems: wish.stems,
    with_rest: wish.withRest,
    midi: wish.midi,
    format: wish.format,
    ...noteOptions(wish),
  };
  if (preset?.options.separation) options.separation = preset.options.separation;
  return options;
}

/** The wish that options say. */
export function wishOf(options: Options): Wish {
  return {
    model: options.model ?? USUAL.model,
    preset: null,
    stems: options.stems ? [...options.stems] : null,
    withRest: options.with_rest ?? USUAL.withRest,
    midi: options.midi ?? USUAL.midi,
    format: options.format ?? USUAL.format,
    ...notesOf(options),
  };
}

/** What is wanted of the next songs, and the request that says so. */
import { create } from "zustand";
import { persist } from "zustand/middleware";
import type { JobRequest, Model, Options, Preset } from "../api/client";

type Subdivision = NonNullable<NonNullable<Options["quantise"]>["grid"]>;

export interface Wish {
  model: string;
  preset: string | null;
  /** Stems to keep; null keeps all. */
  stems: string[] | null;
  withRest: boolean;
  midi: boolean;
  onsetThreshold: number;
  minNoteS: number;
  lowestHz: number;
  highestHz: number;
  quantise: Subdivision | null;
}

export const USUAL: Wish = {
  model: "lite",
  preset: null,
  stems: null,
  withRest: false,
  midi: true,
  onsetThreshold: 0.5,
  minNoteS: 0.125,
  lowestHz: 32.7,
  highestHz: 2093,
  quantise: null,
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

/** What is sent to the server. */
export function asRequest(uploadId: string, wish: Wish, preset?: Preset): JobRequest {
  const options: Options = {
    model: wish.model,
    stems: wish.stems,
    with_rest: wish.withRest,
    midi: wish.midi,
    transcription: {
      onset_threshold: wish.onsetThreshold,
      min_note_duration_s: wish.minNoteS,
      min_frequency_hz: wish.lowestHz,
      max_frequency_hz: wish.highestHz,
    },
    quantise: wish.quantise ? { grid: wish.quantise } : null,
  };
  if (preset?.options.separation) options.separation = preset.options.separation;
  return { upload_id: uploadId, options };
}

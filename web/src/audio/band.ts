/** Plays the notes of stems, part by part; loads and samples the instruments when they are needed. */
import type { Note } from "../music/midi";
import { heldBy, mixed, type Part, soundingIn } from "./notes";

const AT_ONCE = 6; // tones that are made in one go, more would hold up the page; each drum by itself
const TAIL_S = 1.5; // for which a drum may sound

export class Band {
  /** Of each stem, the samples of its tones. */
  readonly #samples = new Map<string, Map<number, Float32Array>>();

  constructor(private readonly sampleRate: number) {}

  /** What the notes of a stem sound like in a part of the song, in one channel. */
  async play(
    stem: string,
    notes: readonly Note[],
    part: Part,
    signal: AbortSignal,
  ): Promise<AudioBuffer> {
    const drums = stem === "drums";
    const sounding = soundingIn(notes, part, drums ? TAIL_S : 0.2);
    const samples = await this.#sampled(stem, notes, sounding, signal);
    const sound = mixed(sounding, part, samples, this.sampleRate, drums);
    const buffer = new AudioBuffer({ length: sound.length, sampleRate: this.sampleRate });
    buffer.copyToChannel(sound, 0);
    return buffer;
  }

  async #sampled(
    stem: string,
    notes: readonly Note[],
    sounding: readonly Note[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<number, Float32Array>> {
    const samples = this.#samples.get(stem) ?? new Map<number, Float32Array>();
    this.#samples.set(stem, samples);
    const needed = new Map<number, number>(sounding.map(({ pitch }) => [pitch, 0]));
    for (const note of notes) {
      const held = needed.get(note.pitch);
      if (held !== undefined) needed.set(note.pitch, Math.max(held, heldBy(note)));
    }
    const missing = [...needed]
      .map(([pitch, held]) => ({ pitch, held }))
      .filter(({ pitch, held }) => !lasts(samples.get(pitch), stem, held * this.sampleRate));
    if (missing.length === 0) return samples;
    const { sampled } = await import("./instruments");
    const atOnce = stem === "drums" ? 1 : AT_ONCE;
    for (let k = 0; k < missing.length; k += atOnce) {
      signal.throwIfAborted();
      const tones = missing.slice(k, k + atOnce);
      const made = await sampled(stem, tones, this.sampleRate);
      tones.forEach(({ pitch }, n) => {
        samples.set(pitch, made[n] ?? new Float32Array(0));
      });
    }
    return samples;
  }
}

function lasts(sample: Float32Array | undefined, stem: string, samples: number): boolean {
  return sample !== undefined && (stem === "drums" || sample.length >= Math.round(samples));
}

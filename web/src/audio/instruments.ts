/**
 * The instruments that play the notes of a stem, synthesised by Tone.js.
 *
 * Each tone is rendered once; playing then takes next to nothing, on a phone too.
 */
import "./quiet_tone";
import { setContext } from "tone/build/esm/core/context/GlobalContext.js";
import { OfflineContext } from "tone/build/esm/core/context/OfflineContext.js";
import type { RecursivePartial } from "tone/build/esm/core/util/Interface.js";
import { MembraneSynth } from "tone/build/esm/instrument/MembraneSynth.js";
import { MetalSynth } from "tone/build/esm/instrument/MetalSynth.js";
import { MonoSynth, type MonoSynthOptions } from "tone/build/esm/instrument/MonoSynth.js";
import { NoiseSynth } from "tone/build/esm/instrument/NoiseSynth.js";
import { Synth, type SynthOptions } from "tone/build/esm/instrument/Synth.js";
import { hzOf } from "./notes";

type Voice = (context: OfflineContext) => Synth | MonoSynth;

const synth =
  (options: RecursivePartial<SynthOptions>): Voice =>
  (context) =>
    new Synth({ context }).set(options);
const mono =
  (options: RecursivePartial<MonoSynthOptions>): Voice =>
  (context) =>
    new MonoSynth({ context }).set(options);

/** What plays a stem; a pad where nothing fits better. */
const VOICES: Record<string, Voice> = {
  bass: mono({
    volume: -8,
    oscillator: { type: "sawtooth" },
    envelope: { attack: 0.005, decay: 0.3, sustain: 0.5, release: 0.1 },
    filter: { type: "lowpass", Q: 1, rolloff: -24 },
    filterEnvelope: {
      ...{ attack: 0.005, decay: 0.2, sustain: 0.3, release: 0.1 },
      ...{ baseFrequency: 120, octaves: 3 },
    },
  }),
  vocals: mono({
    volume: -15,
    oscillator: { type: "square4" },
    envelope: { attack: 0.03, decay: 0.1, sustain: 0.8, release: 0.15 },
    filter: { type: "lowpass", Q: 0.7, rolloff: -12 },
    filterEnvelope: {
      ...{ attack: 0.05, decay: 0.2, sustain: 0.7, release: 0.15 },
      ...{ baseFrequency: 500, octaves: 2.5 },
    },
  }),
  piano: synth({
    volume: -14,
    oscillator: { type: "custom", partials: [1, 0.45, 0.3, 0.14, 0.08, 0.05] },
    envelope: { attack: 0.003, decay: 1.4, sustain: 0.05, release: 0.3 },
  }),
  guitar: mono({
    volume: -14,
    oscillator: { type: "sawtooth" },
    envelope: { attack: 0.002, decay: 0.9, sustain: 0.05, release: 0.15 },
    filter: { type: "lowpass", Q: 1, rolloff: -12 },
    filterEnvelope: {
      ...{ attack: 0.001, decay: 0.35, sustain: 0.1, release: 0.15 },
      ...{ baseFrequency: 300, octaves: 4 },
    },
  }),
};
const PAD = synth({
  volume: -16,
  oscillator: { type: "triangle8" },
  envelope: { attack: 0.02, decay: 0.4, sustain: 0.6, release: 0.3 },
});

/** Strikes a drum at a time; how long it sounds is its own matter. */
type Drum = (time: number) => void;

interface Kit {
  decay: number;
  made(context: OfflineContext, to: AudioNode): Drum;
}

const struck = (decay: number) => ({ attack: 0.001, decay, sustain: 0, release: 0.05 });
const membrane = (hz: number, decay: number, volume: number): Kit => ({
  decay,
  made(context, to) {
    const drum = new MembraneSynth({ context }).connect(to);
    drum.set({ volume, octaves: 3, pitchDecay: 0.04, envelope: struck(decay) });
    return (time) => drum.triggerAttackRelease(hz, decay, time);
  },
});
const noise = (decay: number, volume: number): Kit => ({
  decay,
  made(context, to) {
    const drum = new NoiseSynth({ context }).connect(to);
    drum.set({ volume, envelope: struck(decay) });
    return (time) => drum.triggerAttackRelease(decay, time);
  },
});
const metal = (hz: number, decay: number, volume: number): Kit => ({
  decay,
  made(context, to) {
    const drum = new MetalSynth({ context }).connect(to);
    drum.set({ volume, harmonicity: 5.1, modulationIndex: 32, resonance: 6_000, octaves: 1 });
    drum.set({ envelope: struck(decay) });
    return (time) => drum.triggerAttackRelease(hz, decay, time);
  },
});

/** By their keys in General MIDI. */
const KIT: Record<number, Kit> = {
  36: membrane(45, 0.35, -4), // kick
  37: noise(0.04, -14), // side stick
  38: noise(0.18, -10), // snare
  42: metal(250, 0.06, -22), // closed hi-hat
  43: membrane(80, 0.4, -8), // toms
  45: membrane(110, 0.35, -8),
  48: membrane(150, 0.3, -8),
  46: metal(250, 0.35, -22), // open hi-hat
  49: metal(300, 1.2, -22), // crash
  51: metal(400, 0.6, -24), // ride
};

const GAP_S = 0.5; // after which the tone before is silent

/** A tone of an instrument: its key in MIDI, and for how many seconds it is held. */
export interface Tone {
  pitch: number;
  held: number;
}

/** The samples of tones of the instrument that fits a stem, at full velocity; null for no drum. */
export async function sampled(
  stem: string,
  tones: readonly Tone[],
  sampleRate: number,
): Promise<(Float32Array | null)[]> {
  const lengths = tones.map(({ pitch, held }) =>
    stem === "drums" ? (KIT[pitch]?.decay ?? 0) : held,
  );
  const starts: number[] = [];
  let end = 0;
  for (const length of lengths) {
    starts.push(end);
    end += length + GAP_S;
  }
  const whole = new OfflineAudioContext(1, Math.ceil(end * sampleRate), sampleRate);
  const context = new OfflineContext(whole);
  setContext(context); // or Tone.js would open an audio device
  if (stem === "drums") {
    tones.forEach(({ pitch }, k) => {
      KIT[pitch]?.made(context, whole.destination)(starts[k]!);
    });
  } else {
    const voice = (VOICES[stem] ?? PAD)(context).connect(whole.destination);
    tones.forEach(({ pitch }, k) => {
      voice.triggerAttackRelease(hzOf(pitch), lengths[k]!, starts[k]!);
    });
  }
  const heard = (await whole.startRendering()).getChannelData(0);
  return lengths.map((length, k) => {
    const from = Math.round(starts[k]! * sampleRate);
    return length ? heard.slice(from, from + Math.round(length * sampleRate)) : null;
  });
}

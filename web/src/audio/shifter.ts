/**
 * A node that moves the pitch of what goes through it: Signalsmith Stretch, in an audio worklet.
 *
 * Sound that is played at another speed has another pitch; moved back by as much, it has its own.
 */
import moduleUrl from "signalsmith-stretch?url";

export interface Tuning {
  /** Seconds of the song in a second. */
  speed: number;
  /** By how much the song is higher than it was. */
  semitones: number;
}

export const AS_RECORDED: Tuning = { speed: 1, semitones: 0 };

/** Whether a song sounds as it was recorded. */
export const isNeutral = ({ speed, semitones }: Tuning) => speed === 1 && semitones === 0;

/** By how many semitones sound that is played at a speed has to be moved. */
export const shiftOf = ({ speed, semitones }: Tuning) => semitones - 12 * Math.log2(speed);

export interface Shifter {
  readonly node: AudioNode;
  /** Seconds from a sound's coming in to its going out. */
  readonly latency: number;
  /** Is tuned to something else from a time on, at which that is to be heard. */
  tune(tuning: Tuning, time: number): Promise<unknown>;
  /** Computes no longer. */
  rest(): Promise<unknown>;
}

interface StretchNode extends AudioWorkletNode {
  latency(): Promise<number>;
  schedule(change: {
    active: boolean;
    output?: number;
    semitones?: number;
    tonalityHz?: number;
  }): Promise<unknown>;
}

type Create = ((
  context: BaseAudioContext,
  options: AudioWorkletNodeOptions,
) => Promise<StretchNode>) & { moduleUrl: string };

const PATIENCE_MS = 15_000; // where WebAssembly is forbidden, no answer comes
const TONALITY_HZ = 8_000; // above it, a song that is moved keeps the colour of its noises

/** Loads what it takes, of this server's own files. */
export async function createShifter(context: BaseAudioContext): Promise<Shifter> {
  const { default: create }: { default: Create } = await import(/* @vite-ignore */ moduleUrl);
  create.moduleUrl = moduleUrl;
  const options: AudioWorkletNodeOptions = {
    numberOfInputs: 1,
    numberOfOutputs: 1,
    outputChannelCount: [2],
    channelCount: 2,
    channelCountMode: "explicit",
  };
  const node = await Promise.race([create(context, options), tooLate()]);
  // Without anything that sounds, the node would take itself for a player of buffers.
  const silence = new ConstantSourceNode(context, { offset: 0 });
  silence.connect(node);
  silence.start();
  return {
    node,
    latency: await node.latency(),
    tune: (tuning, time) =>
      node.schedule({
        active: true,
        output: time,
        semitones: shiftOf(tuning),
        tonalityHz: tuning.speed === 1 ? TONALITY_HZ : 0, // else all goes back where it was
      }),
    rest: () => node.schedule({ active: false }),
  };
}

function tooLate(): Promise<never> {
  const sentence =
    "This browser cannot change speed and pitch; a current one that allows WebAssembly can.";
  return new Promise((_, reject) => setTimeout(() => reject(new Error(sentence)), PATIENCE_MS));
}

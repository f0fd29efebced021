/**
 * Plays all tracks of a song in step.
 *
 * Chunks of all tracks are decoded a little ahead and started together, each on the sample where
 * the one before ends; a stretch is begun only when all its tracks are there, so that none is ever
 * late. The notes of a track are sounds beside its own, rendered by chunks too; where they are
 * wanted while it plays, they join. Of each track: sources, gains, pan, meter; then their sum, a gate against clicks when
 * playing begins and ends, and the master. At another speed or pitch, a shifter stands between the
 * sum and the gate, and what is shown waits for it.
 */

import type { Note } from "../music/midi";
import { Band } from "./band";
import { type Beat, countIn } from "./count_in";
import { gainsOf } from "./notes";
import { AS_RECORDED, createShifter, isNeutral, type Shifter, type Tuning } from "./shifter";
import { chunkOf, type Song, type Stereo } from "./song";
import {
  chunksAhead,
  cutAt,
  endOf,
  type Loop,
  nextStretch,
  placeAt,
  type Stretch,
} from "./timeline";

export type PlayerState = "paused" | "waiting" | "playing";

export interface TrackSettings {
  /** Gain, 1 for as it is. */
  volume: number;
  /** -1 left to 1 right. */
  pan: number;
  mute: boolean;
  solo: boolean;
  /** From 0, its sound alone, to 1, its notes alone. */
  notes: number;
}

export const AS_IT_IS: TrackSettings = { volume: 1, pan: 0, mute: false, solo: false, notes: 0 };

const AHEAD_S = 10; // of decoded sound at most
const SCHEDULED_S = 4; // of sound that the audio thread has been given at least
const PUMP_MS = 100;
const RETRY_MS = 1_500;
const SOON_S = 0.05; // from a wish to the first sample
const GATE_S = 0.005;
const SMOOTH_S = 0.012; // time constant of changes in volume
const METER_SIZE = 1_024;

interface Play {
  /** When, in seconds of the audio clock. */
  at: number;
  /** Which part of the buffer, in seconds; else all of it. */
  offset?: number;
  duration?: number;
  speed?: number;
}

/** A stretch of which sounds have been given to the graph. */
interface Scheduled extends Stretch {
  /** Null where it was of the same song from elsewhere. */
  readonly chunk: number | null;
  readonly started: Set<string>;
}

interface Channel {
  gain: GainNode;
  notes: GainNode;
  pan: StereoPannerNode;
  meter: AnalyserNode;
}

export class Player {
  readonly #context: BaseAudioContext;
  readonly #sum: GainNode;
  readonly #direct: GainNode;
  readonly #shifted: GainNode;
  readonly #gate: GainNode;
  readonly #master: GainNode;
  readonly #clicks: GainNode;
  readonly #masterMeter: AnalyserNode;
  readonly #channels = new Map<string, Channel>();
  readonly #settings = new Map<string, TrackSettings>();
  readonly #heard = new Float32Array(METER_SIZE);
  readonly #clickSounds: readonly [AudioBuffer, AudioBuffer];
  readonly #onChange: () => void;
  #song: Song;
  #state: PlayerState = "paused";
  #place = 0; // where playing goes on, in samples
  #next = 0; // what is to be scheduled next
  #loop: Loop | null = null;
  #original = false;
  #tuning: Tuning = AS_RECORDED;
  #wantedTuning: Tuning = AS_RECORDED;
  #shifter: Promise<Shifter> | null = null;
  #latency = 0; // of the shifter, in seconds
  #beats: readonly Beat[] = [];
  #counts = false;
  #countsNow = false; // before the stretch that comes next
  readonly #band: Band;
  #notes: ReadonlyMap<string, readonly Note[]> = new Map();
  #stretches: Scheduled[] = [];
  #sources = new Set<AudioBufferSourceNode>();
  #chunks = new Map<number, Map<string, AudioBuffer>>(); // of each sound, a buffer
  #loading = new Map<number, AbortController>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #fault: Error | null = null;
  #notBefore = 0; // when loading may be tried again after a fault, of this page's clock

  /**
   * Makes a player of a song.
   *
   * @param context where to play; its sample rate is that of the song, else the browser resamples.
   * @param onChange is called when the state or the fault changes.
   */
  constructor(context: BaseAudioContext, song: Song, onChange: () => void) {
    this.#context = context;
    this.#song = song;
    this.#onChange = onChange;
    this.#band = new Band(song.sampleRate);
    this.#sum = context.createGain();
    this.#direct = context.createGain();
    this.#shifted = new GainNode(context, { gain: 0 });
    this.#gate = new GainNode(context, { gain: 0 });
    this.#master = context.createGain();
    this.#clicks = new GainNode(context, { gain: 0 });
    this.#masterMeter = new AnalyserNode(context, { fftSize: METER_SIZE });
    this.#sum.connect(this.#direct).connect(this.#gate).connect(this.#master);
    this.#shifted.connect(this.#gate);
    this.#clicks.connect(this.#gate);
    this.#master.connect(this.#masterMeter);
    this.#master.connect(context.destination);
    this.#clickSounds = [click(context, 1_600, 0.5), click(context, 1_066, 0.3)];
    this.#connect();
  }

  get state(): PlayerState {
    return this.#state;
  }

  /** Why there is no sound, if so. */
  get fault(): Error | null {
    return this.#fault;
  }

  get tracks(): readonly string[] {
    return this.#song.tracks;
  }

  /** Length of the song in seconds. */
  get duration(): number {
    return this.#song.length / this.#song.sampleRate;
  }

  /** Seconds that can be played so far. */
  get available(): number {
    return this.#song.available / this.#song.sampleRate;
  }

  /** Where one hears the song, in seconds. */
  get position(): number {
    const context = this.#context as Partial<AudioContext> & BaseAudioContext;
    const delay = context.outputLatency || context.baseLatency || 0;
    return this.#heardAt(context.currentTime - delay) / this.#song.sampleRate;
  }

  /** Takes the same song, at the same rate, from elsewhere; what is scheduled is played. */
  change(song: Song): void {
    this.#forget(() => false);
    this.#song.close();
    this.#song = song;
    this.#stretches = this.#stretches.map((each) => ({ ...each, chunk: null }));
    this.#connect();
    this.#pump();
    this.#onChange();
  }

  play(): void {
    if (this.#state !== "paused") return;
    this.#fault = null;
    if (this.#place >= this.#song.length) this.#place = 0;
    this.#countsNow = this.#counts;
    this.#begin(this.#place);
    this.#timer = setInterval(() => this.#pump(), PUMP_MS);
  }

  pause(): void {
    if (this.#state === "paused") return;
    const end = this.#context.currentTime + GATE_S;
    this.#place = Math.round(this.#heardAt(end));
    this.#stop(end);
    this.#rest();
  }

  /** Goes to a place, in seconds. */
  seek(seconds: number): void {
    const last = Math.max(0, this.#song.length - 1);
    const place = Math.round(seconds * this.#song.sampleRate);
    this.#place = Math.min(Math.max(0, place), last);
    if (this.#state !== "paused") this.#again(this.#place);
    else this.#onChange();
  }

  /** Repeats a part, in seconds; null for none. */
  setLoop(loop: { start: number; end: number } | null): void {
    const rate = this.#song.sampleRate;
    this.#loop = loop && {
      start: Math.round(loop.start * rate),
      end: Math.round(loop.end * rate),
    };
    if (this.#state !== "paused") {
      this.#again(Math.round(this.#heardAt(this.#context.currentTime + SOON_S)));
    }
  }

  /** Plays slower or faster, higher or lower, each without the other; as soon as that is loaded. */
  async setTuning(tuning: Tuning): Promise<void> {
    this.#wantedTuning = tuning;
    try {
      const shifter = await this.#shifterFor(tuning);
      if (this.#wantedTuning === tuning && shifter) await this.#tune(tuning, shifter);
    } catch (error) {
      this.#shifter = null;
      this.#fault = error instanceof Error ? error : new Error(String(error));
      this.#onChange();
    }
  }

  setTrack(name: string, settings: TrackSettings): void {
    this.#settings.set(name, settings);
    this.#balance();
    this.#pump();
  }

  /** What the notes of each track are, where it has some. */
  setNotes(notes: ReadonlyMap<string, readonly Note[]>): void {
    const changed = [...notes].filter(([track, its]) => its !== this.#notes.get(track));
    const gone = [...this.#notes.keys()].filter((track) => !notes.has(track));
    this.#notes = notes;
    const stale = [...changed.map(([track]) => track), ...gone].map(notesOf);
    if (stale.length === 0) return;
    for (const sounds of this.#chunks.values()) for (const name of stale) sounds.delete(name);
    this.#abandon(() => false);
    this.#balance();
    const sounding = stale.some((name) => this.#stretches.some((each) => each.started.has(name)));
    if (sounding) this.#again(Math.round(this.#heardAt(this.#context.currentTime + SOON_S)));
    else this.#pump();
  }

  setMaster(volume: number): void {
    this.#glide(this.#master.gain, volume);
  }

  /** The song as it was: all tracks as they are, whatever the mix. */
  setOriginal(original: boolean): void {
    this.#original = original;
    this.#balance();
  }

  /** A click on each of these beats, for which `setClick` gives the volume. */
  setBeats(beats: readonly Beat[]): void {
    this.#beats = beats;
  }

  /** Whether a bar of clicks goes before what `play` begins. */
  setCountIn(counts: boolean): void {
    this.#counts = counts;
  }

  setClick(volume: number): void {
    this.#glide(this.#clicks.gain, volume);
  }

  /** How loud a track is now, or all of them: the highest sample of the last moment. */
  level(track?: string): number {
    const meter = track === undefined ? this.#masterMeter : this.#channels.get(track)?.meter;
    if (!meter || this.#state !== "playing") return 0;
    meter.getFloatTimeDomainData(this.#heard);
    return this.#heard.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  }

  /** Tells that more of a growing song can be had. */
  more(): void {
    if (this.#state !== "paused") this.#pump();
    this.#onChange();
  }

  close(): void {
    this.#stop(this.#context.currentTime);
    this.#forget(() => false);
    clearInterval(this.#timer);
    this.#song.close();
    this.#master.disconnect();
  }

  #connect(): void {
    for (const [track, { gain, notes, pan, meter }] of this.#channels) {
      if (this.#song.tracks.includes(track)) continue;
      for (const node of [gain, notes, pan, meter]) node.disconnect();
      this.#channels.delete(track);
    }
    for (const track of this.#song.tracks) {
      if (this.#channels.has(track)) continue;
      const gain = new GainNode(this.#context);
      const stereo = { channelCount: 2, channelCountMode: "explicit" } as const;
      const notes = new GainNode(this.#context, stereo); // else panning would make them quieter
      const pan = new StereoPannerNode(this.#context);
      const meter = new AnalyserNode(this.#context, { fftSize: METER_SIZE });
      gain.connect(pan).connect(this.#sum);
      notes.connect(pan);
      pan.connect(meter);
      this.#channels.set(track, { gain, notes, pan, meter });
      const wanted = this.#wanted(track);
      gain.gain.value = wanted.sound;
      notes.gain.value = wanted.notes;
      pan.pan.value = wanted.pan;
    }
  }

  #balance(): void {
    for (const [track, { gain, notes, pan }] of this.#channels) {
      const wanted = this.#wanted(track);
      this.#glide(gain.gain, wanted.sound);
      this.#glide(notes.gain, wanted.notes);
      this.#glide(pan.pan, wanted.pan);
    }
  }

  /** Gains and panning of a track, in view of what is solo. */
  #wanted(track: string): { sound: number; notes: number; pan: number } {
    const settings = this.#settings.get(track) ?? AS_IT_IS;
    const { volume, pan, mute, solo } = settings;
    if (this.#original) return { sound: 1, notes: 0, pan: 0 };
    const alone = this.#song.tracks.some((each) => this.#settings.get(each)?.solo);
    const silent = mute || (alone && !solo);
    const gain = silent ? 0 : volume;
    const { sound, notes } = gainsOf(this.#notes.has(track) ? settings.notes : 0);
    return { sound: gain * sound, notes: gain * notes, pan };
  }

  /** The sounds that are wanted: the tracks, and the notes of those of which they are heard. */
  #wantedSounds(): string[] {
    const { tracks } = this.#song;
    const played = tracks.filter(
      (track) => this.#notes.has(track) && (this.#settings.get(track)?.notes ?? 0) > 0,
    );
    return [...tracks, ...played.map(notesOf)];
  }

  #glide(value: AudioParam, target: number): void {
    value.cancelScheduledValues(this.#context.currentTime);
    if (this.#state === "paused") value.value = target;
    else value.setTargetAtTime(target, this.#context.currentTime, SMOOTH_S);
  }

  /** Loads the shifter when it is needed for the first time. */
  #shifterFor(tuning: Tuning): Promise<Shifter> | null {
    if (!isNeutral(tuning)) {
      this.#shifter ??= createShifter(this.#context).then((shifter) => {
        this.#sum.connect(shifter.node).connect(this.#shifted);
        return shifter;
      });
    }
    return this.#shifter;
  }

  async #tune(tuning: Tuning, shifter: Shifter): Promise<void> {
    const before = this.#tuning;
    const paused = this.#state === "paused";
    const now = this.#context.currentTime;
    const at = paused ? now : onSample(now + SOON_S, this.#context.sampleRate);
    const neutral = isNeutral(tuning);
    const tuned = neutral ? shifter.rest() : shifter.tune(tuning, at + shifter.latency);
    this.#tuning = tuning;
    if (neutral === isNeutral(before)) {
      if (!paused && tuning.speed !== before.speed) this.#bend(at);
    } else {
      const place = Math.round(this.#heardAt(at));
      this.#direct.gain.setValueAtTime(neutral ? 1 : 0, at);
      this.#shifted.gain.setValueAtTime(neutral ? 0 : 1, at);
      this.#latency = neutral ? 0 : shifter.latency;
      if (!paused) this.#again(place);
    }
    await tuned;
  }

  /** Goes on at another speed from a time on, without a gap. */
  #bend(time: number): void {
    const rate = this.#song.sampleRate;
    const kept = cutAt(this.#stretches, time, rate);
    const last = kept.at(-1);
    if (!last || onSample(endOf(last, rate), this.#context.sampleRate) < time) {
      this.#again(Math.round(this.#heardAt(time)));
      return;
    }
    this.#next = this.#placeAt(time);
    this.#silence(time);
    this.#stretches = kept;
    this.#pump();
  }

  /** Which place is given to the graph at a time. */
  #placeAt(time: number): number {
    if (this.#state === "paused") return this.#place;
    return placeAt(this.#stretches, time, this.#song.sampleRate) ?? this.#place;
  }

  /** Which place is heard at a time. */
  #heardAt(time: number): number {
    return this.#placeAt(time - this.#latency);
  }

  #begin(place: number): void {
    this.#place = place;
    this.#next = place;
    this.#stretches = [];
    this.#set("waiting");
    this.#pump();
  }

  /** Goes on from another place at once. */
  #again(place: number): void {
    this.#countsNow = false;
    this.#stop(onSample(this.#context.currentTime + SOON_S, this.#context.sampleRate));
    this.#begin(place);
  }

  #stop(time: number): void {
    const { currentTime } = this.#context;
    const gain = this.#gate.gain;
    gain.cancelScheduledValues(currentTime);
    gain.setValueAtTime(gain.value, Math.max(currentTime, time - GATE_S));
    gain.linearRampToValueAtTime(0, time);
    this.#silence(time);
    this.#stretches = [];
  }

  #silence(time: number): void {
    for (const source of this.#sources) source.stop(time);
    this.#sources.clear();
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#stretches = [];
    this.#forget(() => false);
    this.#set("paused");
  }

  #set(state: PlayerState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#onChange();
  }

  /** Schedules what is there, has loaded what comes, and notices the end. */
  #pump(): void {
    if (this.#state === "paused") return;
    const { currentTime } = this.#context;
    const rate = this.#song.sampleRate;
    for (;;) {
      const last = this.#stretches.at(-1);
      const until = last ? onSample(endOf(last, rate), this.#context.sampleRate) : 0;
      if (last && until > currentTime + SCHEDULED_S) break;
      const { chunkLength, available } = this.#song;
      const next = nextStretch(this.#next, chunkLength, available, this.#loop);
      if (!next || !this.#has(next.chunk)) {
        if (until + this.#latency <= currentTime) this.#dry(last);
        break;
      }
      const late = until < currentTime + SOON_S / 2;
      const soon = currentTime + SOON_S;
      const from = late ? this.#countFrom(soon, next.from / rate) : until;
      const at = onSample(from, this.#context.sampleRate);
      const { speed } = this.#tuning;
      this.#schedule({ ...next, at, speed, started: new Set() }, late);
    }
    for (const stretch of this.#stretches) this.#startSounds(stretch);
    this.#load();
  }

  /** There is nothing to play now: the song is over, or it has not come yet. */
  #dry(last: Stretch | undefined): void {
    const { length, available } = this.#song;
    if (this.#next >= length && available >= length) {
      this.#place = 0;
      this.#rest();
      return;
    }
    if (last) {
      this.#place = this.#next;
      this.#stretches = [];
    }
    this.#set("waiting");
  }

  #schedule(stretch: Scheduled, fresh: boolean): void {
    const { sampleRate } = this.#song;
    const duration = stretch.length / sampleRate;
    if (fresh) {
      const gain = this.#gate.gain;
      const heard = stretch.at + this.#latency;
      gain.setValueAtTime(0, heard);
      gain.linearRampToValueAtTime(1, heard + GATE_S);
    }
    const first = stretch.from / sampleRate;
    for (const beat of this.#beats) {
      if (beat.time >= first && beat.time < first + duration) {
        const sound = this.#clickSounds[beat.first ? 0 : 1];
        const at = stretch.at + (beat.time - first) / stretch.speed + this.#latency;
        this.#start(sound, this.#clicks, { at });
      }
    }
    const since = this.#context.currentTime - 1;
    const old = this.#stretches.filter((each) => endOf(each, sampleRate) > since);
    this.#stretches = [...old, stretch];
    this.#next = stretch.from + stretch.length;
    this.#set("playing");
  }

  /** Has what there is of a stretch sound, from its beginning or from now on. */
  #startSounds(stretch: Scheduled): void {
    const { sampleRate, chunkLength } = this.#song;
    const { currentTime } = this.#context;
    const { chunk, speed } = stretch;
    if (chunk === null) return;
    const soon = onSample(currentTime + SOON_S, this.#context.sampleRate);
    const at = stretch.at < currentTime ? soon : stretch.at;
    const gone = (at - stretch.at) * speed;
    const offset = (stretch.from - chunk * chunkLength) / sampleRate + gone;
    const duration = stretch.length / sampleRate - gone;
    if (duration <= 0) return;
    const play = { at, offset, duration, speed };
    const to = new Map<string, GainNode>();
    for (const [track, { gain, notes }] of this.#channels) {
      to.set(track, gain).set(notesOf(track), notes);
    }
    for (const [name, buffer] of this.#chunks.get(chunk) ?? []) {
      const channel = to.get(name);
      if (!channel || stretch.started.has(name)) continue;
      stretch.started.add(name);
      this.#start(buffer, channel, play);
    }
  }

  /** Counts in from a time on, if so wanted; gives when that is over. */
  #countFrom(time: number, place: number): number {
    const count = this.#countsNow ? countIn(place, this.#beats) : null;
    this.#countsNow = false;
    if (!count) return time;
    const { speed } = this.#tuning;
    for (const beat of count.clicks) {
      const at = time + beat.time / speed + this.#latency;
      this.#start(this.#clickSounds[beat.first ? 0 : 1], this.#master, { at });
    }
    return time + count.lead / speed;
  }

  #start(
    buffer: AudioBuffer,
    to: AudioNode,
    { at, offset = 0, duration = buffer.duration, speed = 1 }: Play,
  ): void {
    const source = new AudioBufferSourceNode(this.#context, { buffer, playbackRate: speed });
    source.connect(to);
    source.start(at, offset, duration);
    this.#sources.add(source);
    source.onended = () => {
      this.#sources.delete(source);
      source.disconnect();
    };
  }

  /** Decodes what will be played soon, the next first, and forgets the rest. */
  #load(): void {
    const { chunkLength, available, sampleRate } = this.#song;
    const ahead = AHEAD_S * sampleRate;
    const wanted = chunksAhead(this.#next, ahead, chunkLength, available, this.#loop);
    const now = this.#stretches
      .filter((each) => endOf(each, sampleRate) > this.#context.currentTime)
      .flatMap((each) => each.chunk ?? []);
    this.#forget((chunk) => now.includes(chunk) || wanted.includes(chunk));
    if (performance.now() < this.#notBefore) return;
    const chunk = [...now, ...wanted].find((each) => !this.#has(each));
    if (chunk === undefined || this.#loading.size > 0) return;
    const stop = new AbortController();
    this.#loading.set(chunk, stop);
    const sounds = this.#chunks.get(chunk) ?? new Map<string, AudioBuffer>();
    const missing = this.#wantedSounds().filter((name) => !sounds.has(name));
    Promise.all(missing.map((name) => this.#fetch(name, chunk, stop.signal)))
      .then((all) => {
        if (stop.signal.aborted) return;
        missing.forEach((name, k) => {
          sounds.set(name, all[k]!);
        });
        this.#chunks.set(chunk, sounds);
        this.#fault = null;
      })
      .catch((error: unknown) => {
        if (stop.signal.aborted) return;
        this.#fault = error instanceof Error ? error : new Error(String(error));
        this.#notBefore = performance.now() + RETRY_MS;
        this.#onChange();
      })
      .finally(() => {
        if (this.#loading.get(chunk) !== stop) return;
        this.#loading.delete(chunk);
        this.#pump();
      });
  }

  /** Whether all sounds of a chunk are there. */
  #has(chunk: number): boolean {
    const sounds = this.#chunks.get(chunk);
    return sounds !== undefined && this.#wantedSounds().every((name) => sounds.has(name));
  }

  async #fetch(name: string, chunk: number, signal: AbortSignal): Promise<AudioBuffer> {
    const song = this.#song;
    if (song.tracks.includes(name)) return this.#buffer(await song.load(name, chunk, signal));
    const track = song.tracks.find((each) => notesOf(each) === name)!;
    const [start, end] = chunkOf(song, chunk).map((samples) => samples / song.sampleRate);
    const part = { start: start!, end: end! };
    return this.#band.play(track, this.#notes.get(track) ?? [], part, signal);
  }

  #buffer([left, right]: Stereo): AudioBuffer {
    const sound = new AudioBuffer({
      length: Math.max(1, left.length),
      numberOfChannels: 2,
      sampleRate: this.#song.sampleRate,
    });
    sound.getChannelData(0).set(left);
    sound.getChannelData(1).set(right);
    return sound;
  }

  #forget(keep: (chunk: number) => boolean): void {
    for (const chunk of this.#chunks.keys()) if (!keep(chunk)) this.#chunks.delete(chunk);
    this.#abandon(keep);
  }

  #abandon(keep: (chunk: number) => boolean): void {
    for (const [chunk, stop] of this.#loading) {
      if (keep(chunk)) continue;
      stop.abort();
      this.#loading.delete(chunk);
    }
  }
}

/** What the sound of a track's notes is called. */
const notesOf = (track: string) => `notes of ${track}`;

/** The time of the sample that is nearest. */
function onSample(time: number, sampleRate: number): number {
  return Math.round(time * sampleRate) / sampleRate;
}

/** A short tone that dies away. */
function click(context: BaseAudioContext, hz: number, volume: number): AudioBuffer {
  const { sampleRate } = context;
  const sound = new AudioBuffer({ length: Math.round(0.04 * sampleRate), sampleRate });
  const samples = sound.getChannelData(0);
  for (let i = 0; i < samples.length; i += 1) {
    const time = i / sampleRate;
    samples[i] = volume * Math.sin(2 * Math.PI * hz * time) * Math.exp(-time * 110);
  }
  return sound;
}

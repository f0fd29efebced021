/** What the hands are on while a song plays; the sound itself is the player's matter. */
import { createStore, type StoreApi } from "zustand";
import { persist } from "zustand/middleware";
import type { Beat } from "../audio/count_in";
import { AS_IT_IS, Player, type PlayerState, type TrackSettings } from "../audio/player";
import { AS_RECORDED, type Tuning } from "../audio/shifter";
import type { Song } from "../audio/song";
import { snap } from "../audio/timeline";
import type { Note } from "../music/midi";

export interface Span {
  /** In seconds. */
  start: number;
  end: number;
}

export interface DeskState {
  state: PlayerState;
  tracks: readonly string[];
  /** The tracks that have notes. */
  noted: readonly string[];
  settings: Readonly<Record<string, TrackSettings>>;
  master: number;
  /** Whether the song is heard as it was, whatever the mix. */
  original: boolean;
  click: boolean;
  /** Whether a bar of clicks goes before what is played. */
  countIn: boolean;
  tuning: Tuning;
  /** The part that is repeated, while `looping`. */
  loop: Span | null;
  looping: boolean;
  /** In seconds. */
  duration: number;
  available: number;
  fault: string | null;
}

const NOTHING: DeskState = {
  state: "paused",
  tracks: [],
  noted: [],
  settings: {},
  master: 1,
  original: false,
  click: false,
  countIn: false,
  tuning: AS_RECORDED,
  loop: null,
  looping: false,
  duration: 0,
  available: 0,
  fault: null,
};

const LEAST_LOOP_S = 0.2;

export const SPEEDS = { least: 0.5, most: 1.5, step: 0.05 };
export const SEMITONES = { least: -12, most: 12, step: 1 };

/** What stays as it is from song to song. */
const habits = createStore(persist(() => ({ countIn: false }), { name: "unbraid-desk" }));

export class Desk {
  readonly store: StoreApi<DeskState> = createStore(() => ({ ...NOTHING, ...habits.getState() }));
  #context: AudioContext | null = null;
  #player: Player | null = null;
  #beats: readonly Beat[] = [];
  #notes: ReadonlyMap<string, readonly Note[]> = new Map();
  #tuned: Promise<void> | undefined;

  get state(): DeskState {
    return this.store.getState();
  }

  /** Where one hears the song, in seconds. */
  get position(): number {
    return this.#player?.position ?? 0;
  }

  /** Puts a song on the desk; one that is there already goes on from this source. */
  open(song: Song): void {
    if (this.#player) this.#player.change(song);
    else {
      this.#context = new AudioContext({ sampleRate: song.sampleRate, latencyHint: "playback" });
      this.#player = new Player(this.#context, song, () => this.#tell());
      this.#player.setBeats(this.#beats);
      this.#player.setNotes(this.#notes);
      this.#player.setCountIn(this.state.countIn);
    }
    this.#tell();
  }

  close(): void {
    this.#player?.close();
    void this.#context?.close();
    this.#player = null;
    this.#context = null;
  }

  /** More of a growing song can be had. */
  more(): void {
    this.#player?.more();
  }

  toggle(): void {
    if (this.state.state === "paused") void this.play();
    else this.#player?.pause();
  }

  async play(): Promise<void> {
    await this.#context?.resume();
    await this.#tuned;
    this.#player?.play();
  }

  pause(): void {
    this.#player?.pause();
  }

  seek(seconds: number): void {
    this.#player?.seek(seconds);
  }

  setBeats(beats: readonly Beat[]): void {
    this.#beats = beats;
    this.#player?.setBeats(beats);
  }

  /** What the notes of each track are, where it has some. */
  setNotes(notes: ReadonlyMap<string, readonly Note[]>): void {
    this.#notes = new Map([...notes].filter(([, its]) => its.length > 0));
    this.store.setState({ noted: [...this.#notes.keys()] });
    this.#player?.setNotes(this.#notes);
  }

  /** The balance of sound and notes of all tracks. */
  setAllNotes(balance: number): void {
    for (const track of this.state.tracks) this.change(track, { notes: balance });
  }

  change(track: string, part: Partial<TrackSettings>): void {
    const settings = { ...(this.state.settings[track] ?? AS_IT_IS), ...part };
    this.store.setState({ settings: { ...this.state.settings, [track]: settings } });
    this.#player?.setTrack(track, settings);
  }

  setMaster(master: number): void {
    this.store.setState({ master });
    this.#player?.setMaster(master);
  }

  setOriginal(original: boolean): void {
    this.store.setState({ original });
    this.#player?.setOriginal(original);
  }

  setClick(click: boolean): void {
    this.store.setState({ click });
    this.#player?.setClick(click ? 1 : 0);
  }

  /** A bar of clicks before what is played; also the next time. */
  setCountIn(countIn: boolean): void {
    this.store.setState({ countIn });
    habits.setState({ countIn });
    this.#player?.setCountIn(countIn);
  }

  /** Plays slower or faster, higher or lower, each without the other. */
  tune(part: Partial<Tuning>): void {
    const wanted = { ...this.state.tuning, ...part };
    const tuning = {
      speed: onStep(wanted.speed, SPEEDS),
      semitones: onStep(wanted.semitones, SEMITONES),
    };
    this.store.setState({ tuning });
    this.#tuned = this.#player?.setTuning(tuning);
  }

  /** Shows which part would be repeated. */
  sketchLoop(loop: Span): void {
    this.store.setState({ loop });
  }

  /** Repeats a part from beat to beat; null for none. */
  setLoop(span: Span | null): void {
    const times = this.#beats.map((beat) => beat.time);
    const loop = span && { start: snap(span.start, times), end: snap(span.end, times) };
    const whole = loop && loop.end - loop.start >= LEAST_LOOP_S ? loop : null;
    this.store.setState({ loop: whole, looping: whole !== null });
    this.#player?.setLoop(whole);
  }

  /** Repeats the part that was chosen last, or the next four bars; or no longer. */
  toggleLoop(): void {
    const { loop, looping, duration } = this.state;
    if (looping) {
      this.store.setState({ looping: false });
      this.#player?.setLoop(null);
    } else if (loop) this.setLoop(loop);
    else {
      const bars = this.#beats.filter((beat) => beat.first).map((beat) => beat.time);
      const k = bars.findLastIndex((time) => time <= this.position + 0.02);
      const start = bars[k] ?? this.position;
      this.setLoop({ start, end: bars[k + 4] ?? Math.min(duration, start + 8) });
    }
  }

  level(track?: string): number {
    return this.#player?.level(track) ?? 0;
  }

  #tell(): void {
    const player = this.#player;
    if (!player) return;
    const { state, tracks, duration, available } = player;
    const fault = player.fault?.message ?? null;
    this.store.setState({ state, tracks, duration, available, fault });
  }
}

function onStep(value: number, { least, most, step }: typeof SPEEDS): number {
  const stepped = Math.round(Math.round(value / step) * step * 100) / 100;
  return Math.min(most, Math.max(least, stepped));
}

/** The balance of sound and notes that tracks have in common, else the mean. */
export function balanceOf({ noted, settings }: DeskState): number {
  const balances = noted.map((track) => settings[track]?.notes ?? 0);
  return balances.reduce((sum, each) => sum + each, 0) / Math.max(1, balances.length);
}

/** How each track goes into the mix that is heard, as the server takes it. */
export function mixOf({ tracks, settings, original }: DeskState) {
  const alone = tracks.some((track) => settings[track]?.solo);
  const faders = tracks.map((track) => {
    const { volume, pan, mute, solo } = settings[track] ?? AS_IT_IS;
    const silent = mute || (alone && !solo) || volume === 0;
    const fader = { gain_db: toDb(volume), pan, mute: silent };
    return [track, original ? { gain_db: 0, pan: 0, mute: false } : fader] as const;
  });
  return Object.fromEntries(faders);
}

/** Decibels of a gain; the lowest is silence. */
export const SILENCE_DB = -48;
export const toDb = (gain: number) =>
  gain <= 0 ? SILENCE_DB : Math.max(SILENCE_DB, 20 * Math.log10(gain));
export const toGain = (db: number) => (db <= SILENCE_DB ? 0 : 10 ** (db / 20));

/** Spectrograms in tiles, fetched where they are looked at. */
import type { components } from "../api/schema";

/** Bytes of a column, the lowest tones first. */
export const BANDS = 128;
export const TILE_COLUMNS = 256;
const MOST_TILES = 400; // 13 MB
const MEL_BREAK = 15;

export type Waveform = components["schemas"]["WaveformView"];

/** Fetches the columns from one to before another of a track in a zoom. */
export type FetchColumns = (
  track: string,
  samplesPerColumn: number,
  from: number,
  to: number,
) => Promise<Uint8Array>;

export interface Tile {
  /** Levels [column, band], 255 for full scale and 5 for each 2 dB. */
  data: Uint8Array;
  columns: number;
  /** Seconds. */
  start: number;
  end: number;
}

export class Spectrograms {
  /** The loudest byte of the song. */
  readonly loudest: number;
  readonly #tracks: ReadonlyMap<string, Waveform>;
  readonly #fetch: FetchColumns;
  readonly #tiles = new Map<string, Tile | null>();
  readonly #wakes = new Set<() => void>();

  constructor(waveforms: readonly Waveform[], fetch: FetchColumns) {
    this.#tracks = new Map(waveforms.map((each) => [each.name, each]));
    this.#fetch = fetch;
    this.loudest = Math.max(1, ...waveforms.map((each) => each.spectrogram?.loudest ?? 1));
  }

  has(track: string): boolean {
    return Boolean(this.#tracks.get(track)?.spectrogram);
  }

  /** Calls when there is more to be seen; the answer ends that. */
  readonly subscribe = (wake: () => void): (() => void) => {
    this.#wakes.add(wake);
    return () => void this.#wakes.delete(wake);
  };

  /** What there is to be seen between two moments, the coarser first; fetches what is missing. */
  tiles(track: string, from: number, to: number, width: number): Tile[] {
    const waveform = this.#tracks.get(track);
    if (!waveform?.spectrogram) return [];
    const levels = [...waveform.spectrogram.levels].reverse();
    const wanted = levelFor(
      levels.map((each) => each.samples_per_column),
      ((to - from) * waveform.sample_rate) / width,
    );
    const found: Tile[] = [];
    for (const { samples_per_column: level, columns } of levels) {
      if (level < wanted) break;
      const perSecond = waveform.sample_rate / level;
      const first = Math.max(0, Math.floor((from * perSecond) / TILE_COLUMNS));
      const last = Math.min(columns - 1, Math.ceil(to * perSecond)) / TILE_COLUMNS;
      const shown: (Tile | null)[] = [];
      for (let number = first; number <= last; number += 1) {
        shown.push(this.#tile(waveform, level, columns, number, level === wanted));
      }
      if (level === wanted && shown.every(Boolean)) found.length = 0;
      for (const tile of shown) if (tile) found.push(tile);
    }
    return found;
  }

  #tile(of: Waveform, level: number, columns: number, number: number, fetch: boolean): Tile | null {
    const key = `${of.name} ${level} ${number}`;
    const known = this.#tiles.get(key);
    if (known) {
      this.#tiles.delete(key); // those not looked at for longest are first
      this.#tiles.set(key, known);
    } else if (known === undefined && fetch) {
      this.#tiles.set(key, null);
      const from = number * TILE_COLUMNS;
      const to = Math.min(columns, from + TILE_COLUMNS);
      const finest = of.spectrogram!.levels[0]!.samples_per_column;
      const moment = (column: number) => (column * level - finest / 2) / of.sample_rate;
      this.#fetch(of.name, level, from, to).then(
        (data) => {
          this.#tiles.set(key, {
            data,
            columns: to - from,
            start: moment(from),
            end: moment(to),
          });
          if (this.#tiles.size > MOST_TILES) this.#tiles.delete(this.#tiles.keys().next().value!);
          for (const wake of this.#wakes) wake();
        },
        () => this.#tiles.delete(key), // the next look asks again
      );
    }
    return known ?? null;
  }
}

/** The coarsest zoom with a column for every two pixels at least, of zooms from coarse to fine. */
export function levelFor(levels: readonly number[], samplesPerPixel: number): number {
  return levels.find((level) => level <= 2 * samplesPerPixel) ?? levels.at(-1)!;
}

/** Where a frequency is among the bands, from 0 to 1: mel after Slaney, up to a highest one. */
export function heightOf(hz: number, highest: number): number {
  return mel(hz) / mel(highest);
}

function mel(hz: number): number {
  return hz < 1_000 ? (3 * hz) / 200 : MEL_BREAK + (27 * Math.log(hz / 1_000)) / Math.log(6.4);
}

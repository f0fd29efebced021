/** The bar of clicks that goes before a song, in its tempo and on its beats. */

export interface Beat {
  /** In seconds. */
  time: number;
  first: boolean;
}

export interface CountIn {
  /** Seconds of the song from the first click to where it begins. */
  lead: number;
  /** Seconds of the song after the first click, and whether a bar begins with it. */
  clicks: readonly Beat[];
}

const BEATS_OF_A_BAR = 4; // where bars are not known
const NEAR = 0.05; // of a beat

/** Counts in to a place, in seconds; null where no beats are known. */
export function countIn(place: number, beats: readonly Beat[]): CountIn | null {
  if (beats.length < 2) return null;
  const after = beats.findIndex((beat) => beat.time >= place);
  const k = Math.min(Math.max(1, after < 0 ? beats.length - 1 : after), beats.length - 1);
  const each = beats[k]!.time - beats[k - 1]!.time;
  const firsts = beats.flatMap((beat, n) => (beat.first ? [n] : []));
  const bar = firsts.findLastIndex((n, at) => at < firsts.length - 1 && (n <= k || at === 0));
  const count = bar < 0 ? BEATS_OF_A_BAR : firsts[bar + 1]! - firsts[bar]!;
  const start = firsts[Math.max(0, bar)] ?? 0;
  // Beats go on evenly to both sides: the next one is this many from the k-th.
  const next = Math.ceil((place - beats[k]!.time) / each - NEAR);
  const toNext = beats[k]!.time + next * each - place;
  const clicks = Array.from({ length: count }, (_, i) => ({
    time: i * each,
    first: mod(k + next - count + i - start, count) === 0,
  }));
  return { lead: Math.max(0, count * each - toNext), clicks };
}

function mod(value: number, by: number): number {
  return ((value % by) + by) % by;
}

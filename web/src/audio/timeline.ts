/** Which moments of a song are heard when: stretches of it, one after another, also in a loop. */

export interface Stretch {
  /** When it begins, in seconds of the audio clock. */
  at: number;
  /** Where it begins in the song, in samples. */
  from: number;
  /** How much of the song it is, in samples. */
  length: number;
  /** Seconds of the song in a second. */
  speed: number;
}

export interface Loop {
  /** In samples of the song. */
  start: number;
  end: number;
}

/** The next stretch of a song from a place on: to the end of its chunk, of the loop or of what is there. */
export function nextStretch(
  place: number,
  chunkLength: number,
  available: number,
  loop: Loop | null,
): { chunk: number; from: number; length: number } | null {
  const from = loop && place >= loop.end ? loop.start : place;
  if (from >= available) return null;
  const chunk = Math.floor(from / chunkLength);
  const ends = [(chunk + 1) * chunkLength, available];
  if (loop && from < loop.end) ends.push(loop.end);
  return { chunk, from, length: Math.min(...ends) - from };
}

/** The chunks that playing from a place needs within a number of samples, in that order. */
export function chunksAhead(
  place: number,
  ahead: number,
  chunkLength: number,
  available: number,
  loop: Loop | null,
): number[] {
  const chunks: number[] = [];
  let left = ahead;
  let at = place;
  while (left > 0) {
    const next = nextStretch(at, chunkLength, available, loop);
    if (!next) break;
    if (!chunks.includes(next.chunk)) chunks.push(next.chunk);
    else if (loop) break; // once around
    left -= next.length;
    at = next.from + next.length;
    if (loop && at >= loop.end) at = loop.end;
  }
  return chunks;
}

/** Where in the song one is at a time, in samples; null before the first stretch. */
export function placeAt(
  stretches: readonly Stretch[],
  time: number,
  samplesPerSecond: number,
): number | null {
  let now: Stretch | null = null;
  for (const stretch of stretches) if (stretch.at <= time) now = stretch;
  if (!now) return null;
  return now.from + Math.min(now.length, (time - now.at) * now.speed * samplesPerSecond);
}

/** When a stretch is over. */
export function endOf(stretch: Stretch, samplesPerSecond: number): number {
  return stretch.at + stretch.length / (stretch.speed * samplesPerSecond);
}

/** The stretches up to a time, the last of them cut there. */
export function cutAt<S extends Stretch>(
  stretches: readonly S[],
  time: number,
  samplesPerSecond: number,
): S[] {
  return stretches
    .filter((each) => each.at < time)
    .map((each) => {
      const length = (time - each.at) * each.speed * samplesPerSecond;
      return { ...each, length: Math.min(each.length, length) };
    });
}

/** The beat that is nearest to a time. */
export function snap(time: number, beats: readonly number[]): number {
  let nearest = time;
  let least = Infinity;
  for (const beat of beats) {
    if (Math.abs(beat - time) < least) [nearest, least] = [beat, Math.abs(beat - time)];
  }
  return nearest;
}

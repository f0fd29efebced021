/** Moments on the grid of a song: its beats, and parts of them. */

/** How beats are divided where a song has none: a grid of half a second. */
const PLAIN = [0, 0.5];

/** Where a moment is in beats, counted from the first one; beyond all beats at their pace there. */
export function beatAt(time: number, beats: readonly number[]): number {
  const grid = beats.length > 1 ? beats : PLAIN;
  const k = within(
    grid.findLastIndex((beat) => beat <= time),
    grid,
  );
  return k + (time - grid[k]!) / (grid[k + 1]! - grid[k]!);
}

/** When it is so many beats after the first one. */
export function timeOf(beat: number, beats: readonly number[]): number {
  const grid = beats.length > 1 ? beats : PLAIN;
  const k = within(Math.floor(beat), grid);
  return grid[k]! + (beat - k) * (grid[k + 1]! - grid[k]!);
}

const within = (k: number, grid: readonly number[]) => Math.min(Math.max(k, 0), grid.length - 2);

/** The line of the grid that is nearest; `parts` is how many there are to a beat. */
export function snapped(time: number, beats: readonly number[], parts: number): number {
  return timeOf(Math.round(beatAt(time, beats) * parts) / parts, beats);
}

/** The next line of the grid, or the one before. */
export function stepped(
  time: number,
  beats: readonly number[],
  parts: number,
  direction: 1 | -1,
): number {
  const place = beatAt(time, beats) * parts;
  const slack = 0.02; // of a step: a moment that is nearly on a line is on it
  const line = direction > 0 ? Math.floor(place + slack) + 1 : Math.ceil(place - slack) - 1;
  return timeOf(line / parts, beats);
}

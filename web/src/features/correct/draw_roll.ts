/** How a piano roll that is edited is drawn. */
import type { Analysis } from "../../music/analysis";
import { noteName } from "../../music/analysis";
import type { Note } from "../../music/midi";
import { xOf } from "../../state/view";
import { drawGrid, type Sheet } from "../desk/draw";
import type { Moment } from "./draft";
import { beatAt, timeOf } from "./grid";

const MARGIN = 3;
const LEAST_ROWS = 16;
const BLACK = new Set([1, 3, 6, 8, 10]);
const LEAST_LINE_PX = 7;

/** The lowest and highest pitch of a roll, with room above and below its notes. */
export function pitchesOf(notes: readonly Note[]): [number, number] {
  let low = notes.length ? 127 : 57;
  let high = notes.length ? 0 : 63;
  for (const { pitch } of notes) {
    low = Math.min(low, pitch);
    high = Math.max(high, pitch);
  }
  const missing = Math.max(2 * MARGIN, LEAST_ROWS - (high - low + 1));
  return [Math.max(0, low - Math.ceil(missing / 2)), Math.min(127, high + Math.floor(missing / 2))];
}

export function drawRoll(
  sheet: Sheet,
  { notes, selected }: Moment,
  [low, high]: readonly [number, number],
  analysis: Analysis | null,
  parts: number,
): void {
  const { context, width, height, view } = sheet;
  const row = height / (high - low + 1);
  const top = (pitch: number) => (high - pitch) * row;
  context.fillStyle = sheet.colour("--beat");
  for (let pitch = low; pitch <= high; pitch += 1) {
    if (BLACK.has(pitch % 12)) context.fillRect(0, top(pitch), width, row);
  }
  drawParts(sheet, analysis?.beats ?? [], parts);
  drawGrid(sheet, analysis?.beats ?? [], analysis?.downbeats ?? []);
  for (const note of notes) {
    const { start, end, pitch, velocity } = note;
    if (end < view.start || start > view.start + view.span) continue;
    const x = xOf(view, start, width);
    const length = Math.max(3, xOf(view, end, width) - x - 1);
    const chosen = selected.has(note);
    context.globalAlpha = chosen ? 1 : 0.4 + 0.6 * velocity;
    context.fillStyle = sheet.colour(chosen ? "--text" : "--stem");
    context.beginPath();
    context.roundRect(x, top(pitch) + 1, length, row - 2, 2);
    context.fill();
  }
  context.globalAlpha = 1;
  context.font = "11px 'Geist Mono Variable', monospace";
  context.textBaseline = "middle";
  context.fillStyle = sheet.colour("--quiet");
  for (let pitch = low; pitch <= high; pitch += 1) {
    if (pitch % 12 === 0) context.fillText(noteName(pitch), 3, top(pitch) + row / 2);
  }
}

/** Lines between the beats, where they would not blur. */
function drawParts(sheet: Sheet, beats: readonly number[], parts: number): void {
  const { context, width, height, view } = sheet;
  const first = Math.ceil(beatAt(view.start, beats) * parts);
  const last = Math.floor(beatAt(view.start + view.span, beats) * parts);
  if (parts < 2 || width / (last - first) < LEAST_LINE_PX) return;
  context.fillStyle = sheet.colour("--beat");
  for (let line = first; line <= last; line += 1) {
    context.fillRect(Math.round(xOf(view, timeOf(line / parts, beats), width)), 0, 1, height);
  }
}

/** Drawing on canvases: what is to be seen of a song between two moments. */
import { columnsOf, type Peaks } from "../../audio/peaks";
import type { Chord, KeySpan, Stroke } from "../../music/analysis";
import { chordName, pretty } from "../../music/analysis";
import type { Note } from "../../music/midi";
import { type View, xOf } from "../../state/view";

export interface Sheet {
  context: CanvasRenderingContext2D;
  width: number;
  height: number;
  view: View;
  colour(name: string): string;
  /** Draws once more in the next frame. */
  again(): void;
}

export function drawWave(sheet: Sheet, peaks: Peaks, colour: string, gain = 1): void {
  const { context, width, height, view } = sheet;
  const middle = height / 2;
  const columns = columnsOf(peaks, view.start, view.span / width, Math.ceil(width));
  context.fillStyle = colour;
  context.beginPath();
  for (let x = 0; x < width; x += 1) {
    const low = columns[2 * x]!;
    if (Number.isNaN(low)) continue;
    const top = Math.max(0, middle - columns[2 * x + 1]! * gain * middle);
    const bottom = Math.min(height, middle - low * gain * middle);
    context.rect(x, top, 1, Math.max(1, bottom - top));
  }
  context.fill();
}

/** Lines on beats, stronger ones where bars begin; none where they would blur. */
export function drawGrid(sheet: Sheet, beats: readonly number[], bars: readonly number[]): void {
  lines(sheet, beats, sheet.colour("--beat"), 5);
  lines(sheet, bars, sheet.colour("--bar"), 4);
}

/** The index of the first time that is not before a moment, of times in order. */
export function firstFrom(times: readonly number[], moment: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! < moment) low = middle + 1;
    else high = middle;
  }
  return low;
}

function lines(sheet: Sheet, times: readonly number[], colour: string, least: number): void {
  const { context, width, height, view } = sheet;
  if (times.length > 1) {
    const each = (times.at(-1)! - times[0]!) / (times.length - 1);
    if ((each / view.span) * width < least) return;
  }
  context.fillStyle = colour;
  context.beginPath();
  for (let k = firstFrom(times, view.start); k < times.length; k += 1) {
    const x = Math.round(xOf(view, times[k]!, width));
    if (x > width) break;
    context.rect(x, 0, 1, height);
  }
  context.fill();
}

/** Lowest and highest pitch. */
export type Range = readonly [number, number];

const MARGIN = 4;
const LOUDNESSES = 6;

/** The pitches that a roll shows: those of its notes, and an octave at least. */
export function rangeOf(notes: readonly Note[]): Range {
  if (notes.length === 0) return [54, 66];
  let low = Infinity;
  let high = -Infinity;
  for (const { pitch } of notes) {
    low = Math.min(low, pitch);
    high = Math.max(high, pitch);
  }
  const missing = Math.max(0, 12 - (high - low));
  return [low - Math.ceil(missing / 2), high + Math.floor(missing / 2)];
}

/** Where a pitch is in a roll of some height, in pixels from its top. */
export function heightOfPitch(pitch: number, [low, high]: Range, height: number): number {
  return MARGIN + ((high - pitch + 0.5) * (height - 2 * MARGIN)) / (high - low + 1);
}

/** The pitches that are named at the side: each C, or the highest and the lowest. */
export function namedPitches([low, high]: Range): number[] {
  const first = 12 * Math.ceil(low / 12);
  const all = Array.from({ length: Math.floor((high - first) / 12) + 1 }, (_, k) => first + 12 * k);
  return all.length > 1 ? all : [low, high];
}

/** Notes as bars, the louder the thicker and brighter, and as curves where they are bent. */
export function drawNotes(
  sheet: Sheet,
  notes: readonly Note[],
  range: Range,
  colour: string,
): void {
  const { context, width, height, view } = sheet;
  const row = (height - 2 * MARGIN) / (range[1] - range[0] + 1);
  context.fillStyle = sheet.colour("--beat");
  for (const pitch of namedPitches(range)) {
    context.fillRect(0, Math.round(heightOfPitch(pitch, range, height) + row / 2), width, 1);
  }
  context.fillStyle = colour;
  context.strokeStyle = colour;
  context.lineJoin = "round";
  const most = Math.max(2.5, Math.min(9, row * 0.9));
  const shown = notes.filter(
    ({ start, end }) => end >= view.start && start <= view.start + view.span,
  );
  for (let loudness = 0; loudness < LOUDNESSES; loudness += 1) {
    // All notes of a loudness in one path: a call for each would take long.
    const share = (loudness + 1) / LOUDNESSES;
    const thick = most * (0.45 + 0.55 * share);
    context.globalAlpha = 0.4 + 0.6 * share;
    context.lineWidth = Math.max(1.5, 0.7 * thick);
    const bars = new Path2D();
    const curves = new Path2D();
    for (const note of shown) {
      if (Math.min(LOUDNESSES - 1, Math.floor(note.velocity * LOUDNESSES)) !== loudness) continue;
      if (note.bends) curves.addPath(curveOf(sheet, note, range));
      else {
        const x = xOf(view, note.start, width);
        const length = Math.max(2, xOf(view, note.end, width) - x - 1);
        bars.rect(x, heightOfPitch(note.pitch, range, height) - thick / 2, length, thick);
      }
    }
    context.fill(bars);
    context.stroke(curves);
  }
  context.globalAlpha = 1;
}

function curveOf({ view, width, height }: Sheet, note: Note, range: Range): Path2D {
  const path = new Path2D();
  const bends = note.bends!;
  for (const { time, by } of bends) {
    path.lineTo(xOf(view, time, width), heightOfPitch(note.pitch + by, range, height));
  }
  const last = note.pitch + bends.at(-1)!.by;
  path.lineTo(xOf(view, note.end, width), heightOfPitch(last, range, height));
  return path;
}

/** Drums from high to low, as far as they are struck. */
const KIT = [
  "crash",
  "ride",
  "open hi-hat",
  "closed hi-hat",
  "high tom",
  "mid tom",
  "low tom",
  "side stick",
  "snare",
  "kick",
];

export function kitOf(strokes: readonly Stroke[]): string[] {
  const struck = new Set(strokes.map((stroke) => stroke.drum));
  return KIT.filter((drum) => struck.has(drum));
}

export function drawStrokes(
  sheet: Sheet,
  strokes: readonly Stroke[],
  kit: readonly string[],
  colour: string,
): void {
  const { context, width, height, view } = sheet;
  const row = (height - 8) / Math.max(1, kit.length);
  context.fillStyle = colour;
  for (const { time, drum, velocity } of strokes) {
    const x = xOf(view, time, width);
    if (x < -4 || x > width) continue;
    context.globalAlpha = 0.35 + (0.65 * velocity) / 127;
    const thick = Math.min(10, row * 0.75);
    context.fillRect(x, 4 + (kit.indexOf(drum) + 0.5) * row - thick / 2, 3, thick);
  }
  context.globalAlpha = 1;
}

export function drawChords(sheet: Sheet, chords: readonly Chord[]): void {
  const { context, width, height, view } = sheet;
  context.font = "600 13px 'Geist Variable', system-ui, sans-serif";
  context.textBaseline = "middle";
  for (const { start, end, label } of chords) {
    const from = xOf(view, start, width);
    const to = xOf(view, end, width);
    if (to < 0) continue;
    if (from > width) break;
    const name = chordName(label);
    if (!name) continue;
    context.fillStyle = sheet.colour("--lifted");
    context.beginPath();
    context.roundRect(from + 1, 1, Math.max(1, to - from - 2), height - 2, 4);
    context.fill();
    const left = Math.max(from, 0) + 7;
    if (context.measureText(name).width > to - left - 2) continue;
    context.fillStyle = sheet.colour("--text");
    context.fillText(name, left, height / 2 + 1);
  }
}

/** Keys where they begin; that which rules at the left edge is named there. */
export function drawKeys(sheet: Sheet, keys: readonly KeySpan[]): void {
  const { context, width, height, view } = sheet;
  context.font = "600 13px 'Geist Variable', system-ui, sans-serif";
  context.textBaseline = "middle";
  context.fillStyle = sheet.colour("--accent-text");
  for (const { start, end, tonic, mode } of keys) {
    const from = xOf(view, start, width);
    const to = xOf(view, end, width);
    if (to < 0 || from > width) continue;
    if (from > 0) context.fillRect(Math.round(from), 2, 2, height - 4);
    const left = Math.max(from, 0) + 7;
    const name = `${pretty(tonic)} ${mode}`;
    if (context.measureText(name).width <= to - left) context.fillText(name, left, height / 2 + 1);
  }
}

/** Numbers of bars, as many as there is room for. */
export function drawBars(sheet: Sheet, bars: readonly number[], duration: number): void {
  const { context, width, height, view } = sheet;
  context.font = "12px 'Geist Mono Variable', monospace";
  context.textBaseline = "middle";
  context.fillStyle = sheet.colour("--quiet");
  const marks = bars.length > 1 ? bars : seconds(duration, view, width);
  const each = ((marks.at(-1)! - marks[0]!) / Math.max(1, marks.length - 1) / view.span) * width;
  const step = [1, 2, 4, 8, 16, 32, 64, 128].find((count) => count * each >= 34) ?? 256;
  const first = firstFrom(marks, view.start - (30 * view.span) / width); // its number may be seen
  for (let k = Math.ceil(first / step) * step; k < marks.length; k += step) {
    const x = xOf(view, marks[k]!, width);
    if (x > width) break;
    const text = bars.length > 1 ? String(k + 1) : `${Math.round(marks[k]!)} s`;
    context.fillText(text, x + 4, height / 2);
    context.fillRect(Math.round(x), height - 6, 1, 6);
  }
}

function seconds(duration: number, view: View, width: number): number[] {
  const step = [1, 5, 10, 30, 60].find((each) => (each / view.span) * width >= 40) ?? 120;
  return Array.from({ length: Math.floor(duration / step) + 1 }, (_, k) => k * step);
}

export function drawTempo(
  sheet: Sheet,
  curve: readonly { time: number; bpm: number }[],
  colour: string,
): void {
  const { context, width, height, view } = sheet;
  const [low, high] = tempoRange(curve);
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.lineJoin = "round";
  context.beginPath();
  for (const { time, bpm } of curve) {
    const y = height - 6 - ((bpm - low) / (high - low)) * (height - 12);
    context.lineTo(xOf(view, time, width), y);
  }
  context.stroke();
}

/** The tempi that a curve shows: its own, and a tenth of them at least. */
function tempoRange(curve: readonly { bpm: number }[]): [number, number] {
  const tempi = curve.map(({ bpm }) => bpm);
  const low = Math.min(...tempi);
  const high = Math.max(...tempi);
  const missing = Math.max(0, high * 0.1 - (high - low));
  return [low - missing / 2, high + missing / 2];
}

/** A stem: its controls, its sound, its notes. */
import { useCallback, useMemo } from "react";
import { useStore } from "zustand";
import { levelFor } from "../../audio/peaks";
import { AS_IT_IS } from "../../audio/player";
import type { Analysis } from "../../music/analysis";
import { noteName } from "../../music/analysis";
import type { Note } from "../../music/midi";
import { type ViewStore, xOf } from "../../state/view";
import { Canvas } from "./canvas";
import { drawGrid, drawNotes, drawStrokes, drawWave, kitOf, rangeOf, type Sheet } from "./draw";
import { useDesk } from "./hooks";
import { NONE, ROW, type RowProps } from "./row";
import { Strip } from "./strip";
import { Surface } from "./surface";

export function Lane({
  desk,
  view,
  track,
  analysis,
  notes,
  usePeaks,
}: RowProps & { track: string; notes: readonly Note[] }) {
  const peaks = usePeaks(track, useLevel(view));
  const settings = useDesk(desk, (now) => now.settings[track] ?? AS_IT_IS);
  const alone = useDesk(desk, (now) => Object.values(now.settings).some((each) => each.solo));
  const looping = useDesk(desk, (now) => (now.looping ? now.loop : null));
  const original = useDesk(desk, (now) => now.original);
  const quiet = !original && (settings.mute || (alone && !settings.solo));
  const strokes = track === "drums" ? (analysis?.drums ?? NONE) : NONE;
  const beats = analysis?.beats ?? NONE;
  const downbeats = analysis?.downbeats ?? NONE;

  const back = useCallback(
    (sheet: Sheet) => {
      if (looping) {
        const from = xOf(sheet.view, looping.start, sheet.width);
        const to = xOf(sheet.view, looping.end, sheet.width);
        sheet.context.fillStyle = sheet.colour("--loop");
        sheet.context.fillRect(from, 0, to - from, sheet.height);
      }
      drawGrid(sheet, beats, downbeats);
    },
    [looping, beats, downbeats],
  );
  const drawSound = useCallback(
    (sheet: Sheet) => {
      back(sheet);
      if (peaks) drawWave(sheet, peaks, sheet.colour(quiet ? "--line" : "--stem"), 1.6);
    },
    [back, peaks, quiet],
  );
  const drawRoll = useCallback(
    (sheet: Sheet) => {
      back(sheet);
      const colour = sheet.colour(quiet ? "--edge" : "--stem");
      if (strokes.length) drawStrokes(sheet, strokes, colour);
      else drawNotes(sheet, notes, colour);
    },
    [back, notes, strokes, quiet],
  );
  const rows = useMemo(() => {
    if (strokes.length) return kitOf(strokes);
    if (!notes.length) return [];
    const [low, high] = rangeOf(notes);
    return [noteName(high), noteName(low)];
  }, [notes, strokes]);
  return (
    <li data-stem={track} className={`${ROW} border-t border-line py-3`}>
      <Strip desk={desk} track={track} note={noteOf(analysis, track)} />
      <Surface desk={desk} view={view} drags="song" className="cursor-pointer bg-raised">
        <Canvas view={view} draw={drawSound} className="h-18" />
        {rows.length > 0 && (
          <div
            className="relative border-t border-ground"
            style={{ height: Math.max(88, 12 * rows.length + 8) }}
          >
            <Canvas view={view} draw={drawRoll} className="h-full" />
            <div
              aria-hidden="true"
              className="pointer-events-none absolute inset-y-1 left-1 flex flex-col justify-between font-mono text-[0.6875rem] leading-none text-quiet"
            >
              {rows.map((row) => (
                <span key={row} className="rounded bg-raised/75 px-0.5">
                  {row}
                </span>
              ))}
            </div>
          </div>
        )}
      </Surface>
    </li>
  );
}

function noteOf(analysis: Analysis | null, track: string): string | null {
  const quality = analysis?.quality.stems[track];
  const level = analysis?.stems[track]?.rms_db;
  const parts = [
    typeof quality === "number" && `quality ${quality.toFixed(2)}`,
    typeof level === "number" && `${Math.round(level)} dB`,
  ];
  return parts.filter(Boolean).join(" · ") || null;
}

/** The zoom of waveforms that a view needs, for lanes of any usual width. */
function useLevel(view: ViewStore): number {
  return useStore(view, (now) => levelFor((now.span * 44_100) / 1_400));
}

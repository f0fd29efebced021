/** What a stem plays: its notes on a roll, or the strokes of its kit. */
import { type ReactNode, useCallback, useMemo } from "react";
import { noteName, type Stroke } from "../../music/analysis";
import type { Note } from "../../music/midi";
import type { ViewStore } from "../../state/view";
import { Canvas } from "./canvas";
import {
  drawNotes,
  drawStrokes,
  heightOfPitch,
  kitOf,
  namedPitches,
  rangeOf,
  type Sheet,
} from "./draw";

interface Common {
  view: ViewStore;
  quiet: boolean;
  /** Draws what is behind. */
  back: (sheet: Sheet) => void;
}

const PX_PER_PITCH = 5;

export function Roll({ view, notes, quiet, back }: Common & { notes: readonly Note[] }) {
  const range = useMemo(() => rangeOf(notes), [notes]);
  const height = Math.max(88, Math.min(200, PX_PER_PITCH * (range[1] - range[0] + 1)));
  const draw = useCallback(
    (sheet: Sheet) => {
      back(sheet);
      drawNotes(sheet, notes, range, sheet.colour(quiet ? "--edge" : "--stem"));
    },
    [back, notes, range, quiet],
  );
  return (
    <Named view={view} draw={draw} height={height}>
      {namedPitches(range).map((pitch) => (
        <Name key={pitch} at={heightOfPitch(pitch, range, height)}>
          {noteName(pitch)}
        </Name>
      ))}
    </Named>
  );
}

export function Kit({ view, strokes, quiet, back }: Common & { strokes: readonly Stroke[] }) {
  const kit = useMemo(() => kitOf(strokes), [strokes]);
  const height = Math.max(88, 12 * kit.length + 8);
  const draw = useCallback(
    (sheet: Sheet) => {
      back(sheet);
      drawStrokes(sheet, strokes, kit, sheet.colour(quiet ? "--edge" : "--stem"));
    },
    [back, strokes, kit, quiet],
  );
  return (
    <Named view={view} draw={draw} height={height}>
      {kit.map((drum, k) => (
        <Name key={drum} at={4 + ((k + 0.5) * (height - 8)) / kit.length}>
          {drum}
        </Name>
      ))}
    </Named>
  );
}

function Named({
  view,
  draw,
  height,
  children,
}: {
  view: ViewStore;
  draw: (sheet: Sheet) => void;
  height: number;
  children: ReactNode;
}) {
  return (
    <div className="relative border-t border-ground" style={{ height }}>
      <Canvas view={view} draw={draw} className="h-full" />
      <div
        aria-hidden="true"
        className="pointer-events-none absolute inset-0 font-mono text-[0.6875rem] leading-none text-quiet"
      >
        {children}
      </div>
    </div>
  );
}

function Name({ at, children }: { at: number; children: string }) {
  return (
    <span
      className="absolute left-1 -translate-y-1/2 rounded bg-raised/75 px-0.5"
      style={{ top: at }}
    >
      {children}
    </span>
  );
}

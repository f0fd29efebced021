/** The desk: all stems side by side, to be played and seen. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useStore } from "zustand";
import { levelFor, type Peaks } from "../../audio/peaks";
import { AS_IT_IS, type Beat } from "../../audio/player";
import type { Analysis } from "../../music/analysis";
import { noteName } from "../../music/analysis";
import type { Note } from "../../music/midi";
import type { Desk } from "../../state/desk";
import { createView, following, lengthened, type ViewStore, xOf } from "../../state/view";
import { Notice } from "../../ui/controls";
import { Canvas } from "./canvas";
import {
  drawBars,
  drawChords,
  drawGrid,
  drawNotes,
  drawStrokes,
  drawTempo,
  drawWave,
  kitOf,
  rangeOf,
  type Sheet,
} from "./draw";
import { useDesk, useFrames } from "./hooks";
import { useKeys } from "./keys";
import { useMediaSession } from "./session";
import { Strip } from "./strip";
import { Surface } from "./surface";
import { Transport } from "./transport";

export interface DeskProps {
  desk: Desk;
  title: string;
  analysis: Analysis | null;
  /** The notes of each stem that has some. */
  notes: ReadonlyMap<string, readonly Note[]>;
  /** Gives the waveform of a track, or `mix`, at a zoom. */
  usePeaks(track: string, samplesPerPeak: number): Peaks | null;
  canCompare: boolean;
  fault: string | null;
}

const NONE: readonly never[] = [];
const ROW = "grid gap-x-5 gap-y-2 md:grid-cols-[13rem_minmax(0,1fr)]";

export function DeskPanel(props: DeskProps) {
  const { desk, title, analysis, notes, usePeaks, canCompare, fault } = props;
  const [view] = useState(createView);
  const root = useRef<HTMLElement>(null);
  const ruler = useRef<HTMLDivElement>(null);
  const tracks = useDesk(desk, (now) => now.tracks);
  const duration = useDesk(desk, (now) => now.duration);
  const trouble = useDesk(desk, (now) => now.fault) ?? fault;
  const beats = analysis?.beats ?? NONE;
  const downbeats = analysis?.downbeats ?? NONE;

  useEffect(() => view.setState((now) => lengthened(now, duration)), [view, duration]);
  useEffect(() => {
    const firsts = new Set(downbeats);
    desk.setBeats(beats.map((time): Beat => ({ time, first: firsts.has(time) })));
  }, [desk, beats, downbeats]);
  useKeys(desk, view, beats);
  useMediaSession(desk, title);
  useFrames(desk, () => {
    const { position } = desk;
    if (desk.state.state === "playing") {
      const next = following(view.getState(), position);
      if (next !== view.getState()) view.setState(next);
    }
    place(root.current, ruler.current, view, position);
  });
  useEffect(
    () => view.subscribe(() => place(root.current, ruler.current, view, desk.position)),
    [view, desk],
  );

  if (tracks.length === 0) return fault ? <Notice kind="bad">{fault}</Notice> : null;
  return (
    <section ref={root} aria-labelledby="play" className="mt-8">
      <h2 id="play" className="sr-only">
        Play
      </h2>
      <Transport {...{ desk, view, beats, downbeats, canCompare }} />
      {trouble && (
        <Notice kind="bad" className="mt-3">
          {trouble}
        </Notice>
      )}
      <div className="mt-4 grid gap-1">
        <Overview {...{ desk, view, usePeaks }} />
        <Ruler {...{ desk, view, analysis, ruler }} />
        <ul className="mt-1 grid gap-1">
          {tracks.map((track) => (
            <Lane
              key={track}
              {...{ desk, view, track, analysis, usePeaks }}
              notes={notes.get(track) ?? NONE}
            />
          ))}
        </ul>
        {analysis && analysis.tempo.curve.length > 1 && <Tempo {...{ desk, view, analysis }} />}
      </div>
    </section>
  );
}

function place(
  root: HTMLElement | null,
  ruler: HTMLElement | null,
  view: ViewStore,
  position: number,
): void {
  if (!root || !ruler) return;
  const x = xOf(view.getState(), position, ruler.clientWidth);
  const transform = `translateX(${Math.max(-9, Math.min(x, 99_999)).toFixed(1)}px)`;
  // Each by itself: a property that all inherit would have the styles of all computed anew.
  for (const line of root.querySelectorAll<HTMLElement>("[data-playhead]")) {
    line.style.transform = transform;
  }
}

/** The zoom of waveforms that a view needs, for lanes of any usual width. */
function useLevel(view: ViewStore): number {
  return useStore(view, (now) => levelFor((now.span * 44_100) / 1_400));
}

function Overview({
  desk,
  view,
  usePeaks,
}: Pick<DeskProps, "desk" | "usePeaks"> & { view: ViewStore }) {
  const duration = useDesk(desk, (now) => now.duration);
  const peaks = usePeaks("mix", levelFor((duration * 44_100) / 1_400));
  const shown = peaks !== null;
  const [whole] = useState(createView);
  const window = useRef<HTMLDivElement>(null);
  useEffect(() => whole.setState({ start: 0, span: duration || 1, duration }), [whole, duration]);
  useEffect(() => {
    const show = () => {
      const { start, span, duration: all } = view.getState();
      const style = window.current?.style;
      if (!style || !all) return;
      style.left = `${(100 * start) / all}%`;
      style.width = `${(100 * span) / all}%`;
    };
    if (!shown) return;
    show();
    return view.subscribe(show);
  }, [view, shown]);
  const draw = useCallback(
    (sheet: Sheet) => {
      if (peaks) drawWave(sheet, peaks, sheet.colour("--edge"));
    },
    [peaks],
  );
  if (!peaks) return null;
  return (
    <div className={ROW}>
      <span className="self-center text-sm text-quiet max-md:hidden">Song</span>
      <div className="relative overflow-hidden rounded-lg bg-raised">
        <Jump desk={desk} view={view}>
          <Canvas view={whole} draw={draw} className="h-10" />
        </Jump>
        <div
          ref={window}
          className="pointer-events-none absolute inset-y-0 rounded-md border-2 border-accent-text"
        />
      </div>
    </div>
  );
}

/** Goes where the whole song is touched. */
function Jump({
  desk,
  view,
  children,
}: {
  desk: Desk;
  view: ViewStore;
  children: React.ReactNode;
}) {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const lane = ref.current!;
    const go = (event: PointerEvent) => {
      if (event.button || (event.type === "pointermove" && !event.buttons)) return;
      const box = lane.getBoundingClientRect();
      const moment = ((event.clientX - box.left) / box.width) * view.getState().duration;
      desk.seek(moment);
      view.setState((now) => following({ ...now, start: moment - now.span / 2 }, moment));
    };
    lane.addEventListener("pointerdown", go);
    return () => lane.removeEventListener("pointerdown", go);
  }, [desk, view]);
  return <div ref={ref}>{children}</div>;
}

function Ruler({
  desk,
  view,
  analysis,
  ruler,
}: Pick<DeskProps, "desk" | "analysis"> & {
  view: ViewStore;
  ruler: React.RefObject<HTMLDivElement | null>;
}) {
  const loop = useDesk(desk, (now) => now.loop);
  const looping = useDesk(desk, (now) => now.looping);
  const duration = useDesk(desk, (now) => now.duration);
  const drawLine = useCallback(
    (sheet: Sheet) => {
      if (loop) {
        const from = xOf(sheet.view, loop.start, sheet.width);
        const to = xOf(sheet.view, loop.end, sheet.width);
        sheet.context.fillStyle = sheet.colour(looping ? "--accent" : "--line");
        sheet.context.fillRect(from, sheet.height - 5, to - from, 5);
      }
      drawBars(sheet, analysis?.downbeats ?? NONE, duration);
    },
    [analysis, loop, looping, duration],
  );
  const drawNames = useCallback(
    (sheet: Sheet) => drawChords(sheet, analysis?.chords ?? NONE),
    [analysis],
  );
  const hint = "Drag here to repeat a part";
  return (
    <div className={ROW}>
      <div className="grid content-around text-sm text-quiet max-md:hidden">
        <span>{analysis?.downbeats.length ? "Bars" : "Time"}</span>
        {analysis && <span>Chords</span>}
      </div>
      <div ref={ruler} title={hint}>
        <Surface desk={desk} view={view} drags="loop" className="cursor-col-resize">
          <Canvas view={view} draw={drawLine} className="h-7" />
          {analysis && <Canvas view={view} draw={drawNames} className="h-8" />}
        </Surface>
      </div>
    </div>
  );
}

function Lane({
  desk,
  view,
  track,
  analysis,
  notes,
  usePeaks,
}: Pick<DeskProps, "desk" | "analysis" | "usePeaks"> & {
  view: ViewStore;
  track: string;
  notes: readonly Note[];
}) {
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

function Tempo({ desk, view, analysis }: { desk: Desk; view: ViewStore; analysis: Analysis }) {
  const { curve } = analysis.tempo;
  const draw = useCallback(
    (sheet: Sheet) => {
      drawGrid(sheet, NONE, analysis.downbeats);
      drawTempo(sheet, curve, sheet.colour("--accent-text"));
    },
    [analysis, curve],
  );
  const tempi = curve.map(({ bpm }) => bpm);
  const [low, high] = [Math.round(Math.min(...tempi)), Math.round(Math.max(...tempi))];
  return (
    <div className={`${ROW} border-t border-line py-3`}>
      <div>
        <h3 className="font-semibold">Tempo</h3>
        <p className="text-sm text-quiet">
          {low === high ? low : `${low} to ${high}`} beats per minute
        </p>
      </div>
      <Surface desk={desk} view={view} drags="song" className="cursor-pointer bg-raised">
        <Canvas view={view} draw={draw} className="h-16" />
      </Surface>
    </div>
  );
}

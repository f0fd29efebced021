/** The desk: all stems side by side, to be played and seen. */
import { useEffect, useRef, useState } from "react";
import type { Beat } from "../../audio/count_in";
import type { Spectrograms } from "../../audio/spectrogram";
import type { Note } from "../../music/midi";
import { createView, following, lengthened, type ViewStore, xOf } from "../../state/view";
import { Notice } from "../../ui/controls";
import { useDesk, useFrames } from "./hooks";
import { useKeys } from "./keys";
import { Lane } from "./lane";
import { Overview } from "./overview";
import { NONE, type RowProps } from "./row";
import { Ruler } from "./ruler";
import { Sections } from "./sections";
import { useMediaSession } from "./session";
import { type Shows, ShowsChoice } from "./shows";
import { Tempo } from "./tempo";
import { Transport } from "./transport";
import { Tuning } from "./tuning";

export interface DeskProps extends Omit<RowProps, "view"> {
  title: string;
  /** Null where there are none. */
  spectrograms: Spectrograms | null;
  /** The notes of each stem that has some. */
  notes: ReadonlyMap<string, readonly Note[]>;
  canCompare: boolean;
  fault: string | null;
}

export function DeskPanel(props: DeskProps) {
  const { desk, title, analysis, notes, usePeaks, spectrograms, canCompare, fault } = props;
  const [view] = useState(createView);
  const [shows, setShows] = useState<Shows>("waves");
  const root = useRef<HTMLElement>(null);
  const ruler = useRef<HTMLDivElement>(null);
  const width = useRef(0); // of lanes; to ask for it in each frame would have them laid out anew
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
  useEffect(() => desk.setNotes(notes), [desk, notes]);
  useKeys(desk, view, beats);
  useMediaSession(desk, title);
  useFrames(desk, () => {
    const { position } = desk;
    if (desk.state.state === "playing") {
      const next = following(view.getState(), position);
      if (next !== view.getState()) view.setState(next);
    }
    place(root.current, width.current, view, position);
  });
  const shown = tracks.length > 0;
  useEffect(() => {
    const follow = () => place(root.current, width.current, view, desk.position);
    const size = new ResizeObserver((entries) => {
      width.current = entries.at(-1)!.contentRect.width;
      follow();
    });
    if (shown) size.observe(ruler.current!);
    const stop = view.subscribe(follow);
    return () => {
      size.disconnect();
      stop();
    };
  }, [view, desk, shown]);

  if (!shown) return fault ? <Notice kind="bad">{fault}</Notice> : null;
  return (
    <section ref={root} aria-labelledby="play" className="mt-8">
      <h2 id="play" className="sr-only">
        Play
      </h2>
      <Transport {...{ desk, view, beats, downbeats, canCompare }} />
      <Tuning desk={desk} hasBeats={beats.length > 1} />
      {trouble && (
        <Notice kind="bad" className="mt-3">
          {trouble}
        </Notice>
      )}
      {spectrograms && <ShowsChoice shows={shows} onChange={setShows} />}
      <div className="mt-3 grid gap-1">
        <Overview {...{ desk, view, usePeaks }} />
        {analysis?.sections && analysis.sections.length > 1 && (
          <Sections {...{ desk, view }} sections={analysis.sections} />
        )}
        <Ruler {...{ desk, view, analysis, ruler }} />
        <ul className="mt-1 grid gap-1">
          {tracks.map((track) => (
            <Lane
              key={track}
              {...{ desk, view, track, analysis, usePeaks, spectrograms, shows }}
              notes={notes.get(track) ?? NONE}
            />
          ))}
        </ul>
        {analysis && analysis.tempo.curve.length > 1 && <Tempo {...{ desk, view, analysis }} />}
      </div>
    </section>
  );
}

function place(root: HTMLElement | null, width: number, view: ViewStore, position: number): void {
  if (!root) return;
  const x = xOf(view.getState(), position, width);
  const transform = `translateX(${Math.max(-9, Math.min(x, 99_999)).toFixed(1)}px)`;
  // Each by itself: a property that all inherit would have the styles of all computed anew.
  for (const line of root.querySelectorAll<HTMLElement>("[data-playhead]")) {
    line.style.transform = transform;
  }
}

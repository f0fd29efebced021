/** The notes of a stem, to be changed with pointer, finger and keys. */
import {
  type KeyboardEvent,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import type { Analysis } from "../../music/analysis";
import type { Note } from "../../music/midi";
import type { Desk } from "../../state/desk";
import { following, momentAt, type ViewStore } from "../../state/view";
import { Canvas } from "../desk/canvas";
import type { Sheet } from "../desk/draw";
import { NONE } from "../desk/row";
import type { Corrector } from "./corrector";
import {
  add,
  type Change,
  change,
  changed,
  type Draft,
  type Moment,
  neighbour,
  noteAt,
  notesWithin,
  redone,
  remove,
  select,
  step,
  undone,
} from "./draft";
import { drawRoll, pitchesOf } from "./draw_roll";
import { beatAt, snapped, stepped, timeOf } from "./grid";
import { CorrectorContext, useDraft } from "./hooks";
import { spoken } from "./spoken";
import { Tools, useParts } from "./tools";

const ROW_PX = 12;
const DOUBLE_MS = 350;
const STEP_S = 0.05; // where there is no grid
const FINE_S = 0.01;
const USUAL_VELOCITY = 96 / 127;
const NEAR_PX = { mouse: 6, touch: 14 };

export interface RollProps {
  track: string;
  desk: Desk;
  view: ViewStore;
  analysis: Analysis | null;
}

/** The canvas, which takes the place of the one that is only looked at. */
export function NoteRoll({ track, desk, view, analysis }: RollProps) {
  const corrector = useContext(CorrectorContext)!;
  const draft = useDraft(track)!;
  const parts = useParts((state) => state.parts);
  const beats = analysis?.beats ?? NONE;
  const [held, setHeld] = useState<Moment | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const pitches = useMemo(
    () => pitchesOf([...draft.base, ...draft.notes]),
    [draft.base, draft.notes],
  );
  const shown = held ?? draft;
  const draw = useCallback(
    (sheet: Sheet) => drawRoll(sheet, shown, pitches, analysis, parts),
    [shown, pitches, analysis, parts],
  );

  // The listeners stay; what they act on changes with each edit.
  const now = useRef({ draft, parts, beats, pitches });
  useEffect(() => {
    now.current = { draft, parts, beats, pitches };
  });
  useEffect(() => {
    const roll = box.current!;
    const put = (next: Draft) => corrector.draw(track, next);
    const place = ({ clientX, clientY }: { clientX: number; clientY: number }) => {
      const { left, top, width, height } = roll.getBoundingClientRect();
      const [low, high] = now.current.pitches;
      const row = Math.floor(((clientY - top) / height) * (high - low + 1));
      const moment = momentAt(view.getState(), clientX - left, width);
      const secondsPerPx = view.getState().span / width;
      return { moment, pitch: high - row, secondsPerPx };
    };
    const hit = (event: { clientX: number; clientY: number }, near: number) => {
      const { moment, pitch, secondsPerPx } = place(event);
      return noteAt(now.current.draft.notes, moment, pitch, near * secondsPerPx);
    };
    let from: (ReturnType<typeof place> & { x: number; kind: "move" | "length" | "frame" }) | null;
    let taken: Note | null = null;
    let next: Moment | null = null;
    let emptyAt = 0;

    const down = (event: PointerEvent) => {
      if (event.button) return;
      const near = event.pointerType === "touch" ? NEAR_PX.touch : NEAR_PX.mouse;
      const found = hit(event, near);
      const there = place(event);
      const { draft, beats, parts } = now.current;
      roll.focus({ preventScroll: true });
      if (!found && !event.shiftKey) {
        const again = event.timeStamp - emptyAt < DOUBLE_MS;
        emptyAt = again ? 0 : event.timeStamp;
        if (again) {
          event.stopPropagation();
          put(add(draft, fresh(there.moment, there.pitch, beats, parts)));
        } else if (draft.selected.size) put(select(draft, []));
        return; // the lane itself takes it: to go there, or to move the song
      }
      event.stopPropagation();
      roll.setPointerCapture(event.pointerId);
      from = {
        ...there,
        x: event.clientX,
        kind: !found ? "frame" : found.byEnd ? "length" : "move",
      };
      taken = found?.note ?? null;
      if (!taken) return;
      const { selected } = draft;
      if (event.shiftKey || event.ctrlKey || event.metaKey) {
        const others = [...selected].filter((note) => note !== taken);
        put(select(draft, selected.has(taken) ? others : [...selected, taken]));
      } else if (!selected.has(taken)) put(select(draft, [taken]));
    };
    const move = (event: PointerEvent) => {
      if (!from) return;
      const { moment, pitch } = place(event);
      const { draft, beats, parts } = now.current;
      if (from.kind === "frame") {
        const [low, high] = [Math.min(pitch, from.pitch), Math.max(pitch, from.pitch)];
        const times = [Math.min(moment, from.moment), Math.max(moment, from.moment)] as const;
        put(select(draft, notesWithin(draft.notes, times, [low, high])));
        return;
      }
      if (!taken || !draft.selected.has(taken)) return;
      const grid = event.altKey ? 0 : parts;
      const later = Math.abs(event.clientX - from.x) < 3 ? 0 : moment - from.moment;
      const onto = (time: number) =>
        (grid ? snapped(time + later, beats, grid) : time + later) - time;
      const by: Change =
        from.kind === "length"
          ? { longer: later && onto(taken.end) }
          : { later: later && onto(taken.start), higher: pitch - from.pitch };
      next = by.later || by.higher || by.longer ? changed(draft, by, desk.state.duration) : null;
      setHeld(next);
    };
    const up = () => {
      if (next) put(step(now.current.draft, next));
      cancel();
    };
    const cancel = () => {
      from = taken = next = null;
      setHeld(null);
    };
    // A finger on a note moves it; elsewhere it scrolls the page.
    const touch = (event: TouchEvent) => {
      const finger = event.touches[0];
      if (event.touches.length === 1 && finger && hit(finger, NEAR_PX.touch))
        event.preventDefault();
    };
    roll.addEventListener("pointerdown", down);
    roll.addEventListener("pointermove", move);
    roll.addEventListener("pointerup", up);
    roll.addEventListener("pointercancel", cancel);
    roll.addEventListener("touchstart", touch, { passive: false });
    return () => {
      roll.removeEventListener("pointerdown", down);
      roll.removeEventListener("pointermove", move);
      roll.removeEventListener("pointerup", up);
      roll.removeEventListener("pointercancel", cancel);
      roll.removeEventListener("touchstart", touch);
    };
  }, [corrector, desk, track, view]);

  const press = (event: KeyboardEvent) => {
    if (!act(event, corrector, track, { draft, parts, beats, desk, view })) return;
    event.preventDefault();
    event.stopPropagation();
  };
  const [low, high] = pitches;
  return (
    <div
      ref={box}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it takes keys, as an application does
      tabIndex={0}
      role="application"
      aria-roledescription="piano roll"
      aria-label={`Notes of ${track}: N for the next note, arrows move it, A adds one, Delete removes it`}
      data-roll={track}
      onKeyDown={press}
      className="relative cursor-default border-t border-ground -outline-offset-3"
      style={{ height: ROW_PX * (high - low + 1) }}
    >
      <Canvas view={view} draw={draw} className="h-full" />
    </div>
  );
}

/** What to do with the notes of a stem, beside their roll. */
export function RollTools({ track, desk, analysis }: Omit<RollProps, "view">) {
  const corrector = useContext(CorrectorContext)!;
  const draft = useDraft(track)!;
  const parts = useParts((state) => state.parts);
  const beats = analysis?.beats ?? NONE;
  return (
    <Tools
      {...{ track, corrector, draft, analysis }}
      onAdd={() => corrector.draw(track, addAt(draft, desk.position, beats, parts))}
      duration={desk.state.duration}
      words={spoken(draft, analysis)}
    />
  );
}

/** A note of one step of the grid, where a moment is. */
function fresh(moment: number, pitch: number, beats: readonly number[], parts: number): Note {
  const place = Math.floor(beatAt(moment, beats) * parts + 0.02) / parts;
  const start = Math.max(0, parts ? timeOf(place, beats) : moment);
  const end = parts ? stepped(start, beats, parts, 1) : start + 4 * STEP_S;
  return { start, end, pitch, velocity: USUAL_VELOCITY };
}

/** One more note at a moment, of the pitch of the one that is selected or sounded last. */
function addAt(draft: Draft, moment: number, beats: readonly number[], parts: number): Draft {
  const [chosen] = draft.selected;
  const like = chosen ?? draft.notes.findLast(({ start }) => start <= moment) ?? draft.notes[0];
  return add(draft, fresh(moment, like?.pitch ?? 60, beats, parts));
}

interface Hand {
  draft: Draft;
  parts: number;
  beats: readonly number[];
  desk: Desk;
  view: ViewStore;
}

/** Does what a key asks for; false where it asks for nothing here. */
function act(event: KeyboardEvent, corrector: Corrector, track: string, hand: Hand): boolean {
  const next = answer(event, hand);
  if (next) corrector.draw(track, next);
  return next !== null;
}

function answer(event: KeyboardEvent, { draft, parts, beats, desk, view }: Hand): Draft | null {
  const { key, shiftKey, altKey } = event;
  const { duration } = desk.state;
  const first = [...draft.selected].sort((a, b) => a.start - b.start)[0];
  const direction = key === "ArrowLeft" ? -1 : 1;
  if (event.ctrlKey || event.metaKey) {
    if (key.toLowerCase() === "z") return shiftKey ? redone(draft) : undone(draft);
    if (key === "y") return redone(draft);
    if (key === "a") return select(draft, draft.notes);
    return null;
  }
  const to = (time: number) => {
    if (altKey || !parts) return direction * (altKey ? FINE_S : STEP_S);
    return stepped(time, beats, parts, direction) - time;
  };
  switch (key) {
    case "ArrowLeft":
    case "ArrowRight":
      if (!first) return null;
      return change(
        draft,
        shiftKey ? { longer: to(first.end) } : { later: to(first.start) },
        duration,
      );
    case "ArrowUp":
    case "ArrowDown": {
      if (!first) return null;
      const higher = (key === "ArrowUp" ? 1 : -1) * (shiftKey ? 12 : 1);
      return change(draft, { higher }, duration);
    }
    case "Delete":
    case "Backspace":
      return remove(draft);
    case "a":
    case "Insert":
      return addAt(draft, desk.position, beats, parts);
    case "n":
    case "N": {
      const note = neighbour(draft, shiftKey ? -1 : 1, desk.position);
      if (!note) return draft;
      view.setState((now) => following(now, note.start));
      return select(draft, [note]);
    }
    case "Escape":
      return draft.selected.size ? select(draft, []) : null;
    default:
      return null;
  }
}

/** The keys that play. */
import { useEffect } from "react";
import { create } from "zustand";
import { persist } from "zustand/middleware";
import { AS_IT_IS } from "../../audio/player";
import { balanceOf, type Desk, SPEEDS } from "../../state/desk";
import { type ViewStore, within, zoomed } from "../../state/view";

/** What each key does, for those who ask. */
export const KEYS: readonly [string, string][] = [
  ["Space", "play or pause"],
  ["← →", "five seconds back or on; with Shift, one beat"],
  ["Home", "to the beginning"],
  ["1 … 9", "mute a stem; with Shift, solo"],
  ["O", "the song as it was, or your mix"],
  ["L", "repeat four bars, or no longer"],
  ["[ ]", "the repeated part begins or ends here"],
  ["C", "click on the beats"],
  ["N", "the sound, its notes too, or the notes alone"],
  ["I", "count in: a bar of clicks before playing"],
  [", .", "slower or faster; with Shift, a semitone lower or higher"],
  ["+ −", "nearer or farther"],
  ["0", "the whole song"],
];

interface KeySwitch {
  on: boolean;
  turn(on: boolean): void;
}

/** Keys can be turned off, for those whose speech or tools would press them. */
export const useKeySwitch = create<KeySwitch>()(
  persist((set) => ({ on: true, turn: (on) => set({ on }) }), { name: "unbraid-keys" }),
);

const SEEK_S = 5;
const NEXT_BALANCE = [0.5, 1, 0]; // from each half on

export function useKeys(desk: Desk, view: ViewStore, beats: readonly number[]): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const { key } = event;
      if (!useKeySwitch.getState().on || event.ctrlKey || event.metaKey || event.altKey) return;
      const target = event.target as HTMLElement;
      if (target.closest("input:not([type=range]), select, textarea, dialog")) return;
      if (target.closest("input[type=range]") && /^(Arrow|Home|End)/.test(key)) return;
      if (key === " " && target.closest("button, a, summary")) return;
      if (act(desk, view, beats, event)) event.preventDefault();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [desk, view, beats]);
}

function act(desk: Desk, view: ViewStore, beats: readonly number[], event: KeyboardEvent): boolean {
  const { position, state } = desk;
  const digit = /^Digit([1-9])$/.exec(event.code)?.[1];
  const track = digit && state.tracks[Number(digit) - 1];
  if (track) {
    const { mute, solo } = state.settings[track] ?? AS_IT_IS;
    desk.change(track, event.shiftKey ? { solo: !solo } : { mute: !mute });
    return true;
  }
  const way = { Comma: -1, Period: 1 }[event.code];
  if (way) {
    const { speed, semitones } = state.tuning;
    desk.tune(
      event.shiftKey ? { semitones: semitones + way } : { speed: speed + way * SPEEDS.step },
    );
    return true;
  }
  switch (event.key) {
    case " ":
      desk.toggle();
      return true;
    case "ArrowLeft":
      desk.seek(
        event.shiftKey
          ? (beats.findLast((time) => time < position - 0.15) ?? 0)
          : position - SEEK_S,
      );
      return true;
    case "ArrowRight":
      desk.seek(
        event.shiftKey
          ? (beats.find((time) => time > position + 0.02) ?? position)
          : position + SEEK_S,
      );
      return true;
    case "Home":
      desk.seek(0);
      return true;
    case "o":
      desk.setOriginal(!state.original);
      return true;
    case "l":
      desk.toggleLoop();
      return true;
    case "[":
      desk.setLoop({ start: position, end: state.loop?.end ?? state.duration });
      return true;
    case "]":
      desk.setLoop({ start: state.loop?.start ?? 0, end: position });
      return true;
    case "c":
      desk.setClick(!state.click);
      return true;
    case "n":
      desk.setAllNotes(NEXT_BALANCE[Math.round(2 * balanceOf(state))]!);
      return true;
    case "i":
      desk.setCountIn(!state.countIn);
      return true;
    case "+":
    case "=":
      view.setState((now) => zoomed(now, 0.5, position));
      return true;
    case "-":
      view.setState((now) => zoomed(now, 2, position));
      return true;
    case "0":
      view.setState((now) => within({ ...now, start: 0, span: now.duration }));
      return true;
    default:
      return false;
  }
}

/** How components follow a desk. */
import { useEffect, useRef } from "react";
import { useStore } from "zustand";
import type { Desk, DeskState } from "../../state/desk";

export function useDesk<T>(desk: Desk, select: (state: DeskState) => T): T {
  return useStore(desk.store, select);
}

/** Calls for each frame while a song plays, and once after each change while it does not. */
export function useFrames(desk: Desk, show: () => void): void {
  const latest = useRef(show);
  useEffect(() => {
    latest.current = show;
  });
  useEffect(() => {
    let frame = 0;
    const next = () => {
      frame = 0;
      latest.current();
      if (desk.state.state !== "paused") frame = requestAnimationFrame(next);
    };
    const wake = () => {
      if (!frame) frame = requestAnimationFrame(next);
    };
    wake();
    const stop = desk.store.subscribe(wake);
    return () => {
      stop();
      cancelAnimationFrame(frame);
    };
  }, [desk]);
}

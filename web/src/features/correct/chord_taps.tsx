/** Chords that are opened by a tap. */
import { type ReactNode, useContext, useEffect, useRef } from "react";
import { momentAt, type ViewStore } from "../../state/view";
import { CorrectorContext } from "./hooks";

const DRAG_PX = 6;

export function ChordTaps({ view, children }: { view: ViewStore; children: ReactNode }) {
  const corrector = useContext(CorrectorContext);
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const lane = ref.current!;
    if (!corrector) return;
    // The surface around captures the pointer, so that its end is heard by the window alone.
    const down = (event: PointerEvent) => {
      if (event.button) return;
      const { left, width } = lane.getBoundingClientRect();
      const moment = momentAt(view.getState(), event.clientX - left, width);
      const up = (end: PointerEvent) => {
        if (Math.abs(end.clientX - event.clientX) <= DRAG_PX) corrector.openChord(moment);
      };
      addEventListener("pointerup", up, { once: true });
    };
    lane.addEventListener("pointerdown", down);
    return () => lane.removeEventListener("pointerdown", down);
  }, [corrector, view]);
  return <div ref={ref}>{children}</div>;
}

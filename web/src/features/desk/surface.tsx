/** A lane that is touched: a tap goes there, a drag moves the song or chooses a part of it. */
import { type ReactNode, useEffect, useRef } from "react";
import type { Desk } from "../../state/desk";
import { momentAt, type ViewStore, within, zoomed } from "../../state/view";
import { classes } from "../../text";

const DRAG_PX = 6;

export function Surface({
  desk,
  view,
  drags,
  className,
  children,
}: {
  desk: Desk;
  view: ViewStore;
  drags: "song" | "loop";
  className?: string;
  children: ReactNode;
}) {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const lane = ref.current!;
    let from: { x: number; start: number; moment: number } | null = null;
    let dragging = false;
    const place = (event: PointerEvent | WheelEvent) => {
      const box = lane.getBoundingClientRect();
      return { x: event.clientX - box.left, width: box.width };
    };
    const down = (event: PointerEvent) => {
      if (event.button) return;
      const { x, width } = place(event);
      const now = view.getState();
      from = { x, start: now.start, moment: momentAt(now, x, width) };
      dragging = false;
      lane.setPointerCapture(event.pointerId);
    };
    const move = (event: PointerEvent) => {
      if (!from) return;
      const { x, width } = place(event);
      dragging ||= Math.abs(x - from.x) > DRAG_PX;
      if (!dragging) return;
      const now = view.getState();
      if (drags === "song") {
        view.setState(within({ ...now, start: from.start - ((x - from.x) / width) * now.span }));
      } else {
        const there = momentAt(now, x, width);
        desk.sketchLoop({ start: Math.min(from.moment, there), end: Math.max(from.moment, there) });
      }
    };
    const up = () => {
      if (from && !dragging) desk.seek(from.moment);
      else if (from && drags === "loop") desk.setLoop(desk.state.loop);
      from = null;
    };
    const wheel = (event: WheelEvent) => {
      const { x, width } = place(event);
      const now = view.getState();
      if (event.ctrlKey) {
        view.setState(zoomed(now, Math.exp(event.deltaY / 200), momentAt(now, x, width)));
      } else {
        const across = event.deltaX || (event.shiftKey ? event.deltaY : 0);
        if (!across) return;
        view.setState(within({ ...now, start: now.start + (across / width) * now.span }));
      }
      event.preventDefault();
    };
    const cancel = () => {
      from = null;
    };
    lane.addEventListener("pointerdown", down);
    lane.addEventListener("pointermove", move);
    lane.addEventListener("pointerup", up);
    lane.addEventListener("pointercancel", cancel);
    lane.addEventListener("wheel", wheel, { passive: false });
    return () => {
      lane.removeEventListener("pointerdown", down);
      lane.removeEventListener("pointermove", move);
      lane.removeEventListener("pointerup", up);
      lane.removeEventListener("pointercancel", cancel);
      lane.removeEventListener("wheel", wheel);
    };
  }, [desk, view, drags]);
  return (
    <div
      ref={ref}
      className={classes("relative touch-pan-y select-none overflow-hidden rounded-lg", className)}
    >
      {children}
      <div
        data-playhead
        className="pointer-events-none absolute inset-y-0 left-0 w-0.5 bg-text will-change-transform"
      />
    </div>
  );
}

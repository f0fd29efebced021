/** The whole song in one line, with a window on what is looked at. */
import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { levelFor } from "../../audio/peaks";
import { createView, following } from "../../state/view";
import { Canvas } from "./canvas";
import { drawWave, type Sheet } from "./draw";
import { useDesk } from "./hooks";
import { ROW, type RowProps } from "./row";

export function Overview({ desk, view, usePeaks }: Omit<RowProps, "analysis">) {
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
          <Canvas exact view={whole} draw={draw} className="h-10" />
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
function Jump({ desk, view, children }: Pick<RowProps, "desk" | "view"> & { children: ReactNode }) {
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

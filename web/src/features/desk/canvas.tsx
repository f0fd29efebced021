/** A canvas as wide as its place, which is drawn again when what it shows has changed. */
import { useEffect, useRef } from "react";
import { useLook } from "../../state/look";
import type { ViewStore } from "../../state/view";
import { classes } from "../../text";
import type { Sheet } from "./draw";

export function Canvas({
  view,
  draw,
  wake,
  className,
}: {
  view: ViewStore;
  /** Draws all; another function draws again. */
  draw: (sheet: Sheet) => void;
  /** Tells when there is more to be drawn. */
  wake?: ((again: () => void) => () => void) | undefined;
  className?: string;
}) {
  const ref = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const canvas = ref.current!;
    const context = canvas.getContext("2d")!;
    let frame = 0;
    const paint = () => {
      frame = 0;
      const { clientWidth: width, clientHeight: height } = canvas;
      if (!width || !height) return;
      const scale = Math.min(2, devicePixelRatio);
      const [across, down] = [Math.round(width * scale), Math.round(height * scale)];
      if (canvas.width !== across) canvas.width = across;
      if (canvas.height !== down) canvas.height = down;
      context.setTransform(scale, 0, 0, scale, 0, 0);
      context.clearRect(0, 0, width, height);
      const styles = getComputedStyle(canvas);
      const colour = (name: string) => styles.getPropertyValue(name);
      draw({ context, width, height, view: view.getState(), colour, again: later });
    };
    const later = () => {
      if (!frame) frame = requestAnimationFrame(paint);
    };
    const size = new ResizeObserver(later);
    size.observe(canvas);
    const stops = [view.subscribe(later), useLook.subscribe(later), wake?.(later)];
    const light = matchMedia("(prefers-color-scheme: light)");
    light.addEventListener("change", later);
    void document.fonts.ready.then(later);
    later();
    return () => {
      cancelAnimationFrame(frame);
      size.disconnect();
      light.removeEventListener("change", later);
      for (const stop of stops) stop?.();
    };
  }, [view, draw, wake]);
  return <canvas ref={ref} className={classes("block w-full", className)} />;
}

/**
 * A canvas as wide as its place, which shows what is between two moments.
 *
 * It is drawn farther than it is seen. As the song moves it is moved along, and drawn anew only
 * where it ends; when the song comes nearer it is stretched until it is drawn again.
 */
import { useEffect, useRef } from "react";
import { useLook } from "../../state/look";
import { type View, type ViewStore, xOf } from "../../state/view";
import { classes } from "../../text";
import type { Sheet } from "./draw";
import { paintNoMore, paintSoon } from "./painting";

const AHEAD = 0.2; // of the width, on each side
const NEAR = 0.05; // of the width: what is left there when it is time to draw more
const SEEN_SOON = "200px 0px";

export function Canvas({
  view,
  draw,
  wake,
  exact,
  className,
}: {
  view: ViewStore;
  /** Draws all; another function draws again. */
  draw: (sheet: Sheet) => void;
  /** Tells when there is more to be drawn. */
  wake?: ((again: () => void) => () => void) | undefined;
  /** Whether it is drawn just as far as it is seen, for what keeps to the edge. */
  exact?: boolean;
  className?: string;
}) {
  const ref = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const canvas = ref.current!;
    const place = canvas.parentElement!;
    const context = canvas.getContext("2d")!;
    const ahead = exact ? 0 : AHEAD;
    const colours = new Map<string, string>();
    let [width, height] = [0, 0];
    let drawn: View | null = null;
    let visible = false;
    const paint = () => {
      if (!width || !height || !visible) return;
      const now = view.getState();
      const scale = Math.min(2, devicePixelRatio);
      const wide = width * (1 + 2 * ahead);
      const [across, down] = [Math.round(wide * scale), Math.round(height * scale)];
      if (canvas.width !== across) canvas.width = across;
      if (canvas.height !== down) canvas.height = down;
      drawn = { ...now, start: now.start - ahead * now.span, span: now.span * (1 + 2 * ahead) };
      context.setTransform(scale, 0, 0, scale, 0, 0);
      context.clearRect(0, 0, wide, height);
      draw({ context, width: wide, height, view: drawn, colour, again: anew });
      move();
    };
    const colour = (name: string) => {
      let found = colours.get(name);
      if (found === undefined) {
        found = getComputedStyle(canvas).getPropertyValue(name);
        colours.set(name, found);
      }
      return found;
    };
    const anew = () => paintSoon(paint);
    const move = () => {
      if (!drawn) return;
      const now = view.getState();
      const stretch = drawn.span / (now.span * (1 + 2 * ahead));
      canvas.style.transform = `translateX(${xOf(now, drawn.start, width).toFixed(1)}px) scaleX(${stretch})`;
    };
    const moved = () => {
      move();
      if (!drawn || exact || drawn.span !== view.getState().span * (1 + 2 * ahead)) return anew();
      const { start, span, duration } = view.getState();
      const before = Math.max(0, start - NEAR * span);
      const after = Math.min(duration, start + (1 + NEAR) * span);
      if (before < drawn.start || after > drawn.start + drawn.span) anew();
    };
    const repainted = () => {
      colours.clear();
      anew();
    };
    const size = new ResizeObserver((entries) => {
      ({ width, height } = entries.at(-1)!.contentRect);
      canvas.style.width = `${width * (1 + 2 * ahead)}px`;
      anew();
    });
    size.observe(place);
    const sight = new IntersectionObserver(
      (entries) => {
        visible = entries.at(-1)!.isIntersecting;
        if (visible) anew();
      },
      { rootMargin: SEEN_SOON },
    );
    sight.observe(place);
    const stops = [view.subscribe(moved), useLook.subscribe(repainted), wake?.(anew)];
    const light = matchMedia("(prefers-color-scheme: light)");
    light.addEventListener("change", repainted);
    void document.fonts.ready.then(anew);
    return () => {
      paintNoMore(paint);
      size.disconnect();
      sight.disconnect();
      light.removeEventListener("change", repainted);
      for (const stop of stops) stop?.();
    };
  }, [view, draw, wake, exact]);
  return (
    <div className={classes("relative w-full overflow-hidden", className)}>
      <canvas ref={ref} className="absolute top-0 left-0 h-full max-w-none origin-left" />
    </div>
  );
}

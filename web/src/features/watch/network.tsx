/** The network at work: its layers, and a wave through them for each report that it makes. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef } from "react";
import type { Job, Stage } from "../../api/client";
import { networkQuery } from "../../api/queries";
import { useLook } from "../../state/look";
import type { Pace } from "../../state/pace";
import { type Box, type Plan, planOf, type Wire } from "./plan";
import { Pulses } from "./pulses";

const LABEL_PX = 68; // of room for each layer's name
const BASIC_PITCH = "basic-pitch";
const HEARING: ReadonlySet<Stage> = new Set(["transcribe"]);
const WORKING: ReadonlySet<Stage> = new Set(["separate", "judge", "transcribe"]);

export function Network({ job, pace }: { job: Job; pace: Pace }) {
  const hearing = pace.stage !== null && HEARING.has(pace.stage);
  const model = job.options.model?.split("+")[0] ?? "lite";
  const name = hearing ? BASIC_PITCH : model;
  const { data: layers } = useQuery(networkQuery(name));
  const plan = useMemo(() => planOf(layers ?? []), [layers]);
  const canvas = useRef<HTMLCanvasElement>(null);
  const pulses = useMemo(() => new Pulses(), []);
  const working = pace.stage !== null && WORKING.has(pace.stage);
  const redraw = useRef<() => void>(() => undefined);

  useEffect(() => {
    if (!canvas.current) return; // the layers are not there yet
    const drawing = drawingOf(canvas.current, plan, pulses);
    redraw.current = drawing.wake;
    return drawing.stop;
  }, [plan, pulses]);

  useEffect(() => {
    if (!working || pace.last === 0) return;
    pulses.tell(performance.now() / 1000);
    redraw.current();
  }, [pulses, working, pace.last]);

  if (!layers?.length) return null;
  return (
    <figure className="panel overflow-hidden p-5 pb-4">
      <canvas ref={canvas} data-testid="network" className="block h-56 w-full sm:h-72" />
      <figcaption className="mt-3 flex flex-wrap justify-between gap-x-6 text-sm text-quiet">
        <span>
          <span className="font-semibold text-text">{hearing ? "Basic Pitch" : model}</span>,{" "}
          {layers.length} layers
        </span>
        <span>Each wave is a report of the network. No report, no motion.</span>
      </figcaption>
    </figure>
  );
}

/** Draws when woken, and on as long as something moves. */
function drawingOf(canvas: HTMLCanvasElement, plan: Plan, pulses: Pulses) {
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const context = canvas.getContext("2d")!;
  let frame = 0;
  const paint = () => {
    frame = 0;
    const { clientWidth: width, clientHeight: height } = canvas;
    const scale = Math.min(2, devicePixelRatio);
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    context.scale(scale, scale);
    const waves = still.matches ? [] : pulses.at(performance.now() / 1000);
    draw(context, width, height, plan, waves);
    if (waves.length) wake();
  };
  const wake = () => {
    if (!frame) frame = requestAnimationFrame(paint);
  };
  const size = new ResizeObserver(wake);
  size.observe(canvas);
  const stopLook = useLook.subscribe(wake);
  const stop = () => {
    cancelAnimationFrame(frame);
    size.disconnect();
    stopLook();
  };
  return { wake, stop };
}

function draw(
  context: CanvasRenderingContext2D,
  width: number,
  height: number,
  plan: Plan,
  waves: readonly number[],
): void {
  const styles = getComputedStyle(context.canvas);
  const colour = (name: string) => styles.getPropertyValue(name);
  const breadth = Math.max(4, Math.min(22, (width / (plan.depth + 1)) * 0.42));
  const fronts = waves.map((wave) => wave * (plan.depth + 0.6));
  context.lineWidth = 1.25;
  for (const wire of plan.wires) {
    context.strokeStyle = colour(wire.skips ? "--line" : "--edge");
    context.globalAlpha = wire.skips ? 1 : 0.55;
    context.beginPath();
    const [from, to, a, b] = curve(wire, width, height);
    context.moveTo(...from);
    context.bezierCurveTo(...a, ...b, ...to);
    context.stroke();
  }
  context.globalAlpha = 1;
  for (const box of plan.boxes) {
    const near = fronts.map((front) => Math.max(0, 1 - Math.abs(front - box.depth) * 1.1));
    drawBox(context, box, width, height, breadth, Math.max(0, ...near), colour);
  }
  if (width / (plan.depth + 1) >= LABEL_PX) nameBoxes(context, plan, width, height, colour);
  context.fillStyle = colour("--accent-text");
  for (const front of fronts) {
    for (const wire of plan.wires) {
      const share = (front - wire.from.depth) / (wire.to.depth - wire.from.depth);
      if (share <= 0 || share >= 1) continue;
      for (const late of [0, 0.12, 0.24]) {
        const at = share - late;
        if (at <= 0) continue;
        const [x, y] = along(curve(wire, width, height), at);
        context.globalAlpha = 0.95 - late * 2.6;
        context.beginPath();
        context.arc(x, y, wire.skips ? 2 : 3 - 4 * late, 0, 2 * Math.PI);
        context.fill();
      }
    }
  }
  context.globalAlpha = 1;
}

function nameBoxes(
  context: CanvasRenderingContext2D,
  plan: Plan,
  width: number,
  height: number,
  colour: (name: string) => string,
): void {
  context.font = "11px 'Geist Variable', system-ui, sans-serif";
  context.fillStyle = colour("--quiet");
  context.textAlign = "center";
  for (const { layer, x, y, height: tall } of plan.boxes) {
    const name = layer.kind === "input" ? layer.name : layer.name.replace(/^(spectrum|wave) /, "");
    const half = context.measureText(name).width / 2;
    const middle = Math.min(Math.max(x * width, half), width - half);
    context.fillText(name, middle, (y + tall / 2) * height + 14);
  }
}

function drawBox(
  context: CanvasRenderingContext2D,
  box: Box,
  width: number,
  height: number,
  breadth: number,
  lit: number,
  colour: (name: string) => string,
): void {
  const tall = Math.max(8, box.height * height);
  const [left, top] = [box.x * width - breadth / 2, box.y * height - tall / 2];
  const shape = () => {
    context.beginPath();
    context.roundRect(left, top, breadth, tall, Math.min(6, breadth / 2));
  };
  context.fillStyle = colour("--lifted");
  context.strokeStyle = colour("--edge");
  shape();
  context.fill();
  context.stroke();
  // Stripes for its features: twice as many are one more.
  const stripes = Math.max(1, Math.round(Math.log2(box.layer.channels + 1)));
  context.fillStyle = colour("--edge");
  context.globalAlpha = 0.5;
  for (let k = 1; k <= stripes; k += 1) {
    context.fillRect(left + 3, top + (k * tall) / (stripes + 1), breadth - 6, 1);
  }
  if (lit > 0) {
    context.globalAlpha = lit;
    context.fillStyle = colour("--accent");
    shape();
    context.fill();
  }
  context.globalAlpha = 1;
}

type Point = [number, number];

function curve({ from, to, skips }: Wire, width: number, height: number) {
  const start: Point = [from.x * width, from.y * height];
  const end: Point = [to.x * width, to.y * height];
  const bend = (end[0] - start[0]) / 2;
  const below = from.y > 0.5;
  const edge = (box: Box) => (box.y + (below ? 1 : -1) * (box.height / 2)) * height;
  if (skips && from.y === to.y) {
    start[1] = edge(from);
    end[1] = edge(to);
    const out = (below ? 1 : -1) * Math.min(height * 0.1, 8 + bend * 0.2);
    const a: Point = [start[0] + bend * 0.5, start[1] + out];
    const b: Point = [end[0] - bend * 0.5, end[1] + out];
    return [start, end, a, b] as const;
  }
  const a: Point = [start[0] + bend, start[1]];
  const b: Point = [end[0] - bend, end[1]];
  return [start, end, a, b] as const;
}

/** A point of a Bézier curve. */
function along([from, to, a, b]: ReturnType<typeof curve>, t: number): Point {
  const u = 1 - t;
  const at = (k: 0 | 1) =>
    u ** 3 * from[k] + 3 * u * u * t * a[k] + 3 * u * t * t * b[k] + t ** 3 * to[k];
  return [at(0), at(1)];
}

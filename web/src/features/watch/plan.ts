/** Where the layers of a network are drawn. */
import type { Layer } from "../../api/client";

export interface Box {
  layer: Layer;
  /** How many layers lie between it and the input, at most. */
  depth: number;
  /** Its middle, and its height, in a drawing of width and height 1. */
  x: number;
  y: number;
  height: number;
}

export interface Wire {
  from: Box;
  to: Box;
  /** Whether it passes layers by. */
  skips: boolean;
}

export interface Plan {
  boxes: readonly Box[];
  wires: readonly Wire[];
  /** Depth of the last layer. */
  depth: number;
}

const MIDDLES = { spectrum: 0.31, wave: 0.75, both: 0.5 };
const HEIGHTS = { spectrum: 0.5, wave: 0.34, both: 0.8 };

export function planOf(layers: readonly Layer[]): Plan {
  const depths = new Map<string, number>();
  for (const { name, hears } of layers) {
    depths.set(
      name,
      hears.length ? Math.max(...hears.map((each) => depths.get(each) ?? 0)) + 1 : 0,
    );
  }
  const depth = Math.max(0, ...depths.values());
  const alone = layers.every((layer) => layer.branch !== "wave");
  const boxes = layers.map((layer): Box => {
    const own = depths.get(layer.name) ?? 0;
    const x = depth ? 0.03 + (0.94 * own) / depth : 0.5;
    const y = alone ? 0.5 : MIDDLES[layer.branch];
    const height = (alone ? 0.8 : HEIGHTS[layer.branch]) * layer.extent;
    return { layer, depth: own, x, y, height };
  });
  const named = new Map(boxes.map((box) => [box.layer.name, box]));
  const wires = boxes.flatMap((to) =>
    to.layer.hears.map((name): Wire => {
      const from = named.get(name)!;
      return { from, to, skips: to.depth - from.depth > 1 };
    }),
  );
  return { boxes, wires, depth };
}

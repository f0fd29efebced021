import { expect, test } from "vitest";
import type { Layer } from "../../api/client";
import { planOf } from "./plan";
import { CROSSING_S, Pulses } from "./pulses";

test("nothing moves before a report, nor when its wave has gone through", () => {
  const pulses = new Pulses();
  expect(pulses.at(5)).toEqual([]);
  pulses.tell(10);
  pulses.tell(10 + CROSSING_S / 2);
  expect(pulses.at(10 + CROSSING_S / 2)).toEqual([expect.closeTo(0.5), 0]);
  expect(pulses.at(10 + 2 * CROSSING_S)).toEqual([]);
});

const layer = (name: string, branch: Layer["branch"], ...hears: string[]): Layer => ({
  name,
  kind: "block",
  branch,
  channels: 4,
  extent: 0.5,
  hears,
});

test("a layer stands after all that it hears", () => {
  const plan = planOf([
    layer("in", "spectrum"),
    layer("deep", "spectrum", "in"),
    layer("out", "both", "deep", "in"),
  ]);
  expect(plan.boxes.map((box) => box.depth)).toEqual([0, 1, 2]);
  expect(plan.wires.map((wire) => wire.skips)).toEqual([false, false, true]);
  expect(plan.boxes[0]!.x).toBeLessThan(plan.boxes[1]!.x);
});

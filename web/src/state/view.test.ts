import { expect, test } from "vitest";
import { following, lengthened, momentAt, type View, within, xOf, zoomed } from "./view";

const view: View = { start: 20, span: 40, duration: 100 };

test("a view stays within the song", () => {
  expect(within({ ...view, start: -5 }).start).toBe(0);
  expect(within({ ...view, start: 90 }).start).toBe(60);
  expect(within({ ...view, span: 900 })).toEqual({ start: 0, span: 100, duration: 100 });
  expect(within({ ...view, span: 0.1 }).span).toBe(1);
});

test("what is under the hand stays there when it comes nearer", () => {
  const near = zoomed(view, 0.5, 30);
  expect(near.span).toBe(20);
  expect(xOf(near, 30, 800)).toBeCloseTo(xOf(view, 30, 800));
});

test("the page is turned when the playhead leaves it, not before", () => {
  expect(following(view, 50)).toBe(view);
  const turned = following(view, 59.5);
  expect(xOf(turned, 59.5, 1000)).toBeCloseTo(30);
  expect(following(view, 3).start).toBeCloseTo(1.8);
});

test("a song that grows keeps what is seen of it", () => {
  expect(lengthened({ start: 0, span: 1, duration: 0 }, 600).span).toBe(30);
  expect(lengthened(view, 200)).toEqual({ ...view, duration: 200 });
  expect(lengthened({ start: 0, span: 100, duration: 100 }, 120).span).toBe(120);
});

test("places and moments are each other's inverse", () => {
  expect(momentAt(view, xOf(view, 33.3, 640), 640)).toBeCloseTo(33.3);
});

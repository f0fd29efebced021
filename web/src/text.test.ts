import { expect, test } from "vitest";
import { ago, bytes, clock, duration, titleOf } from "./text";

test("numbers read as people say them", () => {
  expect([clock(0), clock(187.26, true), clock(3725)]).toEqual(["0:00", "3:07.2", "1:02:05"]);
  expect([duration(0.2), duration(42), duration(200), duration(9000)]).toEqual([
    "1 s",
    "42 s",
    "3 min",
    "2.5 h",
  ]);
  expect([bytes(0), bytes(999_600), bytes(3_420_000), bytes(100e6)]).toEqual([
    "0 B",
    "1.0 MB",
    "3.4 MB",
    "100 MB",
  ]);
  expect(ago("2026-01-01T00:00:00Z", Date.parse("2026-01-01T00:10:00Z"))).toBe("10 min ago");
  expect([titleOf("a.b.mp3"), titleOf(".mp3")]).toEqual(["a.b", ".mp3"]);
});

import { expect, test } from "vitest";
import type { Limits } from "../api/client";
import { fault, tooLong } from "./check";

const limits = { max_upload_bytes: 100e6, max_duration_s: 3600 } as Limits;
const file = (name: string, size = 1e6, type = "") => ({ name, size, type });

test.each([
  ["empty", file("a.wav", 0), /0 bytes/],
  ["a document", file("a.pdf", 5, "application/pdf"), /not look like a recording/],
  ["notes", file("a.mid", 5, "audio/midi"), /no sound/],
  ["a large WAV", file("a.wav", 200e6), /200 MB.*100 MB.*FLAC/],
  ["a large video", file("a.mp4", 2e9, "video/mp4"), /2\.0 GB.*its sound alone/],
])("%s is refused with a cure", (_, given, reason) => {
  expect(fault(given, limits)).toMatch(reason);
});

test.each([file("Für Elise.FLAC"), file("a", 5, "audio/x-wav"), file("a.mkv")])(
  "what may be a recording is let through",
  (given) => expect(fault(given, limits)).toBeNull(),
);

test("a recording of three hours is too long", () => {
  expect(tooLong(3 * 3600, limits)).toMatch(/3\.0 h.*60 min/);
  expect(tooLong(3600, limits)).toBeNull();
});

import { expect, test } from "vitest";
import type { Job } from "../../api/client";
import { commonStems, named } from "./runs";

const run = (...stems: string[]) =>
  ({ files: [...stems.map((of) => ({ kind: "stem", of })), { kind: "midi", of: "all" }] }) as Job;
const file = (name: string) => new File([], name);

test("runs are compared by the stems that both have", () => {
  expect(commonStems([run("vocals", "drums", "bass"), run("bass", "vocals")])).toEqual([
    "vocals",
    "bass",
  ]);
});

test("a true stem is known by its name", () => {
  const [bass, vocals] = [file("Song - Bass.flac"), file("01 vocals.wav")];
  expect([...named([bass, vocals], ["vocals", "bass"])]).toEqual([
    ["bass", bass],
    ["vocals", vocals],
  ]);
  expect(() => named([file("a.wav")], ["vocals", "bass"])).toThrow(/Which stem is a.wav/);
  expect(() => named([bass, file("bass.wav")], ["bass"])).toThrow(/Both .* called bass/);
});

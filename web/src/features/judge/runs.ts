/** Finished jobs beside each other, and files that belong to their stems. */
import type { Job } from "../../api/client";
import { titleOf } from "../../text";

/** What runs are called beside each other. */
export const RUN_NAMES = ["A", "B"] as const;

/** The stems that all runs have, in the order of the first. */
export function commonStems(runs: readonly Job[]): string[] {
  const [first = [], ...rest] = runs.map((job) =>
    job.files.flatMap((file) => (file.kind === "stem" && file.of ? [file.of] : [])),
  );
  return first.filter((stem) => rest.every((stems) => stems.includes(stem)));
}

/** Which file is which stem, by its name; throws where that cannot be told. */
export function named(files: readonly File[], stems: readonly string[]): Map<string, File> {
  const found = new Map<string, File>();
  for (const file of files) {
    const name = titleOf(file.name).toLowerCase();
    const stem = stems.find((each) => name.includes(each.toLowerCase()));
    if (!stem) {
      throw new Error(`Which stem is ${file.name}? Name it after one of: ${stems.join(", ")}.`);
    }
    if (found.has(stem)) {
      throw new Error(`Both ${found.get(stem)?.name} and ${file.name} are called ${stem}. Which?`);
    }
    found.set(stem, file);
  }
  return found;
}

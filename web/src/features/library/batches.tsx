/** Songs that were sent together, and how far they are. */
import { useQuery } from "@tanstack/react-query";
import type { BatchSummary, JobState } from "../../api/client";
import { batchesQuery } from "../../api/queries";
import { batchPath } from "../../route";
import { ago } from "../../text";
import { Bar, Link } from "../../ui/controls";
import { STATE_WORDS } from "./job_row";

const STATES = ["done", "running", "queued", "failed", "cancelled"] as const;

export function Batches() {
  const batches = useQuery(batchesQuery).data?.filter((batch) => countOf(batch) > 0) ?? [];
  if (batches.length === 0) return null;
  return (
    <details className="mt-4" open={batches.some((batch) => batch.fraction < 1)}>
      <summary className="flex min-h-9 items-center gap-2 rounded-lg font-medium">
        Batches <span className="font-normal text-quiet">{batches.length}</span>
      </summary>
      <ul className="grid gap-2 sm:grid-cols-2">
        {batches.map((batch) => (
          <li key={batch.id} className="panel">
            <Link
              href={batchPath(batch.id)}
              className="grid gap-1.5 rounded-2xl px-4 py-3 hover:bg-lifted"
            >
              <span className="flex justify-between gap-4">
                <span className="truncate font-medium">{batch.name}</span>
                <time dateTime={batch.created} className="shrink-0 text-[0.9375rem] text-quiet">
                  {ago(batch.created)}
                </time>
              </span>
              <Bar share={batch.fraction} label={`${batch.name}: done`} />
              <span className="text-[0.9375rem] text-quiet">{inWords(batch.states)}</span>
            </Link>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** How many songs are in which state: "2 done, 1 at work". */
export function inWords(states: Partial<Record<JobState, number>>): string {
  const there = STATES.filter((state) => states[state]);
  return there.map((state) => `${states[state]} ${STATE_WORDS[state]}`).join(", ");
}

function countOf({ states }: BatchSummary): number {
  return Object.values(states).reduce((sum, count) => sum + (count ?? 0), 0);
}

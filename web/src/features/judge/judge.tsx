/** How good the stems are: by themselves, against the true ones, against another run. */
import { useQueries, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Job } from "../../api/client";
import { jobQuery, libraryQuery } from "../../api/queries";
import { ago } from "../../text";
import { Scores } from "./scores";
import { Switch } from "./switch";
import { TrueStems } from "./true_stems";

export function Judge({ job, onPlay }: { job: Job; onPlay: () => void }) {
  const [otherId, setOtherId] = useState("");
  const others = useOtherRuns(job);
  const other = others.find((each) => each.id === otherId);
  const runs = other ? [job, other] : [job];
  return (
    <section aria-labelledby="judge" className="mt-14">
      <div className="flex flex-wrap items-center gap-3">
        <h2 id="judge" className="mr-auto text-2xl font-semibold tracking-tight">
          Judge
        </h2>
        {others.length > 0 && (
          <label className="flex min-w-0 items-center gap-2">
            <span className="shrink-0 text-quiet">beside</span>
            <select
              aria-label="Another run of this recording"
              className="field min-w-0 rounded-full px-4"
              value={otherId}
              onChange={(event) => setOtherId(event.target.value)}
            >
              <option value="">no other run</option>
              {others.map((each) => (
                <option key={each.id} value={each.id}>
                  {each.options.model}, {ago(each.created)}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
      {other && <Switch key={other.id} runs={[job, other]} onPlay={onPlay} />}
      <Scores runs={runs} />
      <TrueStems runs={runs} />
    </section>
  );
}

/** The other finished jobs of the same recording, the newest first. */
function useOtherRuns(job: Job): Job[] {
  const library = useQuery(libraryQuery).data?.jobs ?? [];
  const alike = library.filter(
    ({ id, kind, state, upload_id }) =>
      kind === "process" && state === "done" && upload_id === job.upload_id && id !== job.id,
  );
  const found = useQueries({ queries: alike.map(({ id }) => jobQuery(id)) });
  return found.flatMap(({ data }) => data ?? []);
}

/** All songs of this server, the newest first. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useDeferredValue, useState } from "react";
import { api, type JobSummary } from "../../api/client";
import { libraryQuery, queries } from "../../api/queries";
import { Button, IconButton, Notice } from "../../ui/controls";
import { Icon } from "../../ui/icons";
import { Batches } from "./batches";
import { JobRow } from "./job_row";

export function Library() {
  const library = useQuery(libraryQuery);
  const [search, setSearch] = useState("");
  const words = useDeferredValue(search.toLocaleLowerCase().split(/\s+/));
  const [removed, setRemoved] = useState<JobSummary | null>(null);
  const onSettled = () => queries.invalidateQueries({ queryKey: ["jobs"] });
  const remove = useMutation({
    mutationFn: (job: JobSummary) =>
      api.DELETE("/api/v1/jobs/{job_id}", { params: { path: { job_id: job.id } } }),
    onSuccess: (_, job) => setRemoved(job),
    onSettled,
  });
  const restore = useMutation({
    mutationFn: (job: JobSummary) =>
      api.POST("/api/v1/jobs/{job_id}/restore", { params: { path: { job_id: job.id } } }),
    onSuccess: () => setRemoved(null),
    onSettled,
  });
  const fault = library.error ?? remove.error ?? restore.error;
  const jobs = library.data?.jobs.filter((job) => job.kind === "process") ?? [];
  const shown = jobs.filter((job) => {
    const name = job.name.toLocaleLowerCase();
    return words.every((word) => name.includes(word));
  });
  return (
    <section aria-labelledby="library" className="mt-14">
      <div className="flex flex-wrap items-end justify-between gap-4">
        <h2 id="library" className="text-2xl font-semibold tracking-tight">
          Library
          {jobs.length > 0 && (
            <span className="ml-2 align-middle text-base font-normal text-quiet">
              {jobs.length}
            </span>
          )}
        </h2>
        {jobs.length > 0 && (
          <label className="field flex w-full items-center gap-2 rounded-full px-3.5 sm:w-72">
            <span className="text-quiet">
              <Icon name="search" />
            </span>
            <input
              type="search"
              aria-label="Search the library"
              placeholder="Search"
              className="w-full bg-transparent outline-none"
              value={search}
              onChange={(event) => setSearch(event.target.value)}
            />
          </label>
        )}
      </div>
      {fault && (
        <Notice kind="bad" className="mt-4">
          {fault.message}
        </Notice>
      )}
      <div role="status">
        {removed && (
          <Notice kind="calm" className="mt-4 flex items-center justify-between gap-4">
            <span>{removed.name} is removed.</span>
            <Button icon="retry" onClick={() => restore.mutate(removed)}>
              Undo
            </Button>
          </Notice>
        )}
      </div>
      {!search && <Batches />}
      {library.isSuccess && shown.length === 0 && (
        <p className="mt-4 rounded-2xl border border-dashed border-edge px-6 py-10 text-center text-quiet">
          {jobs.length
            ? "No song is called that."
            : "Nothing here yet. The first song that you bring will be."}
        </p>
      )}
      <ul className="mt-4 divide-y divide-line">
        {shown.map((job) => (
          <JobRow key={job.id} job={job}>
            <IconButton
              icon="trash"
              label={`Remove ${job.name}`}
              onClick={() => remove.mutate(job)}
            />
          </JobRow>
        ))}
      </ul>
    </section>
  );
}

/** Songs that were sent together: how far all are, and all results at once. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { API, api, type Batch, Refusal } from "../../api/client";
import { batchQuery, isActive, queries } from "../../api/queries";
import { Bar, Button, DownloadLink, Notice } from "../../ui/controls";
import { NowherePage } from "../nowhere";
import { inWords } from "./batches";
import { JobRow } from "./job_row";

export function BatchPage({ id }: { id: string }) {
  const { data: batch, error } = useQuery(batchQuery(id));
  if (error instanceof Refusal && error.status === 404) return <NowherePage />;
  if (batch) return <Songs batch={batch} />;
  return error ? (
    <Notice kind="bad" className="mt-8">
      {error.message}
    </Notice>
  ) : (
    <p className="mt-8 text-quiet">Looking for it…</p>
  );
}

function Songs({ batch }: { batch: Batch }) {
  const stop = useMutation({
    mutationFn: () =>
      api.POST("/api/v1/batches/{batch_id}/cancel", { params: { path: { batch_id: batch.id } } }),
    onSettled: () => queries.invalidateQueries({ queryKey: ["batches"] }),
  });
  const active = batch.jobs.some((job) => isActive(job.state));
  const percent = Math.floor(batch.fraction * 100);
  return (
    <>
      <title>{`${batch.name} · Unbraid`}</title>
      <h1 className="mt-2 text-3xl font-bold tracking-[-0.03em] sm:text-5xl">{batch.name}</h1>
      <section aria-label="Progress" className="panel mt-6 p-6">
        <div className="flex flex-wrap items-baseline justify-between gap-x-6 gap-y-2">
          <p className="text-lg font-medium" aria-live="polite">
            {inWords(batch.states) || "All its songs were removed"}
          </p>
          <p className="font-mono text-4xl font-semibold tabular-nums tracking-tight">{percent}%</p>
        </div>
        <Bar className="mt-4" share={batch.fraction} label="All songs" />
        <div className="mt-5 flex flex-wrap gap-3">
          {batch.states.done && (
            <DownloadLink kind="main" href={`${API}/batches/${batch.id}/zip`}>
              {active ? "What is done, as ZIP" : "All as ZIP"}
            </DownloadLink>
          )}
          {active && (
            <Button icon="close" disabled={stop.isPending} onClick={() => stop.mutate()}>
              Stop all
            </Button>
          )}
        </div>
      </section>
      {stop.error && (
        <Notice kind="bad" className="mt-4">
          {stop.error.message}
        </Notice>
      )}
      {batch.skipped.length > 0 && (
        <Notice className="mt-4">Not recordings, so left out: {batch.skipped.join(", ")}.</Notice>
      )}
      <ul aria-label="Songs" className="mt-6 divide-y divide-line">
        {batch.jobs.map((job) => (
          <JobRow key={job.id} job={job} />
        ))}
      </ul>
    </>
  );
}

/** One song: what happens to it, then what became of it. */
import { useQuery } from "@tanstack/react-query";
import { Refusal } from "../../api/client";
import { jobQuery } from "../../api/queries";
import { titleOf } from "../../text";
import { Notice } from "../../ui/controls";
import { NowherePage } from "../nowhere";
import { Watch } from "../watch/watch";
import { Result } from "./result";

export function JobPage({ id }: { id: string }) {
  const { data: job, error } = useQuery(jobQuery(id));
  if (error instanceof Refusal && error.status === 404) return <NowherePage />;
  if (!job) {
    return error ? (
      <Notice kind="bad" className="mt-8">
        {error.message}
      </Notice>
    ) : (
      <p className="mt-8 text-quiet">Looking for it…</p>
    );
  }
  const title = titleOf(job.file_name);
  return (
    <>
      <title>{`${title} · Unbraid`}</title>
      <h1 className="mt-2 text-3xl font-bold tracking-[-0.03em] sm:text-5xl">{title}</h1>
      {job.state === "done" ? <Result job={job} /> : <Watch job={job} />}
    </>
  );
}

/** A song in a list. */
import type { ReactNode } from "react";
import type { JobState, JobSummary } from "../../api/client";
import { isActive } from "../../api/queries";
import { jobPath } from "../../route";
import { ago, classes, duration } from "../../text";
import { Bar, Link } from "../../ui/controls";

export const STATE_WORDS: Record<JobState, string> = {
  queued: "waiting",
  running: "at work",
  done: "done",
  failed: "failed",
  cancelled: "cancelled",
};

export function JobRow({ job, children }: { job: JobSummary; children?: ReactNode }) {
  const title = job.name;
  const took =
    job.started && job.finished && job.state === "done"
      ? `in ${duration((Date.parse(job.finished) - Date.parse(job.started)) / 1000)}`
      : null;
  return (
    <li className="group relative flex items-center gap-3 py-1">
      <Link
        href={jobPath(job.id)}
        className="flex min-w-0 flex-1 flex-wrap items-center gap-x-5 gap-y-1 rounded-xl px-3 py-3 hover:bg-raised"
      >
        <span className="min-w-0 flex-1 basis-48 truncate font-medium">{title}</span>
        {isActive(job.state) && (
          <Bar className="w-32" share={job.fraction ?? 0} label={`${title}: done`} />
        )}
        <span
          className={classes(
            "text-[0.9375rem]",
            job.state === "failed"
              ? "text-bad"
              : isActive(job.state)
                ? "text-accent-text"
                : "text-quiet",
          )}
        >
          {STATE_WORDS[job.state]} {took}
        </span>
        <time dateTime={job.created} className="text-[0.9375rem] text-quiet sm:w-28 sm:text-right">
          {ago(job.created)}
        </time>
      </Link>
      {children}
    </li>
  );
}

/** What can be taken along. */
import { API, type Job } from "../../api/client";
import type { Desk } from "../../state/desk";
import { bytes } from "../../text";
import { DownloadLink } from "../../ui/controls";

export function Take({ job }: { job: Job; desk: Desk }) {
  return (
    <section aria-labelledby="take" className="mt-14">
      <div className="flex flex-wrap items-center justify-between gap-4">
        <h2 id="take" className="text-2xl font-semibold tracking-tight">
          Take
        </h2>
        <DownloadLink kind="main" href={`${API}/jobs/${job.id}/zip`}>
          All as ZIP
        </DownloadLink>
      </div>
      <ul className="mt-4 grid gap-2 sm:grid-cols-2 lg:grid-cols-3">
        {job.files.map((file) => (
          <li key={file.name}>
            <a
              href={file.url}
              download
              className="panel flex min-h-12 items-center justify-between gap-3 px-4 py-2 hover:bg-lifted"
            >
              <span className="truncate">{file.name}</span>
              <span className="shrink-0 font-mono text-sm text-quiet">
                {bytes(file.size_bytes)}
              </span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** A link to a file, or to all of them, for those who have no account. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { api, body, type Job } from "../../api/client";
import { meQuery } from "../../api/queries";
import { Button, Notice } from "../../ui/controls";

const HOUR_S = 3_600;
const TIMES = [
  [HOUR_S, "an hour"],
  [24 * HOUR_S, "a day"],
  [7 * 24 * HOUR_S, "a week"],
] as const;

export function Share({ job }: { job: Job }) {
  const mode = useQuery(meQuery).data?.mode;
  const [what, time] = [useId(), useId()];
  const [copied, setCopied] = useState(false);
  const make = useMutation({
    mutationFn: async (form: FormData) => {
      const params = { path: { job_id: job.id } };
      const name = String(form.get("name")) || null;
      const expires_in = Number(form.get("expires_in"));
      const link = await body(
        api.POST("/api/v1/jobs/{job_id}/links", { params, body: { name, expires_in } }),
      );
      const url = new URL(link.url, location.href).href;
      setCopied(await copy(url));
      return { url, expires: new Date(link.expires) };
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    make.mutate(new FormData(event.currentTarget));
  };
  return (
    <details className="mt-6">
      <summary className="inline-flex min-h-9 items-center rounded-lg text-[0.9375rem] text-quiet underline hover:text-text">
        Copy a link for others
      </summary>
      <form onSubmit={submit} className="panel mt-2 grid max-w-2xl gap-3 p-5">
        <p className="text-[0.9375rem] text-quiet">
          {mode === "server"
            ? "Whoever has the link can fetch what it is to, without an account, until it is over. To end it earlier, remove the song."
            : "This server answers on this machine alone, and so do its links; they end when it stops. For other people, send the files."}
        </p>
        <div className="flex flex-wrap items-end gap-3">
          <div className="grid min-w-0 flex-1 basis-48 gap-1.5">
            <label htmlFor={what}>To</label>
            <select id={what} name="name" className="field w-full">
              <option value="">all as a ZIP</option>
              {job.files.map((file) => (
                <option key={file.name}>{file.name}</option>
              ))}
            </select>
          </div>
          <div className="grid gap-1.5">
            <label htmlFor={time}>For</label>
            <select id={time} name="expires_in" className="field" defaultValue={24 * HOUR_S}>
              {TIMES.map(([seconds, name]) => (
                <option key={seconds} value={seconds}>
                  {name}
                </option>
              ))}
            </select>
          </div>
          <Button type="submit" disabled={make.isPending}>
            Copy the link
          </Button>
        </div>
        <div role="status" className="empty:hidden">
          {make.data && (
            <label className="grid gap-1.5">
              {copied ? "It is copied" : "Take it from here"}; it works until{" "}
              {make.data.expires.toLocaleString()}.
              <input
                readOnly
                className="field w-full font-mono text-sm"
                value={make.data.url}
                onFocus={(event) => event.target.select()}
              />
            </label>
          )}
        </div>
        {make.error && <Notice kind="bad">{make.error.message}</Notice>}
      </form>
    </details>
  );
}

/** Whether a text could be put into the clipboard, which browsers may refuse. */
function copy(text: string): Promise<boolean> {
  const written = navigator.clipboard?.writeText(text);
  return written
    ? written.then(
        () => true,
        () => false,
      )
    : Promise.resolve(false);
}

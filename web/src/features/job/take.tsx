/** What can be taken along: stems, notes, the mix as it is heard, everything at once. */
import { useMutation } from "@tanstack/react-query";
import { type DragEvent, type ReactNode, useState } from "react";
import { API, CSRF, type Job, type ResultFile, refusalOf } from "../../api/client";
import { type Desk, mixOf } from "../../state/desk";
import { FORMATS, type Format } from "../../state/wish";
import { bytes } from "../../text";
import { Button, DownloadLink, Notice } from "../../ui/controls";
import { Icon } from "../../ui/icons";
import { Exports } from "./exports";
import { Share } from "./share";

export function Take({ job, desk }: { job: Job; desk: Desk }) {
  const [format, setFormat] = useState<Format>(job.options.format ?? "wav");
  const of = (kind: ResultFile["kind"]) => job.files.filter((file) => file.kind === kind);
  const sounds = [...of("stem"), ...of("residual")];
  const notes = new Map(of("midi").map((file) => [file.of, file]));
  const others = job.files.filter(
    (file) => !sounds.includes(file) && notes.get(file.of) !== file && file.kind !== "raw midi",
  );
  const all = notes.get("all");
  return (
    <section aria-labelledby="take" className="mt-14">
      <div className="flex flex-wrap items-center gap-3">
        <h2 id="take" className="mr-auto text-2xl font-semibold tracking-tight">
          Take
        </h2>
        <label className="flex items-center gap-2">
          <span className="text-quiet">as</span>
          <select
            aria-label="Format"
            className="field rounded-full px-4"
            value={format}
            onChange={(event) => setFormat(event.target.value as Format)}
          >
            {FORMATS.map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <MixAsHeard job={job} desk={desk} format={format} />
        <DownloadLink kind="main" href={`${API}/jobs/${job.id}/zip`}>
          All as ZIP
        </DownloadLink>
      </div>
      <ul className="mt-5 grid gap-3 sm:grid-cols-2 lg:grid-cols-4">
        {sounds.map((file) => {
          const stem = file.of ?? file.name;
          const midi = notes.get(stem);
          return (
            <li key={file.name} data-stem={stem} className="panel overflow-hidden">
              <div className="flex items-center gap-2 px-4 pt-3 font-semibold">
                <span aria-hidden="true" className="size-2.5 rounded-full bg-stem" />
                {stem}
              </div>
              <div className="mt-1 grid p-1.5">
                <FileLink
                  href={soundUrl(job, file, format)}
                  name={`${job.name} - ${stem}.${format}`}
                  label={`${stem} as ${format.toUpperCase()}`}
                >
                  {format.toUpperCase()}
                  {file.name.endsWith(`.${format}`) && <Size file={file} />}
                </FileLink>
                {midi && (
                  <FileLink
                    href={midi.url}
                    name={`${job.name} - ${stem}.mid`}
                    label={`${stem} as MIDI`}
                  >
                    MIDI
                    <Size file={midi} />
                  </FileLink>
                )}
              </div>
            </li>
          );
        })}
      </ul>
      <ul className="mt-3 flex flex-wrap gap-2">
        {[...(all ? [all] : []), ...others].map((file) => (
          <li key={file.name} className="panel">
            <FileLink href={file.url} name={file.name.replace(/.*\//, "")} label={file.name}>
              {file === all ? "all notes as MIDI" : file.name.replace(/.*\//, "")}
              <Size file={file} />
            </FileLink>
          </li>
        ))}
      </ul>
      <Exports job={job} />
      <Share job={job} />
    </section>
  );
}

/** A stem as it lies there, or made in another format. */
function soundUrl(job: Job, file: ResultFile, format: Format): string {
  const made = file.kind === "stem" && !file.name.endsWith(`.${format}`);
  if (!made) return file.url;
  return `${API}/jobs/${job.id}/stems/${encodeURIComponent(file.of ?? "")}?format=${format}`;
}

function Size({ file }: { file: ResultFile }) {
  return <span className="ml-auto font-mono text-sm text-quiet">{bytes(file.size_bytes)}</span>;
}

/** A download that can also be dragged out of the page, into a folder or a DAW. */
function FileLink({
  href,
  name,
  label,
  children,
}: {
  href: string;
  name: string;
  label: string;
  children: ReactNode;
}) {
  const drag = (event: DragEvent) => {
    const address = new URL(href, location.href).href;
    event.dataTransfer.setData("DownloadURL", `application/octet-stream:${name}:${address}`);
  };
  return (
    <a
      href={href}
      download={name}
      draggable
      onDragStart={drag}
      aria-label={`Download ${label}`}
      className="flex min-h-10 items-center gap-2.5 rounded-xl px-2.5 hover:bg-lifted"
    >
      <span className="text-quiet">
        <Icon name="download" />
      </span>
      {children}
    </a>
  );
}

function MixAsHeard({ job, desk, format }: { job: Job; desk: Desk; format: Format }) {
  const mix = useMutation({
    mutationFn: async () => {
      const answer = await fetch(`${API}/jobs/${job.id}/mix`, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...CSRF },
        body: JSON.stringify({ stems: mixOf(desk.state), format }),
      });
      if (!answer.ok) throw await refusalOf(answer);
      await answer.body?.cancel(); // it is had again below, by the browser's own download
      const link = document.createElement("a");
      link.href = answer.headers.get("Content-Location") ?? "";
      link.download = `${job.name} - mix.${format}`;
      link.click();
    },
  });
  return (
    <>
      <Button icon="download" disabled={mix.isPending} onClick={() => mix.mutate()}>
        {mix.isPending ? "Mixing…" : "The mix as heard"}
      </Button>
      {mix.error && (
        <Notice kind="bad" className="order-last basis-full">
          {mix.error.message}
        </Notice>
      )}
    </>
  );
}

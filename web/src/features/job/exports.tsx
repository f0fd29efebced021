/** What else can be made of a result: pages, scores, projects, stems for DJs. */
import { useMutation } from "@tanstack/react-query";
import { api, body, type Job } from "../../api/client";
import { Button, Notice } from "../../ui/controls";
import { Making } from "./making";

const EXPORTS = [
  ["report", "Report"],
  ["musicxml", "Score (MusicXML)"],
  ["chords", "Chord chart"],
  ["dawproject", "DAWproject"],
  ["stem", "Stems for DJs"],
  ["multichannel", "Multichannel WAV"],
  ["click", "Click track"],
  ["spectra", "Spectra"],
] as const;

type ExportName = (typeof EXPORTS)[number][0];

export function Exports({ job }: { job: Job }) {
  const there = new Set(job.files.filter((file) => file.kind === "export").map((file) => file.of));
  const missing = EXPORTS.filter(([name]) => !there.has(name));
  const make = useMutation({
    mutationFn: (name: ExportName) =>
      body(
        api.POST("/api/v1/jobs/{job_id}/exports", {
          params: { path: { job_id: job.id } },
          body: { formats: [name] },
        }),
      ),
  });
  if (missing.length === 0) return null;
  return (
    <div className="mt-6">
      <h3 className="text-sm text-quiet">Make more of it</h3>
      <div className="mt-2 flex flex-wrap gap-2">
        {missing.map(([name, title]) => (
          <Button
            key={name}
            icon="plus"
            disabled={make.isPending}
            onClick={() => make.mutate(name)}
          >
            {title}
          </Button>
        ))}
      </div>
      {make.error && (
        <Notice kind="bad" className="mt-3">
          {make.error.message}
        </Notice>
      )}
      {make.data && (
        <Making key={make.data.id} id={make.data.id} parent={job.id} text="It is being made…" />
      )}
    </div>
  );
}

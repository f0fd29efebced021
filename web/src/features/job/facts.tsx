/** A song in a few words. */
import type { ReactNode } from "react";
import type { Job } from "../../api/client";
import { type Analysis, pretty } from "../../music/analysis";
import { clock, duration } from "../../text";
import { Notice } from "../../ui/controls";
import { useManifest } from "./music";

export function Facts({ job, analysis }: { job: Job; analysis: Analysis | null }) {
  const manifest = useManifest(job);
  const took =
    job.started && job.finished
      ? (Date.parse(job.finished) - Date.parse(job.started)) / 1000
      : null;
  const key = analysis?.key;
  return (
    <>
      <dl className="mt-6 grid grid-cols-2 gap-px overflow-hidden rounded-2xl border border-line bg-line sm:grid-cols-3 lg:grid-cols-6">
        <Fact name="Tempo" bright>
          {analysis?.bpm ? `${analysis.bpm} BPM` : analysis?.tempo.rubato ? "rubato" : "–"}
        </Fact>
        <Fact name="Key" bright more={key?.camelot}>
          {key ? `${pretty(key.tonic)} ${key.mode}` : "–"}
        </Fact>
        <Fact name="Metre">{analysis?.metre ?? "–"}</Fact>
        <Fact name="Length">{manifest ? clock(manifest.input.duration_s) : "–"}</Fact>
        <Fact name="Loudness">
          {typeof analysis?.loudness.integrated_lufs === "number"
            ? `${analysis.loudness.integrated_lufs.toFixed(1)} LUFS`
            : "–"}
        </Fact>
        <Fact name="Taken apart by" more={took ? `in ${duration(took)}` : undefined}>
          {manifest?.model.name ?? job.options.model}
        </Fact>
      </dl>
      {manifest?.warnings.map((warning) => (
        <Notice key={warning} className="mt-3">
          {warning}
        </Notice>
      ))}
    </>
  );
}

function Fact({
  name,
  bright,
  more,
  children,
}: {
  name: string;
  bright?: boolean;
  more?: string | undefined;
  children: ReactNode;
}) {
  return (
    <div className="bg-raised px-4 py-3">
      <dt className="text-sm text-quiet">{name}</dt>
      <dd className={`text-xl font-semibold tracking-tight ${bright ? "text-accent-text" : ""}`}>
        {children} {more && <span className="text-sm font-normal text-quiet">{more}</span>}
      </dd>
    </div>
  );
}

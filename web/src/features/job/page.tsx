/** One song: what happens to it, then what became of it. */
import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { type Job, Refusal } from "../../api/client";
import { isActive, jobQuery } from "../../api/queries";
import type { Peaks } from "../../audio/peaks";
import { usePace } from "../../state/live";
import { Notice } from "../../ui/controls";
import { Bench } from "../correct/bench";
import { CorrectorContext, useCorrected } from "../correct/hooks";
import { DeskPanel } from "../desk/panel";
import { isWhole, useSource } from "../desk/source";
import { Judge } from "../judge/judge";
import { NowherePage } from "../nowhere";
import { Watch } from "../watch/watch";
import { Facts } from "./facts";
import { useAnalysis, useNotes, usePeaksOf, useSpectrograms } from "./music";
import { Otherwise } from "./otherwise";
import { Take } from "./take";
import { Title } from "./title";

export function JobPage({ id }: { id: string }) {
  const { data: job, error } = useQuery(jobQuery(id));
  if (error instanceof Refusal && error.status === 404) return <NowherePage />;
  if (job) return <Song job={job} />;
  return error ? (
    <Notice kind="bad" className="mt-8">
      {error.message}
    </Notice>
  ) : (
    <p className="mt-8 text-quiet">Looking for it…</p>
  );
}

function Song({ job }: { job: Job }) {
  const pace = usePace(job.id, isActive(job.state));
  const { desk, waves, fault } = useSource(job, pace);
  const { corrector, analysis, notes } = useCorrected(job, useAnalysis(job), useNotes(job));
  const spectrograms = useSpectrograms(job);
  const title = job.name;
  const done = job.state === "done";
  const usePeaks = useCallback(
    (track: string, samplesPerPeak: number): Peaks | null => {
      // biome-ignore lint/correctness/useHookAtTopLevel: it is a hook, handed to the lanes
      const peaks = usePeaksOf(job, track, samplesPerPeak);
      return peaks ?? waves.get(track) ?? null;
    },
    [job, waves],
  );
  return (
    <>
      <title>{`${title} · Unbraid`}</title>
      <Title job={job} />
      {done ? <Facts job={job} analysis={analysis} /> : <Watch job={job} pace={pace} />}
      {done && <Bench {...{ job, corrector, desk, analysis }} />}
      <CorrectorContext value={done ? corrector : null}>
        <DeskPanel
          {...{ desk, title, analysis, notes, usePeaks, spectrograms, fault }}
          canCompare={done && isWhole(job)}
        />
      </CorrectorContext>
      {done && <Take job={job} desk={desk} />}
      {done && <Judge job={job} onPlay={() => desk.pause()} />}
      {!isActive(job.state) && <Otherwise job={job} />}
    </>
  );
}

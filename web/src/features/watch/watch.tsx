/** A song at work: how far, how fast, how long still, and how to stop it. */
import { useMutation } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, body, type Job } from "../../api/client";
import { cancel } from "../../api/follow";
import { isActive, queries } from "../../api/queries";
import { go, jobPath } from "../../route";
import { type Pace, STAGES } from "../../state/pace";
import { classes, duration, timeOfDay, times } from "../../text";
import { Button, Notice } from "../../ui/controls";
import { Network } from "./network";

export function Watch({ job, pace }: { job: Job; pace: Pace }) {
  const known = pace.last > 0;
  const state = known ? pace.state : job.state;
  const active = isActive(state);
  const stop = useMutation({
    mutationFn: () => cancel(job.id),
    onSettled: () => queries.invalidateQueries({ queryKey: ["job", job.id] }),
  });
  return (
    <section aria-label="Progress" className="mt-6 grid gap-6">
      <Overall job={job} pace={pace} state={state} />
      <div className="flex flex-wrap gap-3">
        {active && (
          <Button icon="close" disabled={stop.isPending} onClick={() => stop.mutate()}>
            {stop.isPending ? "Stopping after this segment…" : "Stop"}
          </Button>
        )}
        {!active && state !== "done" && <Again job={job} />}
      </div>
      {stop.error && <Notice kind="bad">{stop.error.message}</Notice>}
      {job.error && state === "failed" && <Notice kind="bad">{job.error.detail}</Notice>}
      <Steps job={job} pace={pace} />
      {active && <Network job={job} pace={pace} />}
      <Log pace={pace} />
    </section>
  );
}

function Overall({ job, pace, state }: { job: Job; pace: Pace; state: Job["state"] }) {
  const share = Math.max(pace.fraction, job.fraction ?? 0);
  const percent = Math.floor(share * 100);
  return (
    <div className="panel p-6">
      <div className="flex flex-wrap items-baseline justify-between gap-x-6 gap-y-2">
        <p className="text-lg font-medium" aria-live="polite">
          {headline(job, pace, state)}
        </p>
        <p className="font-mono text-4xl font-semibold tabular-nums tracking-tight">{percent}%</p>
      </div>
      <div
        role="progressbar"
        aria-label="The whole song"
        aria-valuenow={percent}
        aria-valuemin={0}
        aria-valuemax={100}
        className="mt-4 h-3 overflow-hidden rounded-full bg-lifted"
      >
        <div
          className={classes(
            "h-full origin-left transition-transform duration-500 ease-out",
            state === "failed" || state === "cancelled" ? "bg-edge" : "bg-accent",
          )}
          style={{ transform: `scaleX(${share})` }}
        />
      </div>
      <dl className="mt-5 grid grid-cols-2 gap-4 sm:grid-cols-4">
        <Fact name="Time left">{isActive(state) ? <Countdown leftS={pace.leftS} /> : "none"}</Fact>
        <Fact name="Speed">{pace.speed ? `${times(pace.speed)} real time` : "not known yet"}</Fact>
        <Fact name="Model">{job.options.model}</Fact>
        <Fact name="In this step">
          {pace.stage && pace.totalS
            ? `${Math.round(pace.doneS)} of ${Math.round(pace.totalS)} s`
            : "nothing yet"}
        </Fact>
      </dl>
    </div>
  );
}

function headline(job: Job, pace: Pace, state: Job["state"]): string {
  if (state === "queued" && job.wait) {
    const { position, seconds } = job.wait;
    const ahead =
      position === 0
        ? "It is next"
        : `${position} ${position === 1 ? "song is" : "songs are"} before it`;
    return seconds ? `${ahead}; about ${duration(seconds)}` : ahead;
  }
  if (state === "failed") return "This did not work";
  if (state === "cancelled") return "Stopped";
  return pace.stage ? STAGES[pace.stage].doing : "Work begins";
}

/** Counts down by itself between two reports. */
function Countdown({ leftS }: { leftS: number | null }) {
  const [passed, setPassed] = useState(0);
  useEffect(() => {
    setPassed(0);
    if (leftS === null) return;
    const timer = setInterval(() => setPassed((seconds) => seconds + 1), 1_000);
    return () => clearInterval(timer);
  }, [leftS]);
  return leftS === null ? "not known yet" : `about ${duration(Math.max(1, leftS - passed))}`;
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt className="text-sm text-quiet">{name}</dt>
      <dd className="font-medium tabular-nums">{children}</dd>
    </div>
  );
}

function Steps({ job, pace }: { job: Job; pace: Pace }) {
  const order = job.steps.map((step) => step.stage);
  const at = pace.stage ? order.indexOf(pace.stage) : -1;
  return (
    <ol aria-label="Steps" className="flex flex-wrap gap-x-1 gap-y-2">
      {job.steps.map((step, k) => {
        const passed = step.state === "done" || (k < at && step.state !== "skipped");
        const state = k === at ? "now" : passed ? "done" : "later";
        return (
          <li
            key={step.stage}
            aria-current={state === "now" ? "step" : undefined}
            className={classes(
              "flex min-h-8 items-center gap-2 rounded-full px-3 text-[0.9375rem]",
              state === "now" && "bg-accent font-semibold text-on-accent",
              state === "done" && "text-accent-text",
              state === "later" && "text-quiet",
            )}
          >
            <span
              aria-hidden="true"
              className={classes(
                "size-2 rounded-full border border-current",
                state !== "later" && "bg-current",
              )}
            />
            {STAGES[step.stage].title}
          </li>
        );
      })}
    </ol>
  );
}

function Log({ pace }: { pace: Pace }) {
  if (pace.log.length === 0) return null;
  return (
    <div className="panel p-5">
      <h2 className="text-sm text-quiet">Log</h2>
      <ol className="mt-2 grid gap-1 font-mono text-[0.8125rem]">
        {pace.log.map((line) => (
          <li key={line.number} className="flex gap-4">
            <time className="text-quiet">{timeOfDay(line.at)}</time>
            <span>{line.text}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}

/** The same recording with the same options, as a new job. */
function Again({ job }: { job: Job }) {
  const again = useMutation({
    mutationFn: () => {
      const { upload_id, options, fallback, priority } = job;
      return body(api.POST("/api/v1/jobs", { body: { upload_id, options, fallback, priority } }));
    },
    onSuccess: (next) => go(jobPath(next.id)),
  });
  return (
    <>
      <Button kind="main" icon="retry" disabled={again.isPending} onClick={() => again.mutate()}>
        Try again
      </Button>
      {again.error && <Notice kind="bad">{again.error.message}</Notice>}
    </>
  );
}

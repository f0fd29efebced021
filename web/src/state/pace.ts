/** How far a job is, how fast it goes and how long it will still take, from its events alone. */
import type { JobState, Stage } from "../api/client";
import type { JobEvent } from "../api/follow";

export interface LogLine {
  number: number;
  /** Seconds since 1970. */
  at: number;
  stage: Stage | null;
  text: string;
}

export interface Pace {
  state: JobState;
  stage: Stage | null;
  /** Of the whole job, 0 to 1. */
  fraction: number;
  doneS: number;
  totalS: number | null;
  /** Seconds of audio per second of work in this stage; null while unknown. */
  speed: number | null;
  /** Seconds until the end; null while unknown. */
  leftS: number | null;
  /** Length of the song in seconds, once it is decoded. */
  songS: number | null;
  /** Number of the last event, 0 before the first. */
  last: number;
  /** When the work began, by the server's clock. */
  startedAt: number | null;
  log: readonly LogLine[];
  /** What the last seconds were like. */
  recent: readonly Moment[];
}

interface Moment {
  at: number;
  stage: Stage;
  fraction: number;
  doneS: number;
}

const WINDOW_S = 20;
const LEAST_S = 1.5;

export const STAGES: Record<Stage, { title: string; doing: string }> = {
  fetch: { title: "Link", doing: "Fetching the recording" },
  decode: { title: "Decode", doing: "Reading the recording" },
  pull: { title: "Fetch", doing: "Fetching the model" },
  separate: { title: "Separate", doing: "Taking the song apart" },
  judge: { title: "Judge", doing: "Judging the stems" },
  analyse: { title: "Analyse", doing: "Finding beats, key and chords" },
  transcribe: { title: "Transcribe", doing: "Writing the notes down" },
  export: { title: "Write", doing: "Writing the files" },
};

const STATES: Record<JobState, string> = {
  queued: "Waiting for its turn",
  running: "Work begins",
  done: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
};

export const AT_REST: Pace = {
  state: "queued",
  stage: null,
  fraction: 0,
  doneS: 0,
  totalS: null,
  speed: null,
  leftS: null,
  songS: null,
  last: 0,
  startedAt: null,
  log: [],
  recent: [],
};

/** The pace after one more event. */
export function paceAfter(pace: Pace, event: JobEvent): Pace {
  if (event.number <= pace.last) return pace;
  if (event.kind === "state") {
    const again = event.state === "running" && (event.attempt ?? 1) > 1;
    const line = event.error?.detail ?? (again ? "Work goes on" : STATES[event.state]);
    return {
      ...pace,
      state: event.state,
      stage: event.state === "running" ? pace.stage : null,
      fraction: event.state === "done" ? 1 : pace.fraction,
      speed: null,
      leftS: event.state === "done" ? 0 : null,
      last: event.number,
      startedAt: pace.startedAt ?? (event.state === "running" ? event.at : null),
      log: [...pace.log, { number: event.number, at: event.at, stage: null, text: line }],
      recent: [],
    };
  }
  const { stage, at, done_s: doneS, total_s: totalS } = event;
  const fraction = Math.max(pace.fraction, event.fraction ?? 0);
  const entered = stage !== pace.stage;
  const kept = pace.recent.filter((moment) => at - moment.at <= WINDOW_S);
  const recent = [...kept, { at, stage, fraction, doneS }];
  const inStage = recent.filter((moment) => moment.stage === stage);
  const text = STAGES[stage].doing;
  return {
    ...pace,
    state: "running",
    stage,
    fraction,
    doneS,
    totalS,
    speed: slope(inStage, "doneS"),
    leftS: left(recent, fraction),
    songS: stage === "decode" ? (totalS ?? doneS) : pace.songS,
    last: event.number,
    startedAt: pace.startedAt ?? at,
    log: entered ? [...pace.log, { number: event.number, at, stage, text }] : pace.log,
    recent,
  };
}

function slope(moments: readonly Moment[], of: "fraction" | "doneS"): number | null {
  const first = moments[0];
  const last = moments.at(-1);
  if (!first || !last || last.at - first.at < LEAST_S) return null;
  const rate = (last[of] - first[of]) / (last.at - first.at);
  return rate > 0 ? rate : null;
}

function left(moments: readonly Moment[], fraction: number): number | null {
  const rate = slope(moments, "fraction");
  return rate === null ? null : (1 - fraction) / rate;
}

/** The corrections of a song: shown at once, sent to the server one after another, undone there. */
import { createStore, type StoreApi } from "zustand";
import { api, body, type Correction, type Job, type Transcription } from "../../api/client";
import { isActive, jobQuery, queries } from "../../api/queries";
import type { Analysis } from "../../music/analysis";
import type { Note } from "../../music/midi";
import { live, paceOf, watch } from "../../state/live";
import { fetchMusic } from "../job/music";
import { corrected } from "./corrected";
import { type Draft, isDirty, opened, saved } from "./draft";

type Wish =
  | { kind: "correct"; correction: Correction }
  | { kind: "transcribe"; transcription: Transcription }
  | { kind: "undo" | "redo" }
  | { kind: "follow"; task: string };

interface Pending {
  wish: Wish;
  /** Which version of the analysis has it; null while none does. */
  landed: string | null;
  /** Told whether it was done. */
  tell: (done: boolean) => void;
}

export interface CorrectorState {
  pending: readonly Pending[];
  busy: boolean;
  /** The task at work. */
  task: string | null;
  fault: string | null;
  /** A moment of the chord that is edited; null while none is. */
  chord: number | null;
  /** Notes of stems that are being edited. */
  drafts: Readonly<Record<string, Draft>>;
}

const AT_REST: CorrectorState = {
  pending: [],
  busy: false,
  task: null,
  fault: null,
  chord: null,
  drafts: {},
};

export class Corrector {
  readonly store: StoreApi<CorrectorState> = createStore(() => AT_REST);

  constructor(readonly jobId: string) {}

  get state(): CorrectorState {
    return this.store.getState();
  }

  /** Whether there are edits that the server does not have. */
  get isDirty(): boolean {
    const { pending, task, drafts } = this.state;
    const unsent = pending.filter(({ landed }) => landed === null).length - (task ? 1 : 0);
    return unsent > 0 || Object.values(drafts).some(isDirty);
  }

  /** Follows work that was begun elsewhere, or before the page was loaded. */
  adopt(task: string): void {
    const { pending, task: own } = this.state;
    const known = pending.some(({ wish }) => wish.kind === "follow" && wish.task === task);
    if (!known && task !== own) void this.#add({ kind: "follow", task });
  }

  correct(correction: Correction): Promise<boolean> {
    return this.#add({ kind: "correct", correction });
  }

  transcribe(transcription: Transcription): Promise<boolean> {
    return this.#add({ kind: "transcribe", transcription });
  }

  /** Takes the last change back, or makes it again. */
  turn(kind: "undo" | "redo"): Promise<boolean> {
    return this.#add({ kind });
  }

  /** The analysis with what is not there yet. */
  shown(analysis: Analysis): Analysis {
    const { pending } = this.state;
    const landed = pending.findLastIndex((each) => each.landed === analysis.version);
    return pending
      .slice(landed + 1)
      .reduce(
        (found, { wish }) => (wish.kind === "correct" ? corrected(found, wish.correction) : found),
        analysis,
      );
  }

  /** The analysis that is shown has what the server has told. */
  settle(): void {
    const { pending } = this.state;
    const left = pending.filter((each) => each.landed === null);
    if (left.length < pending.length) this.store.setState({ pending: left });
  }

  edit(track: string, notes: readonly Note[]): void {
    this.draw(track, opened(notes));
  }

  draw(track: string, draft: Draft): void {
    this.store.setState(({ drafts }) => ({ drafts: { ...drafts, [track]: draft } }));
  }

  close(track: string): void {
    this.store.setState(({ drafts: { [track]: _, ...drafts } }) => ({ drafts }));
  }

  /** Sends the notes of a stem; the draft stays until the server has them. */
  async save(track: string): Promise<boolean> {
    const { notes } = this.state.drafts[track]!;
    const sent = notes.map(({ start, end, pitch, velocity }) => ({
      start: Number(start.toFixed(4)),
      end: Number(end.toFixed(4)),
      pitch,
      velocity: Math.min(127, Math.max(1, Math.round(velocity * 127))),
    }));
    const done = await this.correct({ notes: { [track]: sent } });
    const draft = this.state.drafts[track];
    if (done && draft) this.draw(track, saved(draft, notes));
    return done;
  }

  openChord(moment: number | null): void {
    this.store.setState({ chord: moment });
  }

  #add(wish: Wish): Promise<boolean> {
    return new Promise((tell) => {
      this.store.setState(({ pending }) => ({
        pending: [...pending, { wish, landed: null, tell }],
      }));
      if (!this.state.busy) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.store.setState({ busy: true, fault: null });
    try {
      for (;;) {
        const [next, after] = this.state.pending.filter((each) => each.landed === null);
        if (!next) break;
        const whole = wholeOf(next.wish);
        const outdone = whole !== null && after && wholeOf(after.wish) === whole;
        const landed = outdone ? OUTDONE : await this.#make(next.wish);
        this.store.setState(({ pending }) => ({
          pending: pending.map((each) => (each === next ? { ...each, landed } : each)),
          task: null,
        }));
        next.tell(true);
      }
    } catch (error) {
      // What was to come after it built upon it.
      const { pending } = this.state;
      const fault = error instanceof Error ? error.message : String(error);
      this.store.setState({ fault, pending: [] });
      for (const each of pending) each.tell(false);
    } finally {
      this.store.setState({ busy: false, task: null });
    }
  }

  /** Has the server do something; gives the version of the analysis that has it. */
  async #make(wish: Wish): Promise<string> {
    const path = { job_id: this.jobId };
    if (wish.kind === "correct") {
      const url = "/api/v1/jobs/{job_id}/analysis";
      await this.#follow(api.PATCH(url, { params: { path }, body: wish.correction }));
    } else if (wish.kind === "transcribe") {
      const url = "/api/v1/jobs/{job_id}/transcribe";
      await this.#follow(api.POST(url, { params: { path }, body: wish.transcription }));
    } else if (wish.kind === "follow") {
      this.store.setState({ task: wish.task });
      await ended(wish.task);
    } else {
      const job = await queries.fetchQuery({ ...jobQuery(this.jobId), staleTime: 0 });
      const task = turnable(job, wish.kind);
      if (!task) throw new Error(`There is nothing to ${wish.kind}.`);
      const url = "/api/v1/jobs/{job_id}/undo";
      await api.POST(url, { params: { path: { job_id: task.id } } });
    }
    const job = await body(api.GET("/api/v1/jobs/{job_id}", { params: { path } }));
    await fetchMusic(job);
    queries.setQueryData(jobQuery(this.jobId).queryKey, job);
    return job.files.find((file) => file.name === "analysis.json")?.version ?? "";
  }

  async #follow(answer: Promise<{ data?: Job }>): Promise<void> {
    const { id } = await body(answer);
    this.store.setState({ task: id });
    const pace = await ended(id);
    if (pace.state === "cancelled") throw new Error("It was stopped.");
    if (pace.state !== "done") throw new Error(pace.log.at(-1)?.text ?? "It was not done.");
  }
}

const OUTDONE = "outdone";

/** What a wish says all of, so that a later one has what an earlier one says. */
function wholeOf(wish: Wish): string | null {
  const said = wish.kind === "correct" ? Object.keys(wish.correction).join() : "";
  return said === "chords" || said === "key" ? said : null;
}

/** The task that can be undone now, or done again. */
export function turnable(job: Job, kind: "undo" | "redo"): Job["tasks"][number] | undefined {
  return job.tasks.find((task) => task.undo === kind);
}

function ended(taskId: string): Promise<ReturnType<typeof paceOf>> {
  return new Promise((resolve) => {
    const stops = [watch(taskId)];
    const look = () => {
      const pace = paceOf(taskId);
      if (pace.last === 0 || isActive(pace.state)) return;
      for (const stop of stops) stop();
      resolve(pace);
    };
    stops.push(live.subscribe(look));
  });
}

const correctors = new Map<string, Corrector>();

/** The corrector of a job, which keeps what is not saved while other pages are looked at. */
export function correctorOf(jobId: string): Corrector {
  const corrector = correctors.get(jobId) ?? new Corrector(jobId);
  correctors.set(jobId, corrector);
  return corrector;
}

/** Whether any song has edits that the server does not have. */
export const anyDirty = () => [...correctors.values()].some((corrector) => corrector.isDirty);

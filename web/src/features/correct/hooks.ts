/** How components follow the corrections of a song. */
import { createContext, useContext, useEffect, useMemo } from "react";
import { useStore } from "zustand";
import type { Job } from "../../api/client";
import { isActive } from "../../api/queries";
import type { Analysis } from "../../music/analysis";
import type { Note } from "../../music/midi";
import { anyDirty, Corrector, type CorrectorState, correctorOf } from "./corrector";
import { type Draft, isDirty } from "./draft";

const NOBODY = new Corrector("");

/** The corrector of the song that is shown; null where nothing can be corrected. */
export const CorrectorContext = createContext<Corrector | null>(null);

export function useCorrector<T>(
  corrector: Corrector | null,
  select: (state: CorrectorState) => T,
): T {
  return useStore((corrector ?? NOBODY).store, select);
}

/** The music of a song as it is with all corrections, also with those that are on their way. */
export function useCorrected(
  job: Job,
  analysis: Analysis | null,
  notes: ReadonlyMap<string, readonly Note[]>,
) {
  const corrector = correctorOf(job.id);
  const pending = useCorrector(corrector, (state) => state.pending);
  const drafts = useCorrector(corrector, (state) => state.drafts);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is shown depends on what is pending
  const shown = useMemo(
    () => analysis && corrector.shown(analysis),
    [corrector, analysis, pending],
  );
  const played = useMemo(() => {
    const edited = Object.entries(drafts).map(([track, draft]) => [track, draft.notes] as const);
    return edited.length ? new Map([...notes, ...edited]) : notes;
  }, [notes, drafts]);
  useEffect(() => {
    corrector.settle();
    for (const task of job.tasks) if (isActive(task.state)) corrector.adopt(task.id);
  }, [corrector, job]);
  useEffect(() => {
    for (const [track, draft] of Object.entries(drafts)) {
      const there = notes.get(track);
      if (there && there !== draft.base && !isDirty(draft)) corrector.edit(track, there);
    }
  }, [corrector, drafts, notes]);
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => {
      if (anyDirty()) event.preventDefault();
    };
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, []);
  return { corrector, analysis: shown, notes: played };
}

/** The draft of a stem's notes; null while they are not edited. */
export function useDraft(track: string): Draft | null {
  return useCorrector(useContext(CorrectorContext), (state) => state.drafts[track] ?? null);
}

export const dirtyTracks = (drafts: CorrectorState["drafts"]) =>
  Object.keys(drafts).filter((track) => isDirty(drafts[track]!));

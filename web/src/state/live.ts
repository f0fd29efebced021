/** The pace of the jobs that are being watched, one stream of events for each. */
import { useEffect } from "react";
import { createStore, useStore } from "zustand";
import { follow } from "../api/follow";
import { queries } from "../api/queries";
import { AT_REST, type Pace, paceAfter } from "./pace";

interface Live {
  paces: Readonly<Record<string, Pace>>;
  /** When the server was last found not to answer, by this clock in milliseconds; 0 for never. */
  lostAt: number;
}

export const live = createStore<Live>(() => ({ paces: {}, lostAt: 0 }));

export function paceOf(jobId: string): Pace {
  return live.getState().paces[jobId] ?? AT_REST;
}

/** Watches a job until the returned function is called. */
export function watch(jobId: string): () => void {
  return follow(jobId, paceOf(jobId).last, {
    onEvent: (event) => {
      live.setState(({ paces }) => ({
        paces: { ...paces, [jobId]: paceAfter(paces[jobId] ?? AT_REST, event) },
      }));
      if (event.kind === "state") {
        void queries.invalidateQueries({ queryKey: ["job", jobId] });
        void queries.invalidateQueries({ queryKey: ["jobs"] });
      }
    },
    onLost: () => live.setState({ lostAt: Date.now() }),
  });
}

/** The pace of a job, followed while a component shows it and there is something to follow. */
export function usePace(jobId: string, active: boolean): Pace {
  useEffect(() => (active ? watch(jobId) : undefined), [jobId, active]);
  return useStore(live, (state) => state.paces[jobId] ?? AT_REST);
}

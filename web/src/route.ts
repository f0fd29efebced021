/** Where in the studio one is; the address bar says it. */
import { useSyncExternalStore } from "react";

export type Route = { view: "home" | "nowhere" } | { view: "job" | "batch"; id: string };

const VIEWS = { jobs: "job", batches: "batch" } as const;

export function routeOf(path: string): Route {
  if (path === "/") return { view: "home" };
  const [, kind, id] = /^\/(jobs|batches)\/([^/]+)$/.exec(path) ?? [];
  if (!kind || !id) return { view: "nowhere" };
  return { view: VIEWS[kind as keyof typeof VIEWS], id: decodeURIComponent(id) };
}

export const batchPath = (id: string) => `/batches/${encodeURIComponent(id)}`;

export const jobPath = (id: string) => `/jobs/${encodeURIComponent(id)}`;

const moved = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  moved.add(listener);
  addEventListener("popstate", listener);
  return () => {
    moved.delete(listener);
    removeEventListener("popstate", listener);
  };
}

/** Goes to another view. */
export function go(path: string): void {
  if (path === location.pathname) return;
  history.pushState(null, "", path);
  scrollTo(0, 0);
  for (const listener of moved) listener();
}

export function usePath(): string {
  return useSyncExternalStore(subscribe, () => location.pathname);
}

/** Where in the studio one is; the address bar says it. */
import { useSyncExternalStore } from "react";

export type Route = { view: "home" } | { view: "job"; id: string } | { view: "nowhere" };

export function routeOf(path: string): Route {
  if (path === "/") return { view: "home" };
  const id = /^\/jobs\/([^/]+)$/.exec(path)?.[1];
  return id ? { view: "job", id: decodeURIComponent(id) } : { view: "nowhere" };
}

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

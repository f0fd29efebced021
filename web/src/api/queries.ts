/** What the page asks the server for, and how long an answer is good. */
import { QueryCache, QueryClient, queryOptions } from "@tanstack/react-query";
import { api, body, Refusal } from "./client";

export const queries: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      // A session that has ended is noticed by whatever is asked next.
      if (error instanceof Refusal && error.status === 401 && query.queryKey[0] !== "me") {
        void queries.invalidateQueries({ queryKey: ["me"] });
      }
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (count, error) => !(error instanceof Refusal) && count < 2,
    },
  },
});

const LASTING = { staleTime: 600_000 };

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }) => body(api.GET("/api/v1/me", { signal })),
  ...LASTING,
});

export const modelsQuery = queryOptions({
  queryKey: ["models"],
  queryFn: ({ signal }) => body(api.GET("/api/v1/models", { signal })),
  ...LASTING,
});

export const presetsQuery = queryOptions({
  queryKey: ["presets"],
  queryFn: ({ signal }) => body(api.GET("/api/v1/presets", { signal })),
  ...LASTING,
});

export const networkQuery = (name: string) =>
  queryOptions({
    queryKey: ["network", name],
    queryFn: ({ signal }) =>
      body(api.GET("/api/v1/networks/{name}", { params: { path: { name } }, signal })),
    ...LASTING,
  });

export const limitsQuery = queryOptions({
  queryKey: ["limits"],
  queryFn: ({ signal }) => body(api.GET("/api/v1/limits", { signal })),
  ...LASTING,
});

export const libraryQuery = queryOptions({
  queryKey: ["jobs"],
  queryFn: ({ signal }) =>
    body(api.GET("/api/v1/jobs", { params: { query: { limit: 500 } }, signal })),
  refetchInterval: (query) =>
    query.state.data?.jobs.some((job) => isActive(job.state)) ? 2_000 : 15_000,
});

export const batchesQuery = queryOptions({
  queryKey: ["batches"],
  queryFn: ({ signal }) => body(api.GET("/api/v1/batches", { signal })),
  refetchInterval: (query) =>
    query.state.data?.some((each) => each.fraction < 1) ? 2_000 : 15_000,
});

export const batchQuery = (id: string) =>
  queryOptions({
    queryKey: ["batches", id],
    queryFn: ({ signal }) =>
      body(api.GET("/api/v1/batches/{batch_id}", { params: { path: { batch_id: id } }, signal })),
    refetchInterval: (query) =>
      query.state.data?.jobs.some((job) => isActive(job.state)) ? 2_000 : false,
  });

export const jobQuery = (id: string) =>
  queryOptions({
    queryKey: ["job", id],
    queryFn: ({ signal }) =>
      body(api.GET("/api/v1/jobs/{job_id}", { params: { path: { job_id: id } }, signal })),
  });

/** Whether something will still happen to a job. */
export function isActive(state: string): boolean {
  return state === "queued" || state === "running";
}

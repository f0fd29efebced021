/** The API of the server, with types from its own description. */
import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

type Schemas = components["schemas"];
export type Job = Schemas["JobView"];
export type JobSummary = Schemas["JobSummary"];
export type JobState = Job["state"];
export type JobRequest = Schemas["JobRequest"];
export type BatchRequest = Schemas["BatchRequest"];
export type Options = Schemas["ProcessOptions-Input"];
export type Model = Schemas["ModelView"];
export type Preset = Schemas["PresetView"];
export type Batch = Schemas["BatchView"];
export type BatchSummary = Schemas["BatchSummary"];
export type Layer = Schemas["LayerView"];
export type Limits = Schemas["Limits"];
export type Correction = Schemas["CorrectRequest"];
export type Transcription = Schemas["TranscribeRequest"];
export type Upload = Schemas["UploadView"];
export type ResultFile = Schemas["FileView"];
export type Stage = Schemas["StepView"]["stage"];
export type Problem = Schemas["Problem"];

/** Where the API is: this page's server, unless the build was told of another. */
export const SERVER: string = import.meta.env.VITE_API ?? "";
export const API = `${SERVER}/api/v1`;

/** What tells the server that a request comes from its own page, where a cookie says who asks. */
export const CSRF = { "X-Requested-With": "unbraid" };

/** A refusal of the server's: what was wrong, and what to do. */
export class Refusal extends Error {
  readonly status: number;

  constructor(problem: { status: number; detail: string }) {
    super(sentence(problem.detail));
    this.name = "Refusal";
    this.status = problem.status;
  }
}

/** The server does not answer. */
export class Gone extends Error {
  constructor() {
    super("The server does not answer. Start it again with `unbraid serve`; nothing is lost.");
    this.name = "Gone";
  }
}

/** Reads the refusal out of an answer. */
export async function refusalOf(answer: Response): Promise<Refusal> {
  const text = await answer.text();
  return refusal(answer.status, text);
}

/** Reads a refusal, which may come from a proxy that knows nothing of problem details. */
export function refusal(status: number, text: string): Refusal {
  try {
    const problem = JSON.parse(text) as Partial<Problem>;
    if (problem.detail) return new Refusal({ status, detail: problem.detail });
  } catch {
    // not JSON: the sentence below says what is known
  }
  const detail = FROM_PROXIES[status] ?? `the server answered with ${status}`;
  return new Refusal({ status, detail });
}

/** What a refusal without words means, which is one of a proxy's before the server. */
const BUSY = "the server is busy, or just starting; try again in a moment";
const FROM_PROXIES: Record<number, string> = {
  413: "what stands before the server takes no file as large; its operator can allow more",
  429: "that was too often; wait a minute and try again",
  502: BUSY,
  503: BUSY,
  504: BUSY,
};

/** Whether the same may be taken later. */
export function mayPass(error: unknown): boolean {
  if (error instanceof Refusal) return error.status === 429 || error.status >= 500;
  return error instanceof Gone;
}

/** With a capital letter and a full stop, as people read it. */
export function sentence(detail: string): string {
  const capital = detail.charAt(0).toUpperCase() + detail.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}

export const api = createClient<paths>({
  baseUrl: SERVER || location.origin,
  headers: CSRF,
  fetch: async (request) => {
    try {
      return await fetch(request);
    } catch (error) {
      if (request.signal.aborted) throw error;
      throw new Gone();
    }
  },
});

api.use({
  onResponse: async ({ response }) => {
    if (!response.ok) throw await refusalOf(response);
  },
});

/** The body of an answer, which refusals never reach. */
export async function body<T>(answer: Promise<{ data?: T }>): Promise<T> {
  return (await answer).data as T;
}

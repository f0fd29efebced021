/** Recordings of which a part was sent before the page was left. */
import { CSRF } from "./client";

export interface HalfSent {
  /** Where tus-js-client remembers it. */
  key: string;
  url: string;
  name: string;
  share: number;
}

const KEYS = "tus::";
const HEADERS = { ...CSRF, "Tus-Resumable": "1.0.0" };

/** Those that the server still has. */
export async function halfSent(signal: AbortSignal): Promise<HalfSent[]> {
  const keys = Object.keys(localStorage).filter((key) => key.startsWith(KEYS));
  const found = await Promise.all(keys.map((key) => ask(key, signal)));
  return found.filter((each) => each !== null);
}

/** Forgets one, here and on the server. */
export async function giveUp({ key, url }: HalfSent): Promise<void> {
  localStorage.removeItem(key);
  await fetch(url, { method: "DELETE", headers: HEADERS });
}

async function ask(key: string, signal: AbortSignal): Promise<HalfSent | null> {
  const kept = JSON.parse(localStorage.getItem(key) ?? "null") as {
    uploadUrl: string;
    size: number;
    metadata: { filename: string };
  } | null;
  if (!kept) return null;
  const answer = await fetch(kept.uploadUrl, { method: "HEAD", headers: HEADERS, signal });
  if (answer.status === 404) localStorage.removeItem(key);
  if (!answer.ok) return null;
  const share = Number(answer.headers.get("Upload-Offset")) / kept.size;
  return { key, url: kept.uploadUrl, name: kept.metadata.filename, share };
}

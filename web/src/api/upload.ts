/** Sending recordings, with progress: small ones at once, others in parts. */
import { API, CSRF, Gone, refusal, type Upload } from "./client";

const AT_ONCE_BYTES = 8_000_000;

export interface Sending {
  onProgress(share: number): void;
  /** The connection is lost; it is tried again. */
  onPause(): void;
  /** Gives up what was sent. */
  signal: AbortSignal;
}

/** Sends a file; rejects with a `Refusal`, `Gone`, or the signal's reason. */
export async function send(file: File, sending: Sending): Promise<Upload> {
  if (file.size <= AT_ONCE_BYTES) return sendAtOnce(file, sending);
  const { sendInParts } = await import("./parts");
  return sendInParts(file, sending);
}

function sendAtOnce(file: File, { onProgress, signal }: Sending): Promise<Upload> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", `${API}/uploads/${encodeURIComponent(file.name)}`);
    for (const [name, value] of Object.entries(CSRF)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => onProgress(event.loaded / event.total);
    request.onload = () => {
      if (request.status === 201) resolve(JSON.parse(request.responseText) as Upload);
      else reject(refusal(request.status, request.responseText));
    };
    request.onerror = () => reject(new Gone());
    request.onabort = () => reject(signal.reason);
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

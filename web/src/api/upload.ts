/** Sending recordings, with progress. */
import { API, CSRF, Gone, refusal, type Upload } from "./client";

/** Sends a file; rejects with a `Refusal`, `Gone`, or the signal's reason. */
export function send(
  file: File,
  onProgress: (share: number) => void,
  signal: AbortSignal,
): Promise<Upload> {
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

/** Sending a recording in parts by tus 1.0.0, so that it goes on where it stopped. */
import { DetailedError, Upload as TusUpload } from "tus-js-client";
import { API, api, body, CSRF, Gone, refusal, type Upload } from "./client";
import type { Sending } from "./upload";

const PART_BYTES = 2 ** 23; // below what proxies usually take
const PAUSES_MS = [0, 1_000, 2_000, ...Array<number>(40).fill(3_000)]; // since the last byte went

/** Sends a file; what was begun before, perhaps by a page that was closed, is gone on with. */
export function sendInParts(file: File, { onProgress, onPause, signal }: Sending): Promise<Upload> {
  return new Promise((resolve, reject) => {
    const upload = new TusUpload(file, {
      endpoint: new URL(`${API}/uploads/resumable`, location.href).href,
      headers: CSRF,
      metadata: { filename: file.name },
      chunkSize: PART_BYTES,
      retryDelays: PAUSES_MS,
      removeFingerprintOnSuccess: true,
      onShouldRetry: (error) => {
        const status = statusOf(error);
        const again = status === 0 || status === 409 || status >= 502;
        if (again) onPause();
        return again;
      },
      onProgress: (sent, all) => onProgress(sent / all),
      onSuccess: () => arrived(upload.url ?? "").then(resolve, reject),
      onError: (error) => reject(explained(error)),
    });
    signal.addEventListener("abort", () => {
      void upload.abort(true);
      reject(signal.reason);
    });
    upload.findPreviousUploads().then(([begun]) => {
      if (signal.aborted) return;
      if (begun) upload.resumeFromPreviousUpload(begun);
      upload.start();
    }, reject);
  });
}

function arrived(url: string): Promise<Upload> {
  const path = { upload_id: url.replace(/.*\//, "") };
  return body(api.GET("/api/v1/uploads/{upload_id}", { params: { path } }));
}

function statusOf(error: Error): number {
  return (error instanceof DetailedError && error.originalResponse?.getStatus()) || 0;
}

function explained(error: Error): Error {
  const answer = error instanceof DetailedError ? error.originalResponse : null;
  if (!answer?.getStatus()) return error instanceof DetailedError ? new Gone() : error;
  return refusal(answer.getStatus(), answer.getBody());
}

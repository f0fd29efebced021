/** Fetches parts of WAV files and decodes them, away from the page's own thread. */
import { decode, type WavHeader } from "./wav";

export interface Wanted {
  id: number;
  url: string;
  header: WavHeader;
  /** Bytes [from, to) of the file. */
  from: number;
  to: number;
}

export type Asked = Wanted | { abort: number };

export type Told = { id: number } & ({ samples: [Float32Array, Float32Array] } | { fault: string });

const running = new Map<number, AbortController>();

addEventListener("message", async ({ data }: MessageEvent<Asked>) => {
  if ("abort" in data) {
    running.get(data.abort)?.abort();
    return;
  }
  const { id, url, header, from, to } = data;
  const stop = new AbortController();
  running.set(id, stop);
  try {
    const headers = { Range: `bytes=${from}-${to - 1}` };
    const answer = await fetch(url, { headers, signal: stop.signal });
    if (answer.status !== 206) throw new Error(`the server answered with ${answer.status}`);
    const samples = decode(await answer.arrayBuffer(), header);
    postMessage({ id, samples } satisfies Told, {
      transfer: samples.map((channel) => channel.buffer),
    });
  } catch (error) {
    postMessage({ id, fault: String(error) } satisfies Told);
  } finally {
    running.delete(id);
  }
});

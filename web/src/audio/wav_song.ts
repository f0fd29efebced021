/** A finished song: parts of its WAV files, fetched when they are needed. */
import type { Song, Stereo } from "./song";
import { frameBytes, parseHeader, type WavHeader } from "./wav";
import type { Asked, Told } from "./wav.worker";

const CHUNK_S = 5;
const HEAD_BYTES = [1_024, 65_536, 1_048_576]; // tags may come before the samples

interface Track {
  name: string;
  url: string;
  header: WavHeader;
}

interface Waiting {
  resolve(samples: Stereo): void;
  reject(reason: unknown): void;
}

export class WavSong implements Song {
  readonly tracks: readonly string[];
  readonly sampleRate: number;
  readonly length: number;
  readonly available: number;
  readonly chunkLength: number;
  readonly #files: ReadonlyMap<string, Track>;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #count = 0;

  private constructor(files: readonly Track[]) {
    const first = files[0]!.header;
    this.tracks = files.map((file) => file.name);
    this.sampleRate = first.sampleRate;
    this.length = Math.max(...files.map((file) => file.header.length));
    this.available = this.length;
    this.chunkLength = CHUNK_S * this.sampleRate;
    this.#files = new Map(files.map((file) => [file.name, file]));
    this.#worker = new Worker(new URL("./wav.worker.ts", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<Told>) => {
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if ("samples" in data) waiting?.resolve(data.samples);
      else waiting?.reject(new Error(data.fault));
    };
  }

  /** Opens the WAV files of a song, which are as long as each other. */
  static async open(files: readonly { name: string; url: string }[]): Promise<WavSong> {
    return new WavSong(
      await Promise.all(files.map(async (file) => ({ ...file, header: await head(file.url) }))),
    );
  }

  load(name: string, chunk: number, signal: AbortSignal): Promise<Stereo> {
    const { url, header } = this.#files.get(name)!;
    const size = frameBytes(header);
    const start = chunk * this.chunkLength;
    const stop = Math.min(start + this.chunkLength, header.length);
    if (start >= stop) return Promise.resolve([new Float32Array(0), new Float32Array(0)]);
    this.#count += 1;
    const id = this.#count;
    return new Promise((resolve, reject) => {
      const ask = (asked: Asked) => this.#worker.postMessage(asked);
      this.#waiting.set(id, { resolve, reject });
      signal.addEventListener("abort", () => {
        ask({ abort: id });
        this.#waiting.delete(id);
        reject(signal.reason);
      });
      const [from, to] = [header.start + start * size, header.start + stop * size];
      ask({ id, url, header, from, to });
    });
  }

  close(): void {
    this.#worker.terminate();
    this.#waiting.clear();
  }
}

async function head(url: string): Promise<WavHeader> {
  for (const size of HEAD_BYTES) {
    const answer = await fetch(url, { headers: { Range: `bytes=0-${size - 1}` } });
    if (!answer.ok) throw new Error(`A stem cannot be had: the server answered ${answer.status}.`);
    const header = parseHeader(new Uint8Array(await answer.arrayBuffer()));
    if (header) return header;
  }
  throw new Error("A stem has no samples.");
}

/** A song that is still being separated: chunks of its stems as FLAC, as they come. */
import { API, api, body } from "../api/client";
import { type Peaks, peaksOf, withPeaks } from "./peaks";
import type { Song, Stereo } from "./song";

const SAMPLE_RATE = 44_100; // what models work at; the browser resamples where one does not
const LOOK_MS = 1_000;

export class PreviewSong implements Song {
  readonly tracks: readonly string[];
  readonly sampleRate = SAMPLE_RATE;
  /** Waveforms of what there is so far. */
  readonly waves = new Map<string, Peaks>();
  readonly chunkLength: number;
  #chunks: number;
  #length: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #drawn = 0;
  #drawing = false;
  readonly #closed = new AbortController();
  readonly #decoder = new OfflineAudioContext(2, 1, SAMPLE_RATE);

  private constructor(
    readonly jobId: string,
    tracks: readonly string[],
    chunkS: number,
    chunks: number,
    totalS: number,
    private readonly onMore: () => void,
  ) {
    this.tracks = tracks;
    this.chunkLength = Math.round(chunkS * SAMPLE_RATE);
    this.#chunks = chunks;
    this.#length = Math.round(totalS * SAMPLE_RATE);
    void this.#draw();
    this.#look();
  }

  /** What can be heard of a job; null while that is nothing. */
  static async open(
    jobId: string,
    totalS: number,
    onMore: () => void,
    signal: AbortSignal,
  ): Promise<PreviewSong | null> {
    const found = await previewOf(jobId, signal);
    if (!found?.chunks) return null;
    return new PreviewSong(jobId, found.stems, found.chunk_s, found.chunks, totalS, onMore);
  }

  get length(): number {
    return Math.max(this.#length, this.available);
  }

  get available(): number {
    const all = this.#chunks * this.chunkLength;
    return this.#length ? Math.min(all, this.#length) : all;
  }

  async load(track: string, chunk: number, signal: AbortSignal): Promise<Stereo> {
    const url = `${API}/jobs/${this.jobId}/preview/${encodeURIComponent(track)}/${chunk}`;
    const answer = await fetch(url, { signal });
    if (!answer.ok) throw new Error(`the server answered with ${answer.status}`);
    const sound = await this.#decoder.decodeAudioData(await answer.arrayBuffer());
    return [sound.getChannelData(0), sound.getChannelData(sound.numberOfChannels - 1)];
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#closed.abort();
  }

  /** Draws what has come since the last time, one chunk after the other. */
  async #draw(): Promise<void> {
    if (this.#drawing) return;
    this.#drawing = true;
    try {
      while (this.#drawn < this.#chunks) {
        const chunk = this.#drawn;
        for (const track of this.tracks) {
          const peaks = peaksOf(await this.load(track, chunk, this.#closed.signal));
          this.waves.set(track, withPeaks(this.waves.get(track), peaks, SAMPLE_RATE));
        }
        this.#drawn += 1;
        this.onMore();
      }
    } catch {
      // The song has ended or is closed: what is drawn then comes with its result.
    } finally {
      this.#drawing = false;
    }
  }

  #look(): void {
    this.#timer = setTimeout(async () => {
      const found = await previewOf(this.jobId).catch(() => null);
      if (found && found.chunks > this.#chunks) {
        this.#chunks = found.chunks;
        this.onMore();
        void this.#draw();
      }
      if (!found?.whole) this.#look();
    }, LOOK_MS);
  }
}

async function previewOf(jobId: string, signal?: AbortSignal) {
  return body(
    api.GET("/api/v1/jobs/{job_id}/preview", {
      params: { path: { job_id: jobId } },
      ...(signal && { signal }),
    }),
  );
}

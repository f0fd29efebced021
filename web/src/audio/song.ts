/** Where a player gets its sound from: chunks of all tracks of a song. */

/** Samples of the two channels of a track. */
export type Stereo = readonly [Float32Array, Float32Array];

export interface Song {
  readonly tracks: readonly string[];
  readonly sampleRate: number;
  /** Samples of each chunk but the last. */
  readonly chunkLength: number;
  /** Samples of the song; while it grows, what is known of that. */
  readonly length: number;
  /** Samples that can be loaded so far. */
  readonly available: number;
  /** The samples of a chunk; rejects when there is none, or by the signal. */
  load(track: string, chunk: number, signal: AbortSignal): Promise<Stereo>;
  close(): void;
}

/** The samples [start, stop) of a chunk. */
export function chunkOf(song: Song, chunk: number): [number, number] {
  const start = chunk * song.chunkLength;
  return [start, Math.min(start + song.chunkLength, song.available)];
}

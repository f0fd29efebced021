/** What is wrong with a file, found before it is sent. */
import type { Limits } from "../api/client";
import { bytes, duration } from "../text";

const AUDIO = /\.(wav|wave|flac|mp3|ogg|oga|opus|aiff?|aifc|m4a|aac|wma|caf|au|w64|rf64)$/i;
const VIDEO = /\.(mp4|m4v|mov|webm|mkv|avi)$/i;
const ARCHIVE = /\.zip$/i;
const MUSIC_BUT_NO_SOUND = /\.(midi?|musicxml|mxl|als|flp|logicx|ptx)$/i;

/** The extensions that a file picker offers. */
export const ACCEPT =
  "audio/*,video/mp4,video/webm,video/quicktime,.flac,.opus,.aif,.aiff,.mkv,.zip";

/** Whether a file is an archive of recordings. */
export function isArchive(file: { name: string }): boolean {
  return ARCHIVE.test(file.name);
}

/** Why a file need not be sent; null if it may be good. */
export function fault(file: { name: string; size: number; type: string }, limits: Limits) {
  if (file.size === 0) {
    return "This file is empty: 0 bytes. Was it still being copied or downloaded?";
  }
  if (MUSIC_BUT_NO_SOUND.test(file.name)) {
    return "This file holds notes, but no sound. Export the song as audio and bring that.";
  }
  const known = [AUDIO, VIDEO, ARCHIVE].some((kind) => kind.test(file.name));
  if (!known && !/^(audio|video)\//.test(file.type)) {
    return "This does not look like a recording. WAV, FLAC, MP3, Ogg, Opus, AIFF, M4A, videos and ZIPs of them are.";
  }
  if (file.size > limits.max_upload_bytes) {
    const most = bytes(limits.max_upload_bytes);
    const cure = /\.(wav|wave|aiff?)$/i.test(file.name)
      ? "As FLAC it is half as large and loses nothing."
      : VIDEO.test(file.name)
        ? "Bring its sound alone, for instance as M4A."
        : isArchive(file)
          ? "Bring it in two archives, or as the recordings that it holds."
          : "Bring a shorter part of it.";
    return `This file has ${bytes(file.size)}; this server takes ${most} at most. ${cure}`;
  }
  return null;
}

/** Why a recording of this length need not be sent; null if it may. */
export function tooLong(seconds: number, limits: Limits): string | null {
  if (seconds <= limits.max_duration_s) return null;
  return `This recording lasts ${duration(seconds)}; this server takes ${duration(limits.max_duration_s)} at most. Bring a part of it.`;
}

/** How long a recording is, if the browser can tell soon. */
export function lengthOf(file: File, patienceMs = 3_000): Promise<number | null> {
  return new Promise((resolve) => {
    const address = URL.createObjectURL(file);
    const sound = new Audio();
    const end = (seconds: number | null) => {
      clearTimeout(timer);
      sound.removeAttribute("src");
      URL.revokeObjectURL(address);
      resolve(seconds);
    };
    const timer = setTimeout(end, patienceMs, null);
    sound.onloadedmetadata = () => end(Number.isFinite(sound.duration) ? sound.duration : null);
    sound.onerror = () => end(null);
    sound.preload = "metadata";
    sound.src = address;
  });
}

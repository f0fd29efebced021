/** Numbers as people read them. */

/** A moment of a song: 3:07, or 1:02:03. */
export function clock(seconds: number, tenths = false): string {
  const tens = Math.max(0, Math.floor(seconds * 10 + 1e-6));
  const whole = Math.floor(tens / 10);
  const two = (n: number) => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const head = hours ? `${hours}:${two(minutes)}` : String(minutes);
  return `${head}:${two(whole % 60)}${tenths ? `.${tens % 10}` : ""}`;
}

/** How long something takes: "about 40 s", "about 3 min". */
export function duration(seconds: number): string {
  if (seconds < 1.5) return "1 s";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** How fast something is: 0.8 ×, 33 ×. */
export function times(ratio: number): string {
  return `${ratio < 10 ? ratio.toFixed(1) : Math.round(ratio)} ×`;
}

/** 12 KB, 3.4 MB. */
export function bytes(count: number): string {
  const units = ["B", "KB", "MB", "GB"];
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit > 1 && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** A moment of the day, with seconds. */
export function timeOfDay(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString("en-GB");
}

/** When something was: "just now", "5 min ago", or a date. */
export function ago(iso: string, now = Date.now()): string {
  const seconds = (now - Date.parse(iso)) / 1000;
  if (seconds < 45) return "just now";
  if (seconds < 5400) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 86400) return `${Math.round(seconds / 3600)} h ago`;
  return new Date(iso).toLocaleDateString(undefined, { dateStyle: "medium" });
}

/** A file name without its extension. */
export function titleOf(fileName: string): string {
  return fileName.replace(/\.[^.]+$/, "") || fileName;
}

/** Joins a class name with others that may be absent. */
export function classes(...names: (string | false | null | undefined)[]): string {
  return names.filter(Boolean).join(" ");
}

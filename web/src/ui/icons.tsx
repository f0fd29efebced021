/** Signs, drawn with one stroke on a grid of 24. */
const PATHS = {
  play: "M8 5v14l11-7z",
  pause: "M8 5h3v14H8zM14 5h3v14h-3z",
  start: "M6 5v14M19 6l-9 6 9 6z",
  loop: "M17 3l3 3-3 3M4 11V9a3 3 0 0 1 3-3h13M7 21l-3-3 3-3M20 13v2a3 3 0 0 1-3 3H4",
  click: "M9 21h6l-2-17h-2zM12 14l6-8M8 21h8",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  whole: "M4 12h16M7 9l-3 3 3 3M17 9l3 3-3 3",
  close: "M6 6l12 12M18 6L6 18",
  trash: "M5 7h14M10 7V5h4v2M7 7l1 12h8l1-12",
  retry: "M4 12a8 8 0 1 0 3-6.2L4 8M4 3v5h5",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M5 19l1.4-1.4M17.6 6.4L19 5",
  moon: "M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z",
  help: "M9.2 9a3 3 0 1 1 4.2 2.8c-.9.4-1.4 1-1.4 2.2M12 17.5v.1",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5L20 20",
  chevron: "M8 10l4 4 4-4",
  file: "M7 3h7l4 4v14H7zM14 3v4h4",
  notes:
    "M9 18V6l10-2v12M9 18a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0zM19 16a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0z",
  undo: "M8 5L4 9l4 4M4 9h10a5.5 5.5 0 0 1 0 11H9",
  redo: "M16 5l4 4-4 4M20 9H10a5.5 5.5 0 0 0 0 11h5",
  back: "M14 6l-6 6 6 6",
  pen: "M5 19l1-4L16 5l3 3L9 18zM13.5 7.5l3 3",
} as const;

export type IconName = keyof typeof PATHS;

const FILLED: ReadonlySet<IconName> = new Set(["play", "pause", "start"]);

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg
      viewBox="0 0 24 24"
      width={size}
      height={size}
      aria-hidden="true"
      fill={FILLED.has(name) ? "currentColor" : "none"}
      stroke="currentColor"
      strokeWidth={FILLED.has(name) ? 1 : 1.8}
      strokeLinecap="round"
      strokeLinejoin="round"
      className="shrink-0"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The sign of the house: one cord that becomes three. */
export function Mark({ size = 26 }: { size?: number }) {
  return (
    <svg viewBox="0 0 26 20" width={size} height={(size * 20) / 26} aria-hidden="true" fill="none">
      <g strokeWidth="2.6" strokeLinecap="round">
        <path d="M2 10c5 0 6-7.500 11-7.500h11" className="stroke-accent-text" />
        <path d="M2 10h22" stroke="currentColor" />
        <path d="M2 10c5 0 6 7.500 11 7.500h11" stroke="currentColor" opacity="0.55" />
      </g>
    </svg>
  );
}

/** The parts of the song, to be repeated at a press. */
import { useEffect, useRef } from "react";
import type { Section } from "../../music/analysis";
import { xOf } from "../../state/view";
import { clock } from "../../text";
import { useDesk } from "./hooks";
import { ROW, type RowProps } from "./row";

const GOLDEN_ANGLE = 137.5; // colours far from each other, however many there are
const FIRST_HUE = 200;

export function Sections({
  desk,
  view,
  sections,
}: Pick<RowProps, "desk" | "view"> & { sections: readonly Section[] }) {
  const loop = useDesk(desk, (now) => (now.looping ? now.loop : null));
  const lane = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const buttons = [...lane.current!.querySelectorAll("button")];
    const place = () => {
      const now = view.getState();
      sections.forEach(({ start, end }, k) => {
        const button = buttons[k]!;
        const from = Math.max(0, xOf(now, start, 100));
        const to = Math.min(100, xOf(now, end, 100));
        const hidden = to <= from;
        if (button.hidden !== hidden) button.hidden = hidden;
        if (hidden) return;
        button.style.left = `${from}%`;
        button.style.width = `calc(${to - from}% - 2px)`;
      });
    };
    place();
    return view.subscribe(place);
  }, [view, sections]);
  const letters = [...new Set(sections.map((each) => each.label))];
  return (
    <div className={ROW}>
      <span className="self-center text-sm text-quiet max-md:hidden">Sections</span>
      <div ref={lane} className="relative h-8 overflow-hidden">
        {sections.map(({ start, end, label }) => {
          const middle = (start + end) / 2;
          const chosen = loop !== null && Math.abs((loop.start + loop.end) / 2 - middle) < 1;
          return (
            <button
              key={start}
              type="button"
              data-section={label}
              aria-pressed={chosen}
              aria-label={`Repeat section ${label}, ${clock(start)} to ${clock(end)}`}
              title={`Repeat section ${label}`}
              className="absolute inset-y-0 overflow-hidden rounded-md px-2 text-left text-sm font-semibold hover:brightness-125 aria-pressed:outline-2 aria-pressed:-outline-offset-2 aria-pressed:outline-accent-text"
              style={
                {
                  "--hue": FIRST_HUE + GOLDEN_ANGLE * letters.indexOf(label),
                } as React.CSSProperties
              }
              onClick={() => {
                if (chosen) return desk.toggleLoop();
                desk.setLoop({ start, end });
                desk.seek(desk.state.loop?.start ?? start);
              }}
            >
              {label}
            </button>
          );
        })}
      </div>
    </div>
  );
}

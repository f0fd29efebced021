/** Play, where one is, and what goes for all stems. */
import { useRef } from "react";
import { barAndBeat } from "../../music/analysis";
import type { Desk } from "../../state/desk";
import { SILENCE_DB, toDb, toGain } from "../../state/desk";
import { type ViewStore, within, zoomed } from "../../state/view";
import { classes, clock } from "../../text";
import { IconButton } from "../../ui/controls";
import { Icon } from "../../ui/icons";
import { useDesk, useFrames } from "./hooks";
import { Keys } from "./keys_help";

export function Transport({
  desk,
  view,
  beats,
  downbeats,
  canCompare,
}: {
  desk: Desk;
  view: ViewStore;
  beats: readonly number[];
  downbeats: readonly number[];
  canCompare: boolean;
}) {
  const state = useDesk(desk, (now) => now.state);
  const duration = useDesk(desk, (now) => now.duration);
  const looping = useDesk(desk, (now) => now.looping);
  const click = useDesk(desk, (now) => now.click);
  const zoom = (factor: number) => view.setState((now) => zoomed(now, factor, desk.position));
  // One bar; on a phone only its first part stays in sight.
  return (
    <div className="contents sm:sticky sm:top-0 sm:z-30 sm:border-b sm:border-line sm:bg-ground/95 sm:py-3 sm:backdrop-blur sm:flex sm:flex-wrap sm:items-center sm:gap-x-4 sm:gap-y-2">
      <div className="sticky top-0 z-30 -mx-4 flex flex-wrap items-center gap-x-4 gap-y-2 border-b border-line bg-ground/95 px-4 py-2 backdrop-blur sm:contents">
        <IconButton icon="start" label="To the beginning" onClick={() => desk.seek(0)} />
        <button
          type="button"
          onClick={() => desk.toggle()}
          className="inline-flex h-12 w-32 items-center justify-center gap-2 rounded-full bg-accent text-lg font-semibold text-on-accent hover:brightness-110"
        >
          <Icon name={state === "paused" ? "play" : "pause"} size={20} />
          {state === "paused" ? "Play" : state === "waiting" ? "Wait…" : "Pause"}
        </button>
        <Clock desk={desk} beats={beats} downbeats={downbeats} duration={duration} />
        <Position desk={desk} duration={duration} />
      </div>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 py-2 sm:contents">
        <div className="flex items-center gap-1">
          <IconButton
            icon="loop"
            label="Repeat a part"
            aria-pressed={looping}
            onClick={() => desk.toggleLoop()}
          />
          <IconButton
            icon="click"
            label="Click on the beats"
            aria-pressed={click}
            disabled={beats.length === 0}
            onClick={() => desk.setClick(!click)}
          />
          {canCompare && <Compare desk={desk} />}
        </div>
        <Master desk={desk} />
        <div className="ml-auto flex items-center gap-1">
          <IconButton icon="minus" label="Show more of the song" onClick={() => zoom(2)} />
          <IconButton icon="plus" label="Show less of the song" onClick={() => zoom(0.5)} />
          <IconButton
            icon="whole"
            label="Show the whole song"
            onClick={() => view.setState((now) => within({ ...now, start: 0, span: now.duration }))}
          />
          <Keys />
        </div>
      </div>
    </div>
  );
}

/** Changes a text where it is another. */
function write(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

function Clock({
  desk,
  beats,
  downbeats,
  duration,
}: {
  desk: Desk;
  beats: readonly number[];
  downbeats: readonly number[];
  duration: number;
}) {
  const time = useRef<HTMLSpanElement>(null);
  const bar = useRef<HTMLSpanElement>(null);
  useFrames(desk, () => {
    const { position } = desk;
    write(time.current!, clock(position, true));
    const place = barAndBeat(position, beats, downbeats);
    write(bar.current!, place ? `${place.bar}.${place.beat}` : "–");
  });
  return (
    <div className="font-mono leading-tight tabular-nums">
      <div className="text-xl font-semibold">
        <span ref={time} data-testid="clock">
          0:00.0
        </span>
        <span className="ml-1 text-sm font-normal text-quiet">/ {clock(duration)}</span>
      </div>
      {downbeats.length > 0 && (
        <div className="text-sm text-quiet">
          bar <span ref={bar} className="inline-block min-w-10 text-text" />
        </div>
      )}
      {downbeats.length === 0 && <span ref={bar} hidden />}
    </div>
  );
}

const SLIDER_STEPS = 400; // finer ones would not be seen

function Position({ desk, duration }: { desk: Desk; duration: number }) {
  const slider = useRef<HTMLInputElement>(null);
  const held = useRef(false);
  useFrames(desk, () => {
    const input = slider.current!;
    const { position } = desk;
    const moved = Math.abs(position - input.valueAsNumber) >= duration / SLIDER_STEPS;
    if (held.current || (!moved && desk.state.state !== "paused")) return;
    input.value = String(position);
    const text = `${clock(position)} of ${clock(duration)}`;
    if (input.getAttribute("aria-valuetext") !== text) input.setAttribute("aria-valuetext", text);
  });
  return (
    <input
      ref={slider}
      type="range"
      aria-label="Position"
      min={0}
      max={duration || 1}
      step="any"
      defaultValue={0}
      className="h-9 min-w-32 flex-1 basis-40"
      onPointerDown={() => {
        held.current = true;
      }}
      onPointerUp={(event) => {
        held.current = false;
        desk.seek(event.currentTarget.valueAsNumber);
      }}
      onChange={(event) => {
        if (!held.current) desk.seek(event.target.valueAsNumber);
      }}
      onKeyDown={(event) => {
        const step = { ArrowLeft: -5, ArrowRight: 5, ArrowDown: -1, ArrowUp: 1 }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        desk.seek(desk.position + step);
      }}
    />
  );
}

/** The song as it was, or the mix. */
function Compare({ desk }: { desk: Desk }) {
  const original = useDesk(desk, (now) => now.original);
  return (
    <button
      type="button"
      aria-pressed={original}
      title="The song as it was, whatever the mix (O)"
      onClick={() => desk.setOriginal(!original)}
      className={classes(
        "min-h-9 rounded-full px-3 text-[0.9375rem] font-medium",
        original ? "bg-accent text-on-accent" : "text-quiet hover:bg-lifted hover:text-text",
      )}
    >
      Original
    </button>
  );
}

function Master({ desk }: { desk: Desk }) {
  const master = useDesk(desk, (now) => now.master);
  const meter = useRef<HTMLDivElement>(null);
  useFrames(desk, () => {
    meter.current!.style.transform = `scaleX(${meterShare(desk.level())})`;
  });
  return (
    <div className="w-28">
      <input
        type="range"
        aria-label="Master volume"
        aria-valuetext={dbText(master)}
        min={SILENCE_DB}
        max={6}
        step={0.5}
        value={toDb(master)}
        className="block h-5 w-full"
        onDoubleClick={() => desk.setMaster(1)}
        onChange={(event) => desk.setMaster(toGain(event.target.valueAsNumber))}
      />
      <div className="h-1 overflow-hidden rounded-full bg-lifted">
        <div
          ref={meter}
          className="h-full origin-left bg-accent-text"
          style={{ transform: "scaleX(0)" }}
        />
      </div>
    </div>
  );
}

/** The part of a meter that a level fills, from -48 dB on. */
export function meterShare(level: number): number {
  return Math.min(1, 1 - toDb(level) / SILENCE_DB);
}

export function dbText(gain: number): string {
  const db = toDb(gain);
  return db <= SILENCE_DB ? "silent" : `${db > 0 ? "+" : ""}${db.toFixed(1)} dB`;
}

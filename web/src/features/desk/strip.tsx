/** A stem's own controls: volume, pan, mute, solo, and its meter. */
import { useRef } from "react";
import { AS_IT_IS } from "../../audio/player";
import { type Desk, SILENCE_DB, toDb, toGain } from "../../state/desk";
import { classes } from "../../text";
import { useDesk, useFrames } from "./hooks";
import { dbText, meterShare } from "./transport";
import { BALANCE, balanceText } from "./tuning";

export function Strip({ desk, track, note }: { desk: Desk; track: string; note?: string | null }) {
  const settings = useDesk(desk, (now) => now.settings[track] ?? AS_IT_IS);
  const { volume, pan, mute, solo } = settings;
  const hasNotes = useDesk(desk, (now) => now.noted.includes(track));
  const meter = useRef<HTMLDivElement>(null);
  useFrames(desk, () => {
    meter.current!.style.transform = `scaleX(${meterShare(desk.level(track))})`;
  });
  const panText =
    pan === 0 ? "centre" : `${Math.round(Math.abs(pan) * 100)}% ${pan < 0 ? "left" : "right"}`;
  return (
    <fieldset aria-label={track} className="min-w-0">
      <div className="flex items-center gap-2">
        <span aria-hidden="true" className="size-2.5 shrink-0 rounded-full bg-stem" />
        <h3 className="min-w-0 flex-1 truncate font-semibold">{track}</h3>
        <Toggle
          letter="M"
          label={`Mute ${track}`}
          on={mute}
          onChange={() => desk.change(track, { mute: !mute })}
        />
        <Toggle
          letter="S"
          label={`Solo ${track}`}
          on={solo}
          accent
          onChange={() => desk.change(track, { solo: !solo })}
        />
      </div>
      <div className="mt-1.5 grid grid-cols-[1fr_3.5rem] items-center gap-3">
        <input
          type="range"
          aria-label={`Volume of ${track}`}
          aria-valuetext={dbText(volume)}
          title={dbText(volume)}
          min={SILENCE_DB}
          max={6}
          step={0.5}
          value={toDb(volume)}
          className="h-5 w-full min-w-0 accent-stem"
          onDoubleClick={() => desk.change(track, { volume: 1 })}
          onChange={(event) => desk.change(track, { volume: toGain(event.target.valueAsNumber) })}
        />
        <input
          type="range"
          aria-label={`Pan of ${track}`}
          aria-valuetext={panText}
          title={`Pan: ${panText}`}
          min={-1}
          max={1}
          step={0.05}
          value={pan}
          className="h-5 w-full min-w-0 accent-edge"
          onDoubleClick={() => desk.change(track, { pan: 0 })}
          onChange={(event) => desk.change(track, { pan: event.target.valueAsNumber })}
        />
      </div>
      {hasNotes && (
        <label className="mt-1 flex items-center gap-3 text-sm text-quiet">
          <span className="shrink-0">Notes</span>
          <input
            type="range"
            aria-label={`Notes of ${track}`}
            aria-valuetext={balanceText(settings.notes)}
            title={`From the sound alone to its notes alone: ${balanceText(settings.notes)}`}
            {...{ min: BALANCE.least, max: BALANCE.most, step: BALANCE.step }}
            value={settings.notes}
            className="h-5 w-full min-w-0 accent-edge"
            onDoubleClick={() => desk.change(track, { notes: 0 })}
            onChange={(event) => desk.change(track, { notes: event.target.valueAsNumber })}
          />
        </label>
      )}
      <div className="mt-1 h-1 overflow-hidden rounded-full bg-lifted">
        <div
          ref={meter}
          className="h-full origin-left bg-stem"
          style={{ transform: "scaleX(0)" }}
        />
      </div>
      {note && <p className="mt-1.5 text-sm text-quiet">{note}</p>}
    </fieldset>
  );
}

function Toggle({
  letter,
  label,
  on,
  accent,
  onChange,
}: {
  letter: string;
  label: string;
  on: boolean;
  accent?: boolean;
  onChange: () => void;
}) {
  return (
    <button
      type="button"
      aria-label={label}
      aria-pressed={on}
      onClick={onChange}
      className={classes(
        "size-8 rounded-lg border text-sm font-bold",
        on && accent && "border-accent bg-accent text-on-accent",
        on && !accent && "border-text bg-text text-ground",
        !on && "border-line bg-raised text-quiet hover:border-edge hover:text-text",
      )}
    >
      {letter}
    </button>
  );
}

/** How the song is heard: its speed, its pitch, its notes, what goes before. */
import { balanceOf, type Desk, SEMITONES, SPEEDS } from "../../state/desk";
import { useDesk } from "./hooks";

export function Tuning({ desk, hasBeats }: { desk: Desk; hasBeats: boolean }) {
  const { speed, semitones } = useDesk(desk, (now) => now.tuning);
  const countIn = useDesk(desk, (now) => now.countIn);
  const hasNotes = useDesk(desk, (now) => now.noted.length > 0);
  const balance = useDesk(desk, balanceOf);
  return (
    <div className="mt-3 flex flex-wrap items-center gap-x-6 gap-y-1">
      <Dial
        label="Speed"
        hint="Speed (, and .); the pitch stays"
        text={`${Math.round(speed * 100)}%`}
        value={speed}
        range={SPEEDS}
        usual={1}
        onChange={(value) => desk.tune({ speed: value })}
      />
      <Dial
        label="Pitch"
        hint="Pitch in semitones (< and >); the speed stays"
        text={pitchText(semitones)}
        value={semitones}
        range={SEMITONES}
        usual={0}
        onChange={(value) => desk.tune({ semitones: value })}
      />
      {hasNotes && (
        <Dial
          label="Notes"
          hint="From the sound alone to its notes alone, of all stems (N)"
          text={balanceText(balance)}
          value={balance}
          range={BALANCE}
          usual={0}
          onChange={(value) => desk.setAllNotes(value)}
        />
      )}
      <label
        className="flex min-h-9 items-center gap-2 text-sm text-quiet"
        title="A bar of clicks before playing (I)"
      >
        <input
          type="checkbox"
          className="size-4"
          checked={countIn}
          disabled={!hasBeats}
          onChange={(event) => desk.setCountIn(event.target.checked)}
        />
        Count in
      </label>
    </div>
  );
}

export const BALANCE = { least: 0, most: 1, step: 0.05 };

/** How loud notes are beside the sound. */
export function balanceText(balance: number): string {
  if (balance === 0) return "off";
  if (balance === 0.5) return "both";
  if (balance === 1) return "alone";
  return `${Math.round(balance * 100)}%`;
}

function pitchText(semitones: number): string {
  if (semitones === 0) return "0";
  return `${semitones > 0 ? "+" : "−"}${Math.abs(semitones)}`;
}

/** A slider with its name and value; a double click takes it back. */
export function Dial({
  label,
  hint,
  text,
  value,
  range,
  usual,
  onChange,
}: {
  label: string;
  hint: string;
  text: string;
  value: number;
  range: { least: number; most: number; step: number };
  usual: number;
  onChange: (value: number) => void;
}) {
  return (
    <label className="flex items-center gap-2 text-sm text-quiet max-sm:basis-full">
      <span className="max-sm:w-14">{label}</span>
      <input
        type="range"
        aria-label={label}
        aria-valuetext={text}
        title={hint}
        min={range.least}
        max={range.most}
        step={range.step}
        value={value}
        className="h-9 w-28 max-sm:flex-1"
        onDoubleClick={() => onChange(usual)}
        onChange={(event) => onChange(event.target.valueAsNumber)}
      />
      <output className="w-12 font-mono text-text tabular-nums">{text}</output>
    </label>
  );
}

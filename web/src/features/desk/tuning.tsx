/** How the song is heard: its speed, its pitch. */
import { type Desk, SEMITONES, SPEEDS } from "../../state/desk";
import { useDesk } from "./hooks";

export function Tuning({ desk }: { desk: Desk }) {
  const { speed, semitones } = useDesk(desk, (now) => now.tuning);
  return (
    <div className="mt-3 flex flex-wrap items-center gap-x-6 gap-y-2">
      <Dial
        label="Speed"
        text={`${Math.round(speed * 100)}%`}
        value={speed}
        range={SPEEDS}
        usual={1}
        onChange={(value) => desk.tune({ speed: value })}
      />
      <Dial
        label="Pitch"
        text={pitchText(semitones)}
        value={semitones}
        range={SEMITONES}
        usual={0}
        onChange={(value) => desk.tune({ semitones: value })}
      />
    </div>
  );
}

function pitchText(semitones: number): string {
  if (semitones === 0) return "as it is";
  return `${semitones > 0 ? "+" : "−"}${Math.abs(semitones)}`;
}

/** A slider with its name and value; a double click takes it back. */
export function Dial({
  label,
  text,
  value,
  range,
  usual,
  onChange,
}: {
  label: string;
  text: string;
  value: number;
  range: { least: number; most: number; step: number };
  usual: number;
  onChange: (value: number) => void;
}) {
  return (
    <label className="flex items-center gap-2 text-sm text-quiet">
      {label}
      <input
        type="range"
        aria-valuetext={text}
        min={range.least}
        max={range.most}
        step={range.step}
        value={value}
        className="h-9 w-28"
        onDoubleClick={() => onChange(usual)}
        onChange={(event) => onChange(event.target.valueAsNumber)}
      />
      <output className="w-12 font-mono text-text tabular-nums">{text}</output>
    </label>
  );
}

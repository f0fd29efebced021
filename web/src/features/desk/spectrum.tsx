/** What sounds at which pitch: the song before, and a stem of it after. */
import { useCallback } from "react";
import { heightOf, type Spectrograms } from "../../audio/spectrogram";
import type { ViewStore } from "../../state/view";
import { Canvas } from "./canvas";
import type { Sheet } from "./draw";
import { drawSpectrum } from "./heat";

const MARKS_HZ = [500, 2_000, 8_000];
const HIGHEST_HZ = 22_050;

export function Spectrum({
  spectrograms,
  view,
  track,
  quiet,
  over,
}: {
  spectrograms: Spectrograms;
  view: ViewStore;
  track: string;
  quiet: boolean;
  /** Draws upon it. */
  over: (sheet: Sheet) => void;
}) {
  return (
    <div className="grid gap-px bg-line">
      {[
        ["mix", "before"],
        [track, "after"],
      ].map(([source, when]) => (
        <Half
          key={when}
          {...{ spectrograms, view, over }}
          source={source!}
          name={`${when}: ${source === "mix" ? "the song" : track}`}
          quiet={quiet && when === "after"}
        />
      ))}
    </div>
  );
}

function Half({
  spectrograms,
  view,
  source,
  name,
  quiet,
  over,
}: {
  spectrograms: Spectrograms;
  view: ViewStore;
  source: string;
  name: string;
  quiet: boolean;
  over: (sheet: Sheet) => void;
}) {
  const draw = useCallback(
    (sheet: Sheet) => {
      drawSpectrum(sheet, spectrograms, source, quiet ? 0.4 : 1);
      over(sheet);
    },
    [spectrograms, source, quiet, over],
  );
  return (
    <div className="relative bg-heat">
      <Canvas view={view} draw={draw} wake={spectrograms.subscribe} className="h-24" />
      <div
        aria-hidden="true"
        className="pointer-events-none absolute inset-0 font-mono text-[0.6875rem] leading-none text-quiet"
      >
        <span className="absolute top-1 right-1 rounded bg-raised/85 px-1 py-0.5">{name}</span>
        {MARKS_HZ.map((hz) => (
          <span
            key={hz}
            className="absolute left-1 translate-y-1/2 rounded bg-raised/75 px-0.5"
            style={{ bottom: `${100 * heightOf(hz, HIGHEST_HZ)}%` }}
          >
            {hz < 1_000 ? hz : `${hz / 1_000}k`}
          </span>
        ))}
      </div>
    </div>
  );
}

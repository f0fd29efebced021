/** How the tempo runs through the song. */
import { useCallback } from "react";
import type { Analysis } from "../../music/analysis";
import { Canvas } from "./canvas";
import { drawGrid, drawTempo, type Sheet } from "./draw";
import { NONE, ROW, type RowProps } from "./row";
import { Surface } from "./surface";

export function Tempo({
  desk,
  view,
  analysis,
}: Pick<RowProps, "desk" | "view"> & { analysis: Analysis }) {
  const { curve } = analysis.tempo;
  const draw = useCallback(
    (sheet: Sheet) => {
      drawGrid(sheet, NONE, analysis.downbeats);
      drawTempo(sheet, curve, sheet.colour("--accent-text"));
    },
    [analysis, curve],
  );
  const tempi = curve.map(({ bpm }) => bpm);
  const [low, high] = [Math.round(Math.min(...tempi)), Math.round(Math.max(...tempi))];
  return (
    <div className={`${ROW} border-t border-line py-3`}>
      <div>
        <h3 className="font-semibold">Tempo</h3>
        <p className="text-sm text-quiet">
          {low === high ? low : `${low} to ${high}`} beats per minute
        </p>
      </div>
      <Surface desk={desk} view={view} drags="song" className="cursor-pointer bg-raised">
        <Canvas view={view} draw={draw} className="h-16" />
      </Surface>
    </div>
  );
}

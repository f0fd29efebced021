/** Where in the song one is: its bars and chords, and the part that repeats. */
import { type RefObject, useCallback } from "react";
import { xOf } from "../../state/view";
import { ChordEditor } from "../correct/chord_editor";
import { ChordTaps } from "../correct/chord_taps";
import { Canvas } from "./canvas";
import { drawBars, drawChords, drawKeys, type Sheet } from "./draw";
import { useDesk } from "./hooks";
import { NONE, ROW, type RowProps } from "./row";
import { Surface } from "./surface";

export function Ruler({
  desk,
  view,
  analysis,
  ruler,
}: Omit<RowProps, "usePeaks"> & { ruler: RefObject<HTMLDivElement | null> }) {
  const loop = useDesk(desk, (now) => now.loop);
  const looping = useDesk(desk, (now) => now.looping);
  const duration = useDesk(desk, (now) => now.duration);
  const drawLine = useCallback(
    (sheet: Sheet) => {
      if (loop) {
        const from = xOf(sheet.view, loop.start, sheet.width);
        const to = xOf(sheet.view, loop.end, sheet.width);
        sheet.context.fillStyle = sheet.colour(looping ? "--accent" : "--line");
        sheet.context.fillRect(from, sheet.height - 5, to - from, 5);
      }
      drawBars(sheet, analysis?.downbeats ?? NONE, duration);
    },
    [analysis, loop, looping, duration],
  );
  const drawNames = useCallback(
    (sheet: Sheet) => drawChords(sheet, analysis?.chords ?? NONE),
    [analysis],
  );
  const keys = analysis?.key?.segments ?? NONE;
  const modulates = keys.length > 1;
  const drawTonics = useCallback((sheet: Sheet) => drawKeys(sheet, keys), [keys]);
  const hint = "Drag here to repeat a part; press a chord to change it";
  return (
    <div className={ROW}>
      <div className="grid content-around text-sm text-quiet max-md:hidden">
        <span>{analysis?.downbeats.length ? "Bars" : "Time"}</span>
        {modulates && <span>Key</span>}
        {analysis && <span>Chords</span>}
      </div>
      <div ref={ruler} title={hint}>
        <Surface desk={desk} view={view} drags="loop" className="cursor-col-resize">
          <Canvas exact view={view} draw={drawLine} className="h-7" />
          {modulates && <Canvas exact view={view} draw={drawTonics} className="h-6" />}
          {analysis && (
            <ChordTaps view={view}>
              <Canvas exact view={view} draw={drawNames} className="h-8" />
            </ChordTaps>
          )}
        </Surface>
      </div>
      <ChordEditor desk={desk} analysis={analysis} />
    </div>
  );
}

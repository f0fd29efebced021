/** A stem: its controls, its sound, its notes. */
import { useCallback } from "react";
import { useStore } from "zustand";
import { levelFor } from "../../audio/peaks";
import { AS_IT_IS } from "../../audio/player";
import type { Spectrograms } from "../../audio/spectrogram";
import type { Analysis } from "../../music/analysis";
import type { Note } from "../../music/midi";
import { type ViewStore, xOf } from "../../state/view";
import { EditNotes } from "../correct/edit_notes";
import { useDraft } from "../correct/hooks";
import { NoteRoll, RollTools } from "../correct/roll";
import { Canvas } from "./canvas";
import { drawGrid, drawWave, type Sheet } from "./draw";
import { useDesk } from "./hooks";
import { Kit, Roll } from "./roll";
import { NONE, ROW, type RowProps } from "./row";
import type { Shows } from "./shows";
import { Spectrum } from "./spectrum";
import { Strip } from "./strip";
import { Surface } from "./surface";

interface LaneProps extends RowProps {
  track: string;
  notes: readonly Note[];
  /** Null where there are none. */
  spectrograms: Spectrograms | null;
  shows: Shows;
}

export function Lane({
  desk,
  view,
  track,
  analysis,
  notes,
  usePeaks,
  spectrograms,
  shows,
}: LaneProps) {
  const peaks = usePeaks(track, useLevel(view));
  const settings = useDesk(desk, (now) => now.settings[track] ?? AS_IT_IS);
  const alone = useDesk(desk, (now) => Object.values(now.settings).some((each) => each.solo));
  const looping = useDesk(desk, (now) => (now.looping ? now.loop : null));
  const original = useDesk(desk, (now) => now.original);
  const quiet = !original && (settings.mute || (alone && !settings.solo));
  const edited = useDraft(track) !== null;
  const strokes = track === "drums" ? (analysis?.drums ?? NONE) : NONE;
  const beats = analysis?.beats ?? NONE;
  const downbeats = analysis?.downbeats ?? NONE;

  const back = useCallback(
    (sheet: Sheet) => {
      if (looping) {
        const from = xOf(sheet.view, looping.start, sheet.width);
        const to = xOf(sheet.view, looping.end, sheet.width);
        sheet.context.fillStyle = sheet.colour("--loop");
        sheet.context.fillRect(from, 0, to - from, sheet.height);
      }
      drawGrid(sheet, beats, downbeats);
    },
    [looping, beats, downbeats],
  );
  const drawSound = useCallback(
    (sheet: Sheet) => {
      back(sheet);
      if (peaks) drawWave(sheet, peaks, sheet.colour(quiet ? "--line" : "--stem"), 1.6);
    },
    [back, peaks, quiet],
  );
  const quality = analysis?.quality.stems[track];
  return (
    <li data-stem={track} className={`${ROW} border-t border-line py-3`}>
      <div>
        <Strip desk={desk} track={track} note={noteOf(analysis, track)} />
        {typeof quality === "number" && quality < DOUBTFUL && (
          <p className="mt-1 text-sm text-warn">Doubtful: parts of other stems may be in it.</p>
        )}
        <EditNotes track={track} notes={notes} />
      </div>
      <Surface desk={desk} view={view} drags="song" className="cursor-pointer bg-raised">
        {shows === "spectra" && spectrograms?.has(track) ? (
          <Spectrum {...{ spectrograms, view, track, quiet }} over={back} />
        ) : (
          <Canvas view={view} draw={drawSound} className="h-18" />
        )}
        {edited && <NoteRoll {...{ track, desk, view, analysis }} />}
        {strokes.length > 0 ? (
          <Kit {...{ view, strokes, quiet, back }} />
        ) : (
          notes.length > 0 && !edited && <Roll {...{ view, notes, quiet, back }} />
        )}
      </Surface>
      {edited && <RollTools {...{ track, desk, analysis }} />}
    </li>
  );
}

const DOUBTFUL = 0.5; // quality below which the server warns too

function noteOf(analysis: Analysis | null, track: string): string | null {
  const quality = analysis?.quality.stems[track];
  const level = analysis?.stems[track]?.rms_db;
  const parts = [
    typeof quality === "number" && `quality ${quality.toFixed(2)}`,
    typeof level === "number" && `${Math.round(level)} dB`,
  ];
  return parts.filter(Boolean).join(" · ") || null;
}

/** The zoom of waveforms that a view needs, for lanes of any usual width. */
function useLevel(view: ViewStore): number {
  return useStore(view, (now) => levelFor((now.span * 44_100) / 1_400));
}

/** What the rows of the desk have in common: what it is on the left, its lane beside. */
import type { Peaks } from "../../audio/peaks";
import type { Analysis } from "../../music/analysis";
import type { Desk } from "../../state/desk";
import type { ViewStore } from "../../state/view";

export const ROW = "grid gap-x-5 gap-y-2 md:grid-cols-[13rem_minmax(0,1fr)]";

export const NONE: readonly never[] = [];

export interface RowProps {
  desk: Desk;
  view: ViewStore;
  analysis: Analysis | null;
  /** Gives the waveform of a track, or `mix`, at a zoom. */
  usePeaks(track: string, samplesPerPeak: number): Peaks | null;
}

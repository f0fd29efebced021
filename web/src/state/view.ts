/** Which part of a song is looked at. */
import { createStore, type StoreApi } from "zustand";

export interface View {
  /** First moment that is shown, in seconds. */
  start: number;
  /** How many seconds are shown. */
  span: number;
  /** Length of the song, in seconds. */
  duration: number;
}

const LEAST_SPAN_S = 1;
const FIRST_SPAN_S = 30;

export type ViewStore = StoreApi<View>;

export const createView = (): ViewStore => createStore(() => ({ start: 0, span: 1, duration: 0 }));

/** A view that stays within the song. */
export function within(view: View): View {
  const span = Math.min(Math.max(view.span, LEAST_SPAN_S), Math.max(view.duration, LEAST_SPAN_S));
  const start = Math.min(Math.max(0, view.start), Math.max(0, view.duration - span));
  return { ...view, start, span };
}

/** The view of a song of another length; at first its beginning. */
export function lengthened(view: View, duration: number): View {
  const all = view.duration === 0 || view.span >= view.duration;
  const span = view.duration === 0 ? Math.min(duration, FIRST_SPAN_S) : all ? duration : view.span;
  return within({ ...view, duration, span });
}

/** Nearer or farther, so that a moment stays where it is. */
export function zoomed(view: View, factor: number, around: number): View {
  const { span } = within({ ...view, span: view.span * factor });
  return within({ ...view, span, start: around - ((around - view.start) * span) / view.span });
}

/** A view that shows a moment: it turns the page where the moment has left it. */
export function following(view: View, moment: number): View {
  if (moment >= view.start && moment <= view.start + view.span * 0.97) return view;
  return within({ ...view, start: moment - view.span * 0.03 });
}

/** Where a moment is, in pixels. */
export function xOf(view: View, moment: number, width: number): number {
  return ((moment - view.start) / view.span) * width;
}

/** Which moment is at a place. */
export function momentAt(view: View, x: number, width: number): number {
  return view.start + (x / width) * view.span;
}

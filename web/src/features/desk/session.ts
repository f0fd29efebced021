/** The song on the keys of keyboards, headphones and lock screens. */
import { useEffect } from "react";
import type { Desk } from "../../state/desk";
import { useDesk } from "./hooks";

export function useMediaSession(desk: Desk, title: string): void {
  const state = useDesk(desk, (now) => now.state);
  const ready = useDesk(desk, (now) => now.tracks.length > 0);
  const duration = useDesk(desk, (now) => now.duration);
  const speed = useDesk(desk, (now) => now.tuning.speed);

  useEffect(() => {
    const session = navigator.mediaSession;
    if (!session || !ready) return;
    session.metadata = new MediaMetadata({ title, artist: "Unbraid" });
    const acts: [MediaSessionAction, MediaSessionActionHandler][] = [
      ["play", () => desk.play()],
      ["pause", () => desk.pause()],
      ["seekbackward", ({ seekOffset }) => desk.seek(desk.position - (seekOffset ?? 5))],
      ["seekforward", ({ seekOffset }) => desk.seek(desk.position + (seekOffset ?? 5))],
      ["seekto", ({ seekTime }) => desk.seek(seekTime ?? 0)],
    ];
    for (const [action, handler] of acts) session.setActionHandler(action, handler);
    return () => {
      for (const [action] of acts) session.setActionHandler(action, null);
      session.metadata = null;
    };
  }, [desk, ready, title]);

  useEffect(() => {
    const session = navigator.mediaSession;
    if (!session || !ready || !duration) return;
    session.playbackState = state === "paused" ? "paused" : "playing";
    const position = Math.min(duration, desk.position);
    session.setPositionState({ duration, position, playbackRate: speed });
  }, [desk, ready, state, duration, speed]);
}

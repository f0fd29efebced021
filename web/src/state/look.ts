/** Dark or light: as the system has it, until someone chooses. */
import { create } from "zustand";
import { persist } from "zustand/middleware";

export type Theme = "dark" | "light";

interface Look {
  chosen: Theme | null;
  choose(theme: Theme): void;
}

export const useLook = create<Look>()(
  persist((set) => ({ chosen: null, choose: (chosen) => set({ chosen }) }), {
    name: "unbraid-look",
  }),
);

const light = globalThis.matchMedia?.("(prefers-color-scheme: light)");

export function themeNow(): Theme {
  return useLook.getState().chosen ?? (light?.matches ? "light" : "dark");
}

function paint(): void {
  document.documentElement.dataset.theme = themeNow();
}

paint();
useLook.subscribe(paint);
light?.addEventListener("change", paint);

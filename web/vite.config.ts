import { readFileSync } from "node:fs";
import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const FONTS = ["geist", "geist-mono"];

/** Lays the fonts' licences beside them; the list of licences has scripts alone. */
function fontLicences(): Plugin {
  return {
    name: "font-licences",
    generateBundle() {
      const paths = FONTS.map((font) => `node_modules/@fontsource-variable/${font}/LICENSE`);
      const source = paths.map((path) => readFileSync(path, "utf-8")).join("\n");
      this.emitFile({ type: "asset", fileName: "licences-of-fonts.txt", source });
    },
  };
}

export default defineConfig({
  plugins: [react(), tailwind(), fontLicences()],
  build: {
    outDir: "../src/unbraid/data/studio",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    license: { fileName: "licences.md" },
  },
  worker: { format: "es" },
  server: {
    proxy: {
      "/api": { target: "http://127.0.0.1:8000", ws: true },
      "/docs": "http://127.0.0.1:8000",
    },
  },
  test: { environment: "node", include: ["src/**/*.test.{ts,tsx}"] },
});

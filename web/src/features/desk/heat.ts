/** Levels as colours, and spectrograms drawn in them. */
import { BANDS, type Spectrograms, type Tile } from "../../audio/spectrogram";
import { xOf } from "../../state/view";
import type { Sheet } from "./draw";

const RANGE = 175; // 70 dB below the loudest of the song
const COLOURED_AT_ONCE = 1; // tile in a canvas, so that no frame waits long

interface Coloured {
  palette: Uint32Array;
  image: HTMLCanvasElement;
}

const coloured = new WeakMap<Tile, Coloured>();
const palettes = new Map<string, Uint32Array>();

/**
 * The colours of the 256 levels, each as one number of its bytes.
 *
 * @param stops Colours such as `10 63 18`, with commas between, from the softest to the loudest.
 */
export function paletteOf(stops: string, loudest: number): Uint32Array {
  const key = `${stops} ${loudest}`;
  let palette = palettes.get(key);
  if (!palette) {
    const colours = stops.split(",").map((stop) => stop.trim().split(" ").map(Number));
    const bytes = new Uint8ClampedArray(4 * 256);
    for (let level = 0; level < 256; level += 1) {
      const share = Math.min(1, Math.max(0, 1 - (loudest - level) / RANGE));
      const place = share * (colours.length - 1);
      const below = Math.min(colours.length - 2, Math.floor(place));
      for (let k = 0; k < 3; k += 1) {
        const [from, to] = [colours[below]![k]!, colours[below + 1]![k]!];
        bytes[4 * level + k] = from + (to - from) * (place - below);
      }
      bytes[4 * level + 3] = 255;
    }
    palette = new Uint32Array(bytes.buffer);
    palettes.set(key, palette);
  }
  return palette;
}

/** The pixels of a tile, high tones at the top. */
export function pixelsOf(tile: Tile, palette: Uint32Array): Uint32Array {
  const pixels = new Uint32Array(tile.columns * BANDS);
  for (let column = 0; column < tile.columns; column += 1) {
    let at = column + (BANDS - 1) * tile.columns;
    for (let band = 0; band < BANDS; band += 1) {
      pixels[at] = palette[tile.data[column * BANDS + band]!]!;
      at -= tile.columns;
    }
  }
  return pixels;
}

function imageOf(tile: Tile, palette: Uint32Array): HTMLCanvasElement {
  const image = document.createElement("canvas");
  image.width = tile.columns;
  image.height = BANDS;
  const data = image.getContext("2d")!.createImageData(tile.columns, BANDS);
  new Uint32Array(data.data.buffer).set(pixelsOf(tile, palette));
  image.getContext("2d")!.putImageData(data, 0, 0);
  coloured.set(tile, { palette, image });
  return image;
}

export function drawSpectrum(
  sheet: Sheet,
  spectrograms: Spectrograms,
  track: string,
  strength: number,
): void {
  const { context, width, height, view } = sheet;
  const palette = paletteOf(sheet.colour("--heat"), spectrograms.loudest);
  const tiles = spectrograms.tiles(track, view.start, view.start + view.span, width);
  let left = COLOURED_AT_ONCE;
  context.globalAlpha = strength;
  for (const tile of tiles) {
    const known = coloured.get(tile);
    const ready = known?.palette === palette ? known.image : null;
    if (!ready && left === 0) {
      sheet.again();
      continue;
    }
    if (!ready) left -= 1;
    const from = Math.round(xOf(view, tile.start, width));
    const to = Math.round(xOf(view, tile.end, width));
    context.drawImage(ready ?? imageOf(tile, palette), from, 0, to - from, height);
  }
  context.globalAlpha = 1;
}

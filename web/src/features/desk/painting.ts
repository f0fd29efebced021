/** Drawing in turns, so that no frame waits for all of it. */

const BUDGET_MS = 3;

const waiting = new Set<() => void>();
let due = false;

/** Draws in one of the next frames, as soon as there is time. */
export function paintSoon(paint: () => void): void {
  waiting.add(paint);
  ask();
}

function ask(): void {
  if (due) return;
  due = true;
  requestAnimationFrame(turn);
}

export function paintNoMore(paint: () => void): void {
  waiting.delete(paint);
}

function turn(): void {
  due = false;
  const began = performance.now();
  for (const paint of [...waiting]) {
    waiting.delete(paint);
    paint();
    if (performance.now() - began > BUDGET_MS) break;
  }
  if (waiting.size) ask();
}

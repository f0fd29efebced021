/** Drawing in turns, one canvas to a frame: what is drawn is also copied, which takes longer. */

const waiting = new Set<() => void>();
let due = false;

/** Draws in one of the next frames, when it is its turn. */
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
  const [paint] = waiting;
  if (!paint) return;
  waiting.delete(paint);
  paint();
  if (waiting.size) ask();
}

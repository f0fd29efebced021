/** What moves in a drawing of networks: a wave for each report of work, and nothing else. */

export const CROSSING_S = 1.6; // from the first layer to the last

export class Pulses {
  #begun: number[] = [];

  /** Work was reported, at a time in seconds. */
  tell(now: number): void {
    this.#begun = [...this.#begun.filter((begun) => now - begun < CROSSING_S), now];
  }

  /** How far each wave is, 0 to 1, in the order of their coming. */
  at(now: number): number[] {
    return this.#begun
      .map((begun) => (now - begun) / CROSSING_S)
      .filter((far) => far >= 0 && far < 1);
  }
}

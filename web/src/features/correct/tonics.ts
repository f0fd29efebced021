/** The notes that keys and chords are named after. */
export const TONICS: readonly string[] = [
  ...["C", "C#", "Db", "D", "D#", "Eb", "E", "F", "F#"],
  ...["Gb", "G", "G#", "Ab", "A", "A#", "Bb", "B", "Cb"],
];

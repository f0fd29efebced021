"""Modes and progressions: a chord for every bar."""

from collections.abc import Sequence

import numpy as np

from train.synthesis.score import Chord

MODES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "blues": (0, 2, 4, 5, 7, 9, 10),  # every chord is a dominant seventh
}
MODE_WEIGHTS = (0.34, 0.28, 0.1, 0.1, 0.03, 0.03, 0.12)

# Degrees of the scale, bar by bar, from 0.
PROGRESSIONS: dict[str, tuple[tuple[int, ...], ...]] = {
    "major": (
        (0, 4, 5, 3),
        (5, 3, 0, 4),
        (0, 5, 3, 4),
        (0, 3, 4, 3),
        (0, 5, 1, 4),
        (1, 4, 0, 0),
        (1, 4, 0, 5),
        (0, 4, 5, 2, 3, 0, 3, 4),
        (0, 2, 3, 4),
        (0, 0, 3, 3),
        (3, 4, 2, 5),
        (3, 0, 4, 5),
        (0, 0, 4, 0),
    ),
    "minor": (
        (0, 5, 2, 6),
        (0, 6, 5, 4),
        (0, 3, 4, 0),
        (0, 5, 3, 4),
        (0, 6, 5, 6),
        (0, 2, 6, 3),
        (5, 6, 0, 0),
        (0, 0, 5, 6),
        (1, 4, 0, 0),
        (0, 3, 6, 2, 5, 1, 4, 0),
        (0, 0, 0, 0),
    ),
    "dorian": ((0, 3), (0, 0, 3, 3), (0, 6, 3, 0), (0, 2, 3, 0)),
    "mixolydian": ((0, 6, 3, 0), (0, 6), (0, 3, 6, 3), (0, 4, 6, 3)),
    "phrygian": ((0, 1), (0, 1, 2, 1), (0, 6, 5, 1)),
    "lydian": ((0, 1), (0, 1, 4, 0), (0, 1, 5, 4)),
    "blues": ((0, 0, 0, 0, 3, 3, 0, 0, 4, 3, 0, 4), (0, 3, 0, 0, 3, 3, 0, 0, 4, 3, 0, 0), (0, 3)),
}
QUALITIES: dict[tuple[int, ...], str] = {
    (0, 4, 7): "maj",
    (0, 3, 7): "min",
    (0, 3, 6): "dim",
    (0, 5, 7): "sus4",
    (0, 2, 7): "sus2",
    (0, 4, 7, 11): "maj7",
    (0, 4, 7, 10): "7",
    (0, 3, 7, 10): "min7",
    (0, 3, 6, 10): "hdim7",
}
LEADING_TONE = 0.6  # of the fifth degrees in minor are major, with the leading tone
SUSPENDED = 0.06
SEVENTHS = 0.3  # of the songs have them


def pitches(classes: Sequence[int], low: int, high: int) -> list[int]:
    """MIDI numbers from low to high whose pitch classes are among those given."""
    return [pitch for pitch in range(low, high + 1) if pitch % 12 in classes]


def draw_mode(rng: np.random.Generator) -> str:
    """One of `MODES`."""
    return str(rng.choice(list(MODES), p=MODE_WEIGHTS))


def draw_chords(
    mode: str, tonic: int, sections: Sequence[int], rng: np.random.Generator
) -> tuple[Chord, ...]:
    """A chord for each bar; sections share two progressions.

    Args:
        mode: one of `MODES`.
        tonic: pitch class, 0 is C.
        sections: bars of each.
        rng: source of the choices.
    """
    sevenths = bool(rng.random() < SEVENTHS)
    slow = int(rng.choice((1, 1, 1, 2)))  # bars to a chord
    written = [PROGRESSIONS[mode][i] for i in rng.integers(len(PROGRESSIONS[mode]), size=2)]
    turns = [[_chord(mode, tonic, degree, sevenths, rng) for degree in turn] for turn in written]
    chords = []
    for bars in sections:
        turn = turns[int(rng.random() < 0.35)]
        chords += [turn[bar // slow % len(turn)] for bar in range(bars)]
    return tuple(chords)


def _chord(mode: str, tonic: int, degree: int, sevenths: bool, rng: np.random.Generator) -> Chord:
    """Thirds upon a degree of the scale, as the style has them."""
    scale = MODES[mode]
    tones = [scale[(degree + 2 * k) % 7] + 12 * ((degree + 2 * k) // 7) for k in range(4)]
    intervals = tuple(tone - tones[0] for tone in tones)
    if mode == "blues" or (mode == "minor" and degree == 4 and rng.random() < LEADING_TONE):
        intervals = (0, 4, 7, 10)
    elif rng.random() < SUSPENDED and 7 in intervals:
        intervals = (0, 5, 7) if rng.random() < 0.5 else (0, 2, 7)
    if not (sevenths and intervals in QUALITIES):
        intervals = intervals[:3]
    return Chord((tonic + tones[0]) % 12, intervals, QUALITIES[intervals])

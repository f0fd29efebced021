"""Instruments that play melodies: reeds, bows, pipes, slid strings, synthesisers with vowels."""

from typing import Literal, get_args

import numpy as np

from train.synthesis.lines import Line, Peaks
from unbraid.demo.singer import VOWELS, Singer


def _vowel(name: str, gain_db: float) -> Peaks:
    return tuple((hz, gain_db, 5.0) for hz in VOWELS[name][0].formants)


def _manner(
    rng: np.random.Generator, vibrato: float, glide_s: float, scoop: float, drift: float = 0.3
) -> Singer:
    return Singer(
        vibrato_semitones=vibrato * float(rng.uniform(0.4, 1.5)),
        vibrato_hz=float(rng.uniform(4.5, 7)),
        glide_s=glide_s * float(rng.uniform(0.6, 1.6)),
        scoop_semitones=scoop * float(rng.uniform(0, 1.5)),
        drift=drift,
    )


Kind = Literal[
    "harmonica",
    "saxophone",
    "fiddle",
    "slide guitar",
    "lead guitar",
    "whistle",
    "flute",
    "clarinet",
    "trumpet",
    "theremin",
    "formant synth",
    "soft lead",
]
KINDS: tuple[Kind, ...] = get_args(Kind)


def draw_line(kind: Kind, rng: np.random.Generator) -> Line:
    """An instrument of a kind; no two are the same."""
    shift = float(np.exp(rng.normal(0, 0.12)))  # of the resonances

    def body(*peaks: tuple[float, float, float]) -> Peaks:
        return tuple((hz * shift, gain_db * rng.uniform(0.6, 1.4), q) for hz, gain_db, q in peaks)

    def between(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    match kind:
        case "harmonica":
            return Line(
                "pulse",
                _manner(rng, 0.15, 0.02, 1.0),
                body((900, 7, 1.5), (2300, 8, 2)),
                cutoff_hz=between(2500, 5000),
                tremolo=between(0, 0.4),
                breath=between(0.02, 0.1),
                stop=float(rng.choice((0, 0.8, 0.75))),
                attack_s=0.03,
            )
        case "saxophone":
            return Line(
                "saw",
                _manner(rng, 0.3, 0.025, 1.5),
                body((650, 7, 1.5), (1500, 6, 2), (2900, 4, 2)),
                cutoff_hz=between(1200, 2500),
                brightness=3,
                breath=between(0.03, 0.15),
            )
        case "fiddle":
            return Line(
                "saw",
                _manner(rng, 0.35, 0.025, 0.5),
                body((460, 6, 3), (1000, 4, 3), (2800, 8, 2)),
                cutoff_hz=between(3500, 8000),
                breath=between(0.01, 0.06),
                attack_s=between(0.03, 0.08),
                stop=float(rng.choice((0, 0, 2 / 3))),
            )
        case "slide guitar":
            return Line(
                "string",
                _manner(rng, 0.5, 0.07, 2.5),
                body((350, 4, 1), (2500, 5, 1.5)),
                cutoff_hz=between(2500, 5000),
                ring_s=between(0.8, 2),
                drive=between(0, 6),
                breath=0.005,
                attack_s=0.01,
            )
        case "lead guitar":
            return Line(
                "string",
                _manner(rng, 0.4, 0.015, 1.0),
                body((800, 4, 1), (2800, 5, 1.5)),
                cutoff_hz=between(2500, 4500),
                ring_s=between(1.5, 4),
                drive=between(4, 20),
                breath=0.01,
                attack_s=0.01,
            )
        case "whistle":
            return Line(
                "sine",
                _manner(rng, 0.25, 0.04, 1.5),
                breath=between(0.03, 0.2),
                octave=1,
                cutoff_hz=9000,
            )
        case "flute":
            return Line(
                "saw",
                _manner(rng, 0.2, 0.015, 0.3),
                cutoff_hz=between(500, 1000),
                brightness=1.5,
                breath=between(0.05, 0.25),
                tremolo=between(0, 0.2),
                attack_s=0.05,
            )
        case "clarinet":
            return Line(
                "pulse",
                _manner(rng, 0.08, 0.012, 0.2),
                body(
                    (1500, 5, 1.5),
                ),
                cutoff_hz=between(1000, 2500),
                breath=between(0.01, 0.05),
            )
        case "trumpet":
            return Line(
                "saw",
                _manner(rng, 0.2, 0.012, 0.4),
                body((1200, 6, 1), (2500, 4, 1.5)),
                cutoff_hz=between(700, 1500),
                brightness=6,
                breath=0.01,
            )
        case "theremin":
            return Line("sine", _manner(rng, 0.7, 0.06, 2.0), cutoff_hz=9000, breath=0.005)
        case "formant synth":
            first, second = (str(each) for each in rng.choice(("a", "oo", "ee", "oh", "eh"), 2))
            return Line(
                "saw",
                _manner(rng, 0.3, 0.03, 1.0),
                _vowel(first, between(12, 22)),
                _vowel(second, between(12, 22)) if rng.random() < 0.6 else (),
                cutoff_hz=between(3000, 9000),
                breath=between(0, 0.05),
            )
        case "soft lead":
            return Line(
                rng.choice(("saw", "pulse")).item(),
                _manner(rng, 0.2, 0.03, 0.0),
                cutoff_hz=between(700, 4000),
                breath=0.0,
                attack_s=between(0.005, 0.05),
            )


def draw_fretless(rng: np.random.Generator) -> Line:
    """A bass without frets, which slides and trembles."""
    return Line(
        "string",
        _manner(rng, 0.15, 0.03, 0.8),
        ((700, float(rng.uniform(2, 8)), 1.5),),
        cutoff_hz=float(rng.uniform(700, 2000)),
        brightness=1.5,
        ring_s=float(rng.uniform(0.8, 2)),
        breath=0.002,
        attack_s=0.01,
    )

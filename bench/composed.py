"""Composed songs as the analysis hears them: their stems separated by the built-in model.

All benches of the analysis share them, so each is rendered, separated and heard once a run.
"""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context

import numpy as np
import soxr
from train.synthesis.score import Score

from train.synthesis import song
from unbraid.analysis.hearing import Hearing, hear
from unbraid.inference import available_cores
from unbraid.separation.separator import Separator
from unbraid.types import AudioSignal, Read, Samples

SEEDS = range(1000, 1060)
LENGTH_S = 36.0
SAMPLE_RATE, LOW_RATE = 44100, 22050


@dataclass(frozen=True)
class Heard:
    """A song that was taken apart and heard.

    Attributes:
        seed: of the song.
        score: what is true of it.
        hearing: of the mixture and its separated stems.
        mixture: the song at 22.05 kHz, float32 [1, time], for other programs.
    """

    seed: int
    score: Score
    hearing: Hearing
    mixture: AudioSignal


@cache
def heard_songs() -> tuple[Heard, ...]:
    """The songs of `SEEDS`, each taken apart in a process of its own."""
    with ProcessPoolExecutor(available_cores(), mp_context=get_context("spawn")) as pool:
        return tuple(pool.map(_heard, SEEDS))


@cache
def _separator() -> Separator:
    return Separator("lite", threads=1)


def _heard(seed: int) -> Heard:
    made = song(seed, LENGTH_S)
    mixture = AudioSignal(made.mixture, SAMPLE_RATE)
    stems = _separator().separate(mixture)
    reads = {name: _reader(stem.samples) for name, stem in stems.items()}
    hearing = hear(_reader(mixture.samples), reads, mixture.length, SAMPLE_RATE)
    mono = soxr.resample(mixture.samples.mean(axis=0), SAMPLE_RATE, LOW_RATE)[np.newaxis]
    return Heard(seed, made.score, hearing, AudioSignal(mono, LOW_RATE))


def _reader(samples: Samples) -> Read:
    return lambda start, stop: samples[:, start:stop]

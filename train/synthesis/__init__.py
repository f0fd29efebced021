"""Songs with true stems to train a separator on: composed, played and mixed, each from a seed."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from train.synthesis.composer import compose
from train.synthesis.renderer import render
from train.synthesis.score import STEMS, Score
from unbraid.types import Samples

__all__ = ["STEMS", "Song", "song"]


@dataclass(frozen=True)
class Song:
    """A song and the truth about it.

    Attributes:
        stems: float32 [4, 2, time] at 44.1 kHz: vocals, drums, bass, other.
        score: its notes, beats, key and chords.
    """

    stems: Samples
    score: Score

    @property
    def mixture(self) -> Samples:
        """The sum of the stems, float32 [2, time]."""
        total: Samples = self.stems.sum(axis=0)
        return total


def song(seed: int, length_s: float, material: Path | None = None) -> Song:
    """Compose, play and mix a song.

    Args:
        seed: the same one gives the same samples.
        length_s: in seconds.
        material: folder of samples to play on, as `train.synthesis.sampler` describes it.

    Example:
        >>> song(1, 2.0).stems.shape
        (4, 2, 88200)
    """
    composing, playing = np.random.default_rng(seed).spawn(2)
    score = compose(composing, length_s)
    return Song(render(score, playing, material), score)

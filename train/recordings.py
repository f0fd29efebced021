"""Tracks of any length from recordings: what sounds in them, phrase after phrase.

A recorded stem is mostly silence, and a singer's sample is one note. Both are cut into phrases
where nothing sounds for a while, and the phrases follow each other with pauses as they come.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import soxr
from scipy.ndimage import maximum_filter1d

from unbraid.audio import load, to_stereo
from unbraid.demo.room import RATE
from unbraid.types import Samples

SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".m4a", ".mp3")
BLOCK = RATE // 50  # samples between two looks at the level
QUIET = 0.01  # of the peak: -40 dB
PAUSE_BLOCKS = 25  # half a second without sound ends a phrase
LONGEST_PAUSE_S = 3.0
FADE = RATE // 100
TRANSPOSED = 0.3  # of the tracks, by up to this many semitones either way
SEMITONES = 3.0
IN_MEMORY = 4  # recordings; five minutes take 106 MB


@dataclass(frozen=True)
class Phrase:
    """A stretch in which something sounds.

    Attributes:
        start: first sample.
        stop: one past the last sample.
        pause: samples of silence before it.
    """

    start: int
    stop: int
    pause: int


def recordings(folder: Path) -> tuple[Path, ...]:
    """The recordings in a folder and those below it, in order of their names."""
    return tuple(sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES))


def phrases(samples: Samples) -> tuple[Phrase, ...]:
    """Where something sounds.

    Args:
        samples: float32 [2, time].
    """
    blocks = -(-samples.shape[1] // BLOCK)
    padded = np.pad(np.abs(samples).max(axis=0), (0, blocks * BLOCK - samples.shape[1]))
    levels = padded.reshape(blocks, BLOCK).max(axis=1)
    sounds = levels > QUIET * max(float(levels.max(initial=0)), 1e-6)
    sounds = maximum_filter1d(sounds.astype(np.int8), PAUSE_BLOCKS, mode="constant")
    edges = np.flatnonzero(np.diff(sounds, prepend=0, append=0)) * BLOCK
    found, before = [], 0
    for start, stop in edges.reshape(-1, 2):
        last = min(int(stop), samples.shape[1])
        found.append(Phrase(int(start), last, int(start) - before))
        before = last
    return tuple(found)


def track(files: tuple[Path, ...], length: int, rng: np.random.Generator) -> Samples:
    """Fill a track with phrases of recordings.

    Args:
        files: at least one; a long one goes on for a while, short ones follow each other.
        length: samples of the track.
        rng: chooses.

    Returns:
        float32 [2, length] at 44.1 kHz, silent if the recordings are.
    """
    ratio = 2 ** (rng.uniform(-SEMITONES, SEMITONES) / 12) if rng.random() < TRANSPOSED else 1.0
    filled = np.zeros((2, length), np.float32)
    at = -int(rng.integers(RATE))
    for _ in range(length // BLOCK):  # silent recordings have no phrases
        samples, found = _cut(files[int(rng.integers(len(files)))])
        first = int(rng.integers(max(1, len(found))))
        for phrase in found[first:]:
            at += min(phrase.pause, int(rng.uniform(0, LONGEST_PAUSE_S) * RATE))
            played = _played(samples[:, phrase.start : phrase.stop], ratio)
            _lay(filled, played, at)
            at += played.shape[1]
            if at >= length:
                return filled
    return filled


def excerpt(file: Path, length: int, rng: np.random.Generator) -> Samples:
    """A stretch of a recording, float32 [2, length] at 44.1 kHz; silence follows a shorter one."""
    samples, _ = _cut(file)
    start = int(rng.integers(max(1, samples.shape[1] - length)))
    stretch = samples[:, start : start + length]
    return np.pad(stretch, ((0, 0), (0, length - stretch.shape[1])))


def _played(phrase: Samples, ratio: float) -> Samples:
    """A phrase with soft edges, faster by a ratio and so higher."""
    played = phrase.copy()
    fade = min(FADE, played.shape[1] // 2)
    if fade:
        ramp = np.linspace(0, 1, fade, dtype=np.float32)
        played[:, :fade] *= ramp
        played[:, -fade:] *= ramp[::-1]
    if ratio == 1.0:
        return played
    faster: Samples = soxr.resample(played.T, RATE * ratio, RATE, quality="MQ").T
    return faster


def _lay(filled: Samples, played: Samples, at: int) -> None:
    """Put what of a phrase lies in a track to its place."""
    start, stop = max(at, 0), min(at + played.shape[1], filled.shape[1])
    if start < stop:
        filled[:, start:stop] = played[:, start - at : stop - at]


@lru_cache(maxsize=IN_MEMORY)
def _cut(file: Path) -> tuple[Samples, tuple[Phrase, ...]]:
    signal = load(file)
    samples: Samples = soxr.resample(to_stereo(signal.samples).T, signal.sample_rate, RATE).T
    return samples, phrases(samples)

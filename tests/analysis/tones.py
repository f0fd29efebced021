"""Songs of plain tones with overtones, as the analysis hears them."""

from collections.abc import Sequence

import numpy as np

from unbraid.analysis.hearing import Hearing, hear
from unbraid.types import AudioSignal, Read, Samples, Stems

RATE = 16000
DECAY = 0.6  # of each overtone after the one before


def tone(pitch: float, duration_s: float) -> Samples:
    """A tone of a MIDI number, with overtones."""
    phase = 2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * np.arange(round(duration_s * RATE)) / RATE
    wave = sum(DECAY**k * np.sin((k + 1) * phase) for k in range(6))
    fades = np.minimum(1, np.minimum(np.arange(len(phase)), np.arange(len(phase))[::-1]) / 160)
    return np.asarray(0.1 * fades * wave, np.float32)[np.newaxis]


def played(chords: Sequence[Sequence[float]], each_s: float) -> Samples:
    """Chords of MIDI numbers, one after the other."""
    silence = np.zeros((1, round(each_s * RATE)), np.float32)
    parts = [sum((tone(pitch, each_s) for pitch in chord), silence) for chord in chords]
    return np.concatenate(parts, axis=1)


def noise(duration_s: float) -> Samples:
    """White noise."""
    rng = np.random.default_rng(0)
    return 0.1 * rng.standard_normal((1, round(duration_s * RATE)), np.float32)


def strokes(duration_s: float) -> Samples:
    """Something like a snare drum, twice a second."""
    stroke = noise(0.5) * np.exp(-np.arange(RATE // 2) / 800)
    return np.tile(stroke, round(2 * duration_s)).astype(np.float32)


def heard(**stems: Samples) -> Hearing:
    """What the analysis hears of a song of these stems; those not given are silent."""
    return heard_of({name: AudioSignal(samples, RATE) for name, samples in stems.items()})


def heard_of(stems: Stems) -> Hearing:
    """What the analysis hears of a song taken apart."""
    given = next(iter(stems.values()))
    silence = np.zeros_like(given.samples)
    parts = {
        name: stems[name].samples if name in stems else silence
        for name in ("vocals", "drums", "bass", "other")
    }
    song = sum(parts.values(), silence)
    readers = {name: _read(samples) for name, samples in parts.items()}
    return hear(_read(song), readers, given.length, given.sample_rate)


def _read(samples: Samples) -> Read:
    return lambda start, stop: samples[:, start:stop]

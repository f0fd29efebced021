"""A drum kit: each stroke is a few decaying modes and shaped noise."""

from collections.abc import Callable

import numpy as np
from scipy.signal import butter, sosfilt

from unbraid.demo.room import RATE, Array


def stroke(drum: str, level: float, rng: np.random.Generator) -> Array:
    """One stroke.

    Args:
        drum: `kick`, `snare`, `tom`, `hat`, `ride` or `crash`.
        level: how hard, 0 to 1.
        rng: source of the noise.

    Returns:
        float64 [time] at 44.1 kHz.
    """
    return level * _DRUMS[drum](level, rng)


def _time(duration_s: float) -> Array:
    return np.arange(round(duration_s * RATE)) / RATE


def _mode(time: Array, hz: float, decay_s: float) -> Array:
    return np.asarray(np.sin(2 * np.pi * hz * time) * np.exp(-time / decay_s))


def _noise(
    time: Array, decay_s: float, band_hz: tuple[float, float], rng: np.random.Generator
) -> Array:
    sections = butter(2, band_hz, "bandpass", fs=RATE, output="sos")
    return np.asarray(sosfilt(sections, rng.standard_normal(len(time)) * np.exp(-time / decay_s)))


def _kick(level: float, rng: np.random.Generator) -> Array:
    time = _time(0.4)
    cycles = 52 * time + 1.6 * (1 - np.exp(-time / 0.018))  # from 140 Hz down to 52 Hz
    skin = np.sin(2 * np.pi * cycles) * np.exp(-time / 0.09)
    return np.asarray(skin + 0.5 * level * _noise(time, 0.006, (1500, 7000), rng))


def _snare(level: float, rng: np.random.Generator) -> Array:
    time = _time(0.35)
    skin = (
        0.3 * _mode(time, 187, 0.05) + 0.2 * _mode(time, 332, 0.04) + 0.15 * _mode(time, 471, 0.03)
    )
    wires = _noise(time, 0.085, (1200, 11000), rng)
    return skin + (0.5 + 0.4 * level) * wires


def _tom(level: float, rng: np.random.Generator) -> Array:
    time = _time(0.6)
    cycles = rng.choice((98, 123, 155)) * time + 0.5 * (1 - np.exp(-time / 0.04))
    skin = np.sin(2 * np.pi * cycles) + 0.3 * np.sin(2 * np.pi * 1.59 * cycles)
    stick = _noise(time, 0.01, (1000, 5000), rng)
    return np.asarray(0.7 * skin * np.exp(-time / 0.16) + 0.3 * level * stick)


def _cymbal(duration_s: float, decay_s: float, low_hz: float, rng: np.random.Generator) -> Array:
    time = _time(duration_s)
    modes = np.exp(rng.uniform(np.log(low_hz), np.log(15000), 24))[:, np.newaxis]
    phases = rng.uniform(0, 2 * np.pi, (24, 1))
    ringing = np.sin(2 * np.pi * modes * time + phases).mean(axis=0) * np.exp(-time / decay_s)
    return np.asarray(0.5 * ringing + 0.4 * _noise(time, decay_s, (low_hz, 16000), rng))


def _hat(level: float, rng: np.random.Generator) -> Array:
    return 0.5 * _cymbal(0.25, 0.02 + 0.03 * level, 6000, rng)


def _ride(level: float, rng: np.random.Generator) -> Array:
    return 0.25 * _cymbal(0.8, 0.12, 5000, rng)


def _crash(level: float, rng: np.random.Generator) -> Array:
    return 0.4 * _cymbal(2.5, 0.6, 3000, rng)


_DRUMS: dict[str, Callable[[float, np.random.Generator], Array]] = {
    "kick": _kick,
    "snare": _snare,
    "tom": _tom,
    "hat": _hat,
    "ride": _ride,
    "crash": _crash,
}

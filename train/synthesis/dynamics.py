"""Gains that follow a sound: compression, ducking, limiting and saturation.

Each is a gain for every sample, so that it can be found on a mixture and applied to its stems,
whose sum it then keeps.
"""

import numpy as np

from unbraid.demo.room import RATE, Array

BLOCK = 64  # samples between two values of a gain
FLOOR = 1e-6


def compressor_gain(
    key: Array, threshold_db: float, ratio: float, attack_s: float, release_s: float
) -> Array:
    """The gain of a compressor: above the threshold, `ratio` dB more become one.

    Args:
        key: float64 [2, time], what the compressor listens to.
        threshold_db: peak level from which on it works.
        ratio: 1 for none, infinite for a limiter.
        attack_s: time constant of its falling.
        release_s: time constant of its recovery.

    Returns:
        float64 [time].
    """
    samples = key.shape[1]
    padded = np.pad(np.abs(key).max(axis=0), (0, -samples % BLOCK))
    level_db = 20 * np.log10(padded.reshape(-1, BLOCK).max(axis=1) + FLOOR)
    wanted = np.minimum(0, (threshold_db - level_db) * (1 - 1 / ratio))
    attack, release = (1 - np.exp(-BLOCK / RATE / time) for time in (attack_s, release_s))
    gain_db, now = [], 0.0
    for each in wanted.tolist():
        now += (attack if each < now else release) * (each - now)
        gain_db.append(now)
    centres = np.arange(len(gain_db)) * BLOCK + BLOCK / 2
    return np.asarray(10 ** (np.interp(np.arange(samples), centres, gain_db) / 20))


def saturation_gain(sound: Array, drive: float) -> Array:
    """The gain that makes tanh(drive x) / drive of a sound x, sample by sample."""
    driven = np.where(np.abs(sound) < FLOOR, FLOOR, drive * sound)
    return np.asarray(np.tanh(driven) / driven)


def saturate(sound: Array, drive: float) -> Array:
    """Bend loud samples, as tape, valves and transistors do; soft ones stay as they are."""
    return np.asarray(np.tanh(drive * sound) / drive)


def active_rms(sound: Array) -> float:
    """RMS over the tenths of seconds in which something sounds; 0 for silence."""
    span = RATE // 10
    if sound.shape[1] < span:
        return float(np.sqrt(np.mean(sound**2)))
    whole = sound[:, : sound.shape[1] // span * span]
    power = (whole**2).mean(axis=0).reshape(-1, span).mean(axis=1)
    return float(np.sqrt(power[power >= 1e-3 * power.max()].mean()))


def levelled(sound: Array, level_db: float) -> Array:
    """The same sound at an active RMS level; silence stays silent."""
    rms = active_rms(sound)
    return sound * (10 ** (level_db / 20) / rms) if rms > FLOOR else sound

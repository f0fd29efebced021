"""Filters of the mixing desk: second-order sections after Bristow-Johnson's Audio EQ Cookbook.

All take and return float64 [..., time] at 44.1 kHz.
"""

import numpy as np
from scipy.signal import sosfilt

from unbraid.demo.room import RATE, Array

HIGHEST_HZ = 0.45 * RATE


def low_pass(sound: Array, hz: float, q: float = 0.707) -> Array:
    """Remove what lies above a corner; q raises the corner itself."""
    cosine, alpha = _angle(hz, q)
    return _apply(
        sound,
        ((1 - cosine) / 2, 1 - cosine, (1 - cosine) / 2),
        (1 + alpha, -2 * cosine, 1 - alpha),
    )


def high_pass(sound: Array, hz: float, q: float = 0.707) -> Array:
    """Remove what lies below a corner."""
    cosine, alpha = _angle(hz, q)
    return _apply(
        sound,
        ((1 + cosine) / 2, -1 - cosine, (1 + cosine) / 2),
        (1 + alpha, -2 * cosine, 1 - alpha),
    )


def band_pass(sound: Array, hz: float, q: float) -> Array:
    """Keep a band, at its centre as it was."""
    cosine, alpha = _angle(hz, q)
    return _apply(sound, (alpha, 0.0, -alpha), (1 + alpha, -2 * cosine, 1 - alpha))


def peak(sound: Array, hz: float, gain_db: float, q: float = 1.0) -> Array:
    """Raise or lower a band."""
    cosine, alpha = _angle(hz, q)
    a = 10 ** (gain_db / 40)
    return _apply(
        sound,
        (1 + alpha * a, -2 * cosine, 1 - alpha * a),
        (1 + alpha / a, -2 * cosine, 1 - alpha / a),
    )


def low_shelf(sound: Array, hz: float, gain_db: float) -> Array:
    """Raise or lower all that lies below a corner."""
    return _shelf(sound, hz, gain_db, 1)


def high_shelf(sound: Array, hz: float, gain_db: float) -> Array:
    """Raise or lower all that lies above a corner."""
    return _shelf(sound, hz, gain_db, -1)


def _shelf(sound: Array, hz: float, gain_db: float, side: int) -> Array:
    """A low shelf for side 1; for side -1 its mirror, a high one."""
    cosine, alpha = _angle(hz, 0.707)
    cosine *= side
    a = 10 ** (gain_db / 40)
    root = 2 * np.sqrt(a) * alpha
    return _apply(
        sound,
        (
            a * (a + 1 - (a - 1) * cosine + root),
            side * 2 * a * (a - 1 - (a + 1) * cosine),
            a * (a + 1 - (a - 1) * cosine - root),
        ),
        (
            a + 1 + (a - 1) * cosine + root,
            side * -2 * (a - 1 + (a + 1) * cosine),
            a + 1 + (a - 1) * cosine - root,
        ),
    )


def _angle(hz: float, q: float) -> tuple[float, float]:
    angle = 2 * np.pi * min(hz, HIGHEST_HZ) / RATE
    return float(np.cos(angle)), float(np.sin(angle) / (2 * q))


def _apply(sound: Array, b: tuple[float, float, float], a: tuple[float, float, float]) -> Array:
    return np.asarray(sosfilt(np.array([[*b, *a]]) / a[0], sound))

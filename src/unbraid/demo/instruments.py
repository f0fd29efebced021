"""The pitched instruments, note by note: a bass guitar, an electric piano."""

import numpy as np

from unbraid.demo.room import RATE, Array
from unbraid.types import NoteEvent

FINGER_SOFTNESS = 0.62
PLUCKED_AT = 0.25  # of the string's length
STRING_RING_S = 0.9
LIFT_S = 0.08  # from lifting the finger to silence


def bass_guitar(note: NoteEvent) -> Array:
    """A plucked string over a magnetic pickup.

    The velocity of an ideal string plucked at the part p of its length is, up to its level,

        sum over n of r^n sin(n pi p) sin(n w t),

    where r < 1 is the softness of the finger and falls as time goes by, for higher partials die
    sooner. Written as a difference of cosines, the sum is known in closed form.

    Args:
        note: what to play.

    Returns:
        float64 [time] at 44.1 kHz, from onset to silence.
    """
    time = _time(note)
    angle = 2 * np.pi * _hertz(note.pitch) * time
    softness = FINGER_SOFTNESS * (0.85 + 0.2 * note.amplitude) * np.exp(-time / 4)
    offset = np.pi * PLUCKED_AT
    string = cosine_series(angle - offset, softness) - cosine_series(angle + offset, softness)
    return np.asarray(string * np.exp(-time / STRING_RING_S) * _touch(time, note))


def electric_piano(note: NoteEvent) -> Array:
    """A tine and a tone bar by frequency modulation: Chowning (1973).

    Args:
        note: what to play.

    Returns:
        float64 [time] at 44.1 kHz, from onset to silence.
    """
    time = _time(note)
    angle = 2 * np.pi * _hertz(note.pitch) * time
    bark = 2.2 * note.amplitude * np.exp(-time / 0.5) * np.sin(angle)
    bell = 1.0 * note.amplitude * np.exp(-time / 0.12) * np.sin(14 * angle)
    tone = np.sin(angle + bark) + 0.3 * np.sin(angle + bell)
    return np.asarray(tone * np.exp(-time / 1.4) * _touch(time, note))


def _hertz(pitch: int) -> float:
    return float(440 * 2 ** ((pitch - 69) / 12))


def _time(note: NoteEvent) -> Array:
    return np.arange(round((note.end_s - note.start_s + LIFT_S) * RATE)) / RATE


def _touch(time: Array, note: NoteEvent) -> Array:
    """Level of a note: three milliseconds in, and out once it is let go."""
    attack, release = np.clip(time / 0.003, 0, 1), np.clip((time[-1] - time) / LIFT_S, 0, 1)
    return np.asarray(note.amplitude * attack * release)


def cosine_series(angle: Array, r: Array) -> Array:
    """Sum over n >= 1 of r^n cos(n * angle): the real part of a geometric series."""
    return np.asarray((1 - r * np.cos(angle)) / (1 - 2 * r * np.cos(angle) + r**2) - 1)

"""Where sounds stand: rooms, echoes, choruses, width and direction.

All take and return float64 [2, time].
"""

from dataclasses import dataclass

import numpy as np

from unbraid.demo.room import RATE, Array, reverberate

CHORUS_S = 0.012


@dataclass(frozen=True)
class Room:
    """A room, or a machine that pretends to be one.

    Attributes:
        wet: level of the late reverberation against the sound.
        decay_s: time in which it falls by 60 dB.
        damping: how much treble the walls swallow, 0 to 0.9.
        early: level of the first reflections.
        size_s: time within which they arrive.
    """

    wet: float
    decay_s: float
    damping: float = 0.65
    early: float = 0.0
    size_s: float = 0.04


def in_room(dry: Array, room: Room, rng: np.random.Generator) -> Array:
    """A sound in a room."""
    heard = dry.copy()
    if room.early:
        for delay_s in rng.uniform(0.004, room.size_s, 6):
            gains = room.early * rng.uniform(0.2, 0.8, (2, 1)) * rng.choice((-1, 1))
            heard += gains * delayed(dry, float(delay_s))
    return reverberate(heard, room.wet, room.decay_s, rng, room.damping)


def delayed(sound: Array, time_s: float) -> Array:
    """The same later; what would outlast it is cut."""
    samples = round(time_s * RATE)
    return np.pad(sound, ((0, 0), (samples, 0)))[:, : sound.shape[1]]


def echo(sound: Array, time_s: float, feedback: float, wet: float, ping_pong: bool) -> Array:
    """Repeat a sound, each time weaker by `feedback`; in turn left and right with `ping_pong`."""
    heard = sound.copy()
    level, repeat = wet, sound
    while level > 0.01:
        repeat = delayed(repeat[::-1] if ping_pong else repeat, time_s)
        heard += level * repeat
        level *= feedback
    return heard


def chorus(sound: Array, depth_s: float, rate_hz: float, wet: float) -> Array:
    """Add a copy whose delay sways by `depth_s` around `CHORUS_S`, left before right."""
    time = np.arange(sound.shape[1])
    heard = sound.copy()
    for channel, phase in enumerate((0.0, np.pi / 2)):
        sway = depth_s * np.sin(2 * np.pi * rate_hz * time / RATE + phase)
        read = time - RATE * (CHORUS_S + sway)
        heard[channel] += wet * np.interp(read, time, sound[channel], left=0.0)
    return heard


def widened(sound: Array, width: float) -> Array:
    """Scale the difference of the channels: 0 is mono, 1 as it was."""
    middle, side = sound.mean(axis=0), width * (sound[0] - sound[1]) / 2
    return np.stack([middle + side, middle - side])


def aside(sound: Array, pan: float) -> Array:
    """Turn a sound to the left (-1) or right (1) by weakening the other channel."""
    return np.asarray(sound * np.array([[min(1.0, 1 - pan)], [min(1.0, 1 + pan)]]))

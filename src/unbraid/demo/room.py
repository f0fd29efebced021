"""The room and the mixing desk: places sounds between the loudspeakers and lets them ring.

The room answers with noise that dies away exponentially (Moorer, About This Reverberation
Business, 1979).
"""

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter, oaconvolve

Array = npt.NDArray[np.float64]

RATE = 44100
PREDELAY_S = 0.015


def place(track: Array, sound: Array, at_s: float, pan: float = 0.0) -> None:
    """Add a sound to a track; what would outlast the track is cut.

    Args:
        track: float64 [2, time], changed in place.
        sound: float64 [time].
        at_s: when it begins, in seconds.
        pan: -1 is left, 1 is right, of equal power in between.
    """
    start = round(at_s * RATE)
    heard = sound[: track.shape[1] - start]
    angle = (pan + 1) * np.pi / 4
    track[0, start : start + len(heard)] += np.cos(angle) * heard
    track[1, start : start + len(heard)] += np.sin(angle) * heard


def reverberate(
    dry: Array, wet: float, decay_s: float, rng: np.random.Generator, damping: float = 0.65
) -> Array:
    """Add a room.

    Args:
        dry: float64 [2, time].
        wet: level of the room against the sound itself.
        decay_s: time in which the room falls by 60 dB.
        rng: source of the room's walls.
        damping: how much treble the walls swallow, from 0 to below 1.

    Returns:
        float64 [2, time].
    """
    time = np.arange(int(decay_s * RATE)) / RATE
    echoes = rng.standard_normal((2, len(time))) * 10 ** (-3 * time / decay_s)
    echoes = lfilter([1 - damping], [1, -damping], echoes)
    echoes /= np.linalg.norm(echoes, axis=1, keepdims=True)
    delay = int(PREDELAY_S * RATE)
    ringing = oaconvolve(dry, echoes, axes=1)[:, : dry.shape[1] - delay]
    return dry + wet * np.pad(ringing, ((0, 0), (delay, 0)))

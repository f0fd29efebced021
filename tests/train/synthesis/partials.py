"""How much of a sound has the pitch that it should have."""

import numpy as np
from train.synthesis.instruments import hertz

from unbraid.demo.room import RATE, Array


def share_of_partials(sound: Array, pitch: float, cents: float = 30) -> float:
    """Part of the energy up to the 8th partial that lies near one of them, or near a half one."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 4 * len(sound))) ** 2
    hz = np.fft.rfftfreq(4 * len(sound), 1 / RATE)
    partials = hertz(pitch) * np.arange(1, 17)[:, np.newaxis] / 2
    near = np.abs(hz - partials) < np.maximum(2 ** (cents / 1200) - 1, 3 / partials) * partials
    return float(spectrum[near.any(axis=0)].sum() / spectrum[hz < 8.3 * hertz(pitch)].sum())

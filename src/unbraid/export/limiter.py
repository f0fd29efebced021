"""A peak limiter without overshoot or delay.

The gain each sample needs is held over a window (the minimum) and then smoothed over the same
window (the mean). Every held value that enters the mean at a peak is at most what that peak needs,
so no sample passes full scale.
"""

import numpy as np
import scipy  # its parts load at first use

from unbraid.types import Read, Samples

REACH = 220  # samples to either side, 5 ms at 44.1 kHz
CONTEXT = 2 * REACH  # samples to either side on which a sample depends
CEILING = 1.0 - 1e-6  # leaves room for the rounding of the product


def limit(samples: Samples) -> Samples:
    """Turn peaks beyond full scale down, on all channels alike.

    Args:
        samples: float32 [channel, time], at least one sample.

    Returns:
        float32 [channel, time], within ±1.0; samples far from a peak are unchanged.
    """
    peak = np.abs(samples).max(axis=0).astype(np.float64)
    needed = np.where(peak > CEILING, CEILING / np.maximum(peak, CEILING), 1.0)
    held = scipy.ndimage.minimum_filter1d(needed, 2 * REACH + 1, mode="nearest")
    gain = scipy.ndimage.uniform_filter1d(held, 2 * REACH + 1, mode="nearest")
    return (samples * gain).astype(np.float32)


def limited(read: Read, length: int) -> Read:
    """A stem of `length` samples with its peaks turned down, the same for any block size."""

    def around(start: int, stop: int) -> Samples:
        before, after = max(0, start - CONTEXT), min(length, stop + CONTEXT)
        return limit(read(before, after))[:, start - before : stop - before]

    return around

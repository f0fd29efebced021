"""Separation without training: what a network must beat.

Three old ideas share out the cells of a spectrogram: what is steady in time is harmonic, what is
steady in frequency is struck (Fitzgerald, 2010); what comes back is accompaniment (REPET-SIM, Rafii
and Pardo, 2012); what is equal in both channels is in the middle, where voices are mixed.
"""

import numpy as np
from scipy.ndimage import median_filter

from bench.estimates import SMALL, STFT, masked, repeating_share
from unbraid.types import Samples

HARMONIC_FRAMES, PERCUSSIVE_BINS = 17, 31  # 0.4 s, 330 Hz
BASS_HZ, LOWEST_VOICE_HZ, HIGHEST_VOICE_HZ = 200, 150, 10_000


def separate(mixture: Samples) -> Samples:
    """Separate a mixture at 44.1 kHz.

    Args:
        mixture: float32 [2, time].

    Returns:
        float32 [4, 2, time]: vocals, drums, bass, other, whose sum is the mixture.
    """
    spectrum = STFT.forward(mixture)
    magnitude = np.abs(spectrum).mean(axis=0)
    steady = median_filter(magnitude, (HARMONIC_FRAMES, 1)) ** 2 + SMALL
    struck = median_filter(magnitude, (1, PERCUSSIVE_BINS)) ** 2 + SMALL
    drums = struck / (steady + struck)
    hz = np.fft.rfftfreq(STFT.n_fft, 1 / 44_100)
    low = 1 / (1 + (hz / BASS_HZ) ** 8)
    voiced = (1 - 1 / (1 + (hz / LOWEST_VOICE_HZ) ** 8)) / (1 + (hz / HIGHEST_VOICE_HZ) ** 8)
    left, right = np.abs(spectrum[0] + spectrum[1]), np.abs(spectrum[0] - spectrum[1])
    middle = left**2 / (left**2 + 4 * right**2 + SMALL)
    voice = (1 - repeating_share(magnitude)) * middle * voiced
    bass = (1 - drums) * low
    rest = 1 - voice - (1 - voice) * (drums + bass)
    masks = np.stack([voice, (1 - voice) * drums, (1 - voice) * bass, rest])
    return masked(mixture, np.repeat(masks[:, np.newaxis], 2, axis=1).astype(np.float32))

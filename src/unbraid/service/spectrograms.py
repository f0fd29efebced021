"""Spectrograms of a result in several zooms, for drawing.

A spectrogram is a byte for each of 128 mel bands of each column, low tones first. All recordings
share their bands, whatever their rate, so that they can be compared.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from unbraid.analysis import spectra
from unbraid.types import Samples

BANDS = spectra.MEL_BANDS
HIGHEST_HZ = 22_050.0
LEVELS = (1024, 4096, 16_384)  # samples from a column to the next
STEP = 4  # from a level to the next
STEPS_PER_DB = 2.5  # below 255, which is 0 dB: the power of a full sine in one band

Levels = npt.NDArray[np.uint8]


def columns_of(length: int, level: int) -> int:
    """Columns of a level; column k is centred on sample k * 1024, or begins there in others.

    Example:
        >>> columns_of(1_000, 1_024), columns_of(10_000, 1_024), columns_of(10_000, 4_096)
        (1, 10, 3)
    """
    return -(-(1 + length // LEVELS[0]) // (level // LEVELS[0]))


class Spectrograph:
    """Listens to a recording block by block.

    Args:
        sample_rate: samples per second.
    """

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._pending = np.zeros(spectra.WINDOW // 2, np.float32)  # centres column 0 on time 0
        self._found: list[Levels] = []

    @property
    def loudest(self) -> int:
        """Of all levels so far."""
        return max((int(part.max()) for part in self._found if part.size), default=0)

    def push(self, block: Samples) -> None:
        """Listen to a block [channel, time]."""
        self._push(block.mean(axis=0))

    def levels(self, length: int) -> Iterator[bytes]:
        """All zooms, after the last of `length` samples."""
        columns = columns_of(length, LEVELS[0])
        missing = columns - sum(map(len, self._found))
        self._push(np.zeros(missing * spectra.HOP, np.float32))
        level = np.concatenate(self._found)[:columns]
        for each in LEVELS:
            if each > LEVELS[0]:
                level = np.maximum.reduceat(level, np.arange(0, len(level), STEP), axis=0)
            yield level.tobytes()

    def _push(self, samples: Samples) -> None:
        self._pending = np.concatenate([self._pending, samples])
        if len(self._pending) < spectra.WINDOW:
            return
        magnitudes = spectra.windowed(self._pending)
        power = spectra.mel(magnitudes, self._sample_rate, HIGHEST_HZ)
        steps = 255 + STEPS_PER_DB * 10 * np.log10(np.maximum(power, 1e-12))
        self._found.append(np.rint(steps.clip(0, 255)).astype(np.uint8))
        self._pending = self._pending[len(magnitudes) * spectra.HOP :]

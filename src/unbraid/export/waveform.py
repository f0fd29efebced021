"""How loud a recording is from moment to moment, as few numbers as a drawing needs."""

import numpy as np
import numpy.typing as npt

from unbraid.export.levels import stretches
from unbraid.types import Read, Samples

Peaks = npt.NDArray[np.float32]

COLUMNS_PER_SECOND = 50
_FEWEST, _MOST = 1_000, 15_000


def columns_of(length: int, sample_rate: int) -> int:
    """How many columns show a song well: 50 a second, but neither few nor very many."""
    usual = round(length / sample_rate * COLUMNS_PER_SECOND)
    return max(1, min(max(usual, _FEWEST), _MOST, length))


class PeakMeter:
    """Sees the samples of a recording in any order, also more than once.

    Args:
        length: in samples.
        columns: into how many the song is divided, no more than samples.

    Attributes:
        peaks: lowest and highest samples of both channels so far [column, 2]; zero is always
            between them.
    """

    def __init__(self, length: int, columns: int) -> None:
        self.peaks = np.zeros((columns, 2), np.float32)
        self._edges = np.arange(columns + 1) * length // columns

    def push(self, start: int, samples: Samples) -> None:
        """See float32 [channel, time], the first of them the song's sample `start`."""
        last_sample = start + samples.shape[1] - 1
        first, last = np.searchsorted(self._edges, (start, last_sample), side="right") - 1
        starts = np.maximum(self._edges[first : last + 1] - start, 0)
        column = self.peaks[first : last + 1]
        lowest = np.minimum.reduceat(samples.min(axis=0), starts)
        highest = np.maximum.reduceat(samples.max(axis=0), starts)
        np.minimum(column[:, 0], lowest, out=column[:, 0])
        np.maximum(column[:, 1], highest, out=column[:, 1])


def peaks(read: Read, length: int, columns: int) -> Peaks:
    """Lowest and highest samples of a recording [column, 2]; see `PeakMeter`."""
    meter = PeakMeter(length, columns)
    for start, stop in stretches(length):
        meter.push(start, read(start, stop))
    return meter.peaks

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


def peaks(read: Read, length: int, columns: int) -> Peaks:
    """Lowest and highest samples of both channels [column, 2]; zero is always between them.

    Args:
        read: the recording.
        length: in samples.
        columns: into how many the song is divided, no more than samples.
    """
    found = np.zeros((columns, 2), np.float32)
    edges = np.arange(columns + 1) * length // columns
    for start, stop in stretches(length):
        samples: Samples = read(start, stop)
        first, last = np.searchsorted(edges, (start, stop - 1), side="right") - 1
        starts = np.maximum(edges[first : last + 1] - start, 0)
        column = found[first : last + 1]
        lowest = np.minimum.reduceat(samples.min(axis=0), starts)
        highest = np.maximum.reduceat(samples.max(axis=0), starts)
        np.minimum(column[:, 0], lowest, out=column[:, 0])
        np.maximum(column[:, 1], highest, out=column[:, 1])
    return found

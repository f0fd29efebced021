"""The stretches of a song in which most of its stems sound."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from unbraid.types import Read

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Loudness:
    """How loud stems are in the course of a song.

    Attributes:
        peaks: of each stem, full scale 1.0.
        energies: of each stem in each second, float64 [stem, second].
        length: samples of the song.
        sample_rate: samples per second.
    """

    peaks: tuple[float, ...]
    energies: Array
    length: int
    sample_rate: int

    @classmethod
    def of(cls, stems: Iterable[Read], length: int, sample_rate: int) -> Self:
        """Go through the stems, second by second."""
        starts = range(0, length, sample_rate)
        peaks, energies = [], []
        for read in stems:
            seconds = (read(start, min(start + sample_rate, length)) for start in starts)
            levels = [(float(np.abs(each).max()), float(np.vdot(each, each))) for each in seconds]
            peaks.append(max((peak for peak, _ in levels), default=0.0))
            energies.append([energy for _, energy in levels])
        return cls(tuple(peaks), np.array(energies), length, sample_rate)

    def excerpts(self, most: int, seconds: int) -> Iterator[tuple[int, int]]:
        """First sample and the one past the last of each of at most `most` excerpts.

        The song is cut into parts as long as each other; from each comes that stretch of `seconds`
        which holds most of all stems together, each relative to all that there is of it. A song
        that is no longer than its excerpts is heard whole.
        """
        count = self.energies.shape[1]
        shares = self.energies / np.maximum(self.energies.sum(axis=1, keepdims=True), 1e-12)
        heard = np.concatenate([[0.0], np.cumsum(shares.sum(axis=0))])
        parts = min(most, -(-count // seconds))
        for k in range(parts):
            first, last = k * count // parts, (k + 1) * count // parts
            if parts == most and last - first > seconds:
                starts = np.arange(first, last - seconds + 1)
                first = int(starts[np.argmax(heard[starts + seconds] - heard[starts])])
                last = first + seconds
            yield first * self.sample_rate, min(last * self.sample_rate, self.length)

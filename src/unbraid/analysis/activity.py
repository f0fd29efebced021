"""When a part of a song sounds: where it is within reach of its own loudest, and of the song's."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import scipy  # its parts load at first use

from unbraid.types import Samples

Span: TypeAlias = tuple[float, float]
"""Start and end in seconds."""

STEPS_PER_SECOND = 10
LOUD_PERCENTILE = 95
SILENT_DB = -60.0  # of full scale
SOFT_DB = -35.0  # of the loud moments of the part
BLEED_DB = -20.0  # of those of the song: what a separation leaves of other parts
LONGEST_GAP_S, LEAST_S = 1.0, 0.3


class Activity:
    """The level of a part ten times a second, gathered block by block.

    Example:
        >>> loud = np.full((2, 44100), 0.1, np.float32)
        >>> part = Activity(44100)
        >>> for block in (0 * loud, loud, loud, 0 * loud, 0 * loud):
        ...     part.push(block)
        >>> part.spans(of=part)
        ((1.0, 3.0),)
    """

    def __init__(self, sample_rate: int) -> None:
        self._step = round(sample_rate / STEPS_PER_SECOND)
        self._pending = np.zeros(0)
        self._powers = [np.zeros(0)]

    def push(self, block: Samples) -> None:
        """Take the next block of the part, float32 [channel, time], of any length."""
        power = np.square(block).mean(axis=0, dtype=np.float64)
        self._pending = np.concatenate([self._pending, power])
        whole = len(self._pending) // self._step * self._step
        self._powers.append(self._pending[:whole].reshape(-1, self._step).mean(axis=1))
        self._pending = self._pending[whole:]

    def spans(self, of: "Activity") -> tuple[Span, ...]:
        """When the part sounds.

        Args:
            of: the song that it is a part of.
        """
        levels, loud = self._levels_db(), self._loud_db()
        if loud < max(SILENT_DB, of._loud_db() + BLEED_DB):
            return ()
        sounding = levels > max(SILENT_DB, loud + SOFT_DB)
        sounding = _without_short(sounding, value=False, longest_s=LONGEST_GAP_S)
        sounding = _without_short(sounding, value=True, longest_s=LEAST_S)
        edges = np.flatnonzero(np.diff(sounding, prepend=False, append=False)) / STEPS_PER_SECOND
        return tuple((start, end) for start, end in edges.reshape(-1, 2).tolist())

    def _levels_db(self) -> npt.NDArray[np.float64]:
        return np.asarray(10 * np.log10(np.concatenate(self._powers) + 1e-12))

    def _loud_db(self) -> float:
        levels = self._levels_db()
        return float(np.percentile(levels, LOUD_PERCENTILE)) if len(levels) else -np.inf


def _without_short(
    sounding: npt.NDArray[np.bool_], *, value: bool, longest_s: float
) -> npt.NDArray[np.bool_]:
    """Runs of a value up to so long become the other one."""
    runs, count = scipy.ndimage.label(sounding == value)
    lengths = np.bincount(runs, minlength=count + 1)
    short = lengths <= longest_s * STEPS_PER_SECOND
    if not value:
        short[[runs[0], runs[-1]] if len(runs) else []] = False
    short[0] = False
    return np.asarray(sounding ^ short[runs])

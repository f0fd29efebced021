"""Loops: short recordings cut on bars, whose length tells a tempo that few notes do not.

Loops are made to a whole number of beats per minute and cut to the sample. Of recordings of any
other length, one in a hundred has such a length by chance; round numbers of seconds, to which
excerpts are cut, count for nothing.
"""

from collections.abc import Iterator

import numpy as np

from unbraid.analysis.hearing import Hearing
from unbraid.analysis.metre import SPREAD_OCTAVES, TEMPI_BPM, USUAL_BPM
from unbraid.analysis.pulse import evened
from unbraid.types import BEATS_PER_BAR, BeatGrid, Metre

LONGEST_S = 30.0
CUT_S = 0.0001  # that the length may be off
ROUND_S = 0.1
BARS = (1, 2, 4, 8, 16)
RARITY: dict[Metre, float] = {"4/4": 0.0, "3/4": 2.0}  # a loop's logarithmic odds against
PARTS = (1, 2, 4)  # of a beat
CONFIDENCE = 0.3  # of what is known by a length


def find_loop(hearing: Hearing) -> BeatGrid | None:
    """The beats of a recording whose length is that of a loop, if its notes are in step with it."""
    found = [
        (unlikeliness, metre, beats)
        for unlikeliness, metre, beats in _fitting(hearing.duration_s)
        if _in_step(hearing, beats)
    ]
    if not found:
        return None
    _, metre, beats = min(found)
    times_s = np.round(np.arange(beats) * hearing.duration_s / beats, 4)
    return BeatGrid(tuple(times_s.tolist()), 0, metre, CONFIDENCE)


def _fitting(duration_s: float) -> Iterator[tuple[float, Metre, int]]:
    """How unlikely, in which metre and of how many beats a loop so long may be."""
    if duration_s > LONGEST_S or abs(duration_s - _nearest(duration_s, ROUND_S)) < CUT_S:
        return
    for metre, rarity in RARITY.items():
        slowest, fastest = TEMPI_BPM[metre]
        for bars in BARS:
            beats = bars * BEATS_PER_BAR[metre]
            bpm = round(60 * beats / duration_s)
            if slowest <= bpm <= fastest and abs(60 * beats / bpm - duration_s) < CUT_S:
                octaves = np.log2(bpm / USUAL_BPM[metre]) / SPREAD_OCTAVES[metre]
                yield rarity + float(octaves**2) / 2, metre, beats


def _nearest(time_s: float, step_s: float) -> float:
    return step_s * round(time_s / step_s)


def _in_step(hearing: Hearing, beats: int) -> bool:
    """Whether more begins on parts of beats than between them."""
    if not np.any(hearing.strength):
        return False
    strength = evened(hearing.strength, hearing.frame_rate)
    turns = beats / hearing.duration_s * np.arange(len(strength)) / hearing.frame_rate
    return bool(np.cos(2 * np.pi * np.outer(PARTS, turns)).sum(axis=0) @ strength > 0)

"""Beats, bars and tempo of a song."""

import numpy as np

from unbraid.analysis.hearing import Hearing
from unbraid.analysis.loops import find_loop
from unbraid.analysis.metre import find_grid
from unbraid.analysis.onsets import FloatArray
from unbraid.analysis.pulse import find_pulse
from unbraid.types import BeatGrid, Rhythm, Tempo

QUIET = 0.02  # of the loudest level, which is logarithmic: what is softer is silence
BESIDE_S = 0.05  # a beat may be this far outside what sounds
AROUND_BEATS = 4  # on each side, over which the tempo of a moment is measured
STEADY = 0.02  # is a tempo that hardly ever differs more from its mean
HARDLY_EVER = 0.1
WHOLE_BPM = 0.3  # from a whole number, which is then meant


def find_beats(hearing: Hearing) -> Rhythm:
    """Find where the beats of a song are, which of them begin its bars, and how fast they are.

    Args:
        hearing: the song.

    Returns:
        Beats while something sounds, with their tempo; those of its length in a loop without a
        pulse; no beats and no tempo where nothing pulses: silence, noise, speech, or less than
        four seconds.
    """
    pulse = find_pulse(hearing.strength, hearing.frame_rate)
    grid = _while_sounding(find_grid(hearing, pulse), hearing) if pulse else find_loop(hearing)
    if grid is None:
        return Rhythm(Tempo(None, False, False, 0.0, ()), None)
    return Rhythm(_tempo(grid, rubato=pulse is not None and pulse.rubato), grid)


def _while_sounding(grid: BeatGrid | None, hearing: Hearing) -> BeatGrid | None:
    """The grid without beats in the silence before and after the song."""
    if grid is None:
        return None
    sounding_s = np.flatnonzero(hearing.level > QUIET * hearing.level.max()) / hearing.frame_rate
    first_s, last_s = sounding_s[[0, -1]] + (-BESIDE_S, BESIDE_S)
    first, stop = np.searchsorted(grid.beats_s, (max(0.0, first_s), last_s)).tolist()
    if stop - first < 2:
        return None
    first_downbeat = (grid.first_downbeat - first) % grid.beats_per_bar
    return BeatGrid(grid.beats_s[first:stop], first_downbeat, grid.metre, grid.confidence)


def _tempo(grid: BeatGrid, *, rubato: bool) -> Tempo:
    beats_s = np.array(grid.beats_s)
    curve = _curve(beats_s)
    mean = 60 / float(
        np.polynomial.Polynomial.fit(range(len(beats_s)), beats_s, 1).convert().coef[1]
    )
    deviations = np.abs(curve / mean - 1)
    steady = not rubato and float(np.quantile(deviations, 1 - HARDLY_EVER)) < STEADY
    bpm = mean if steady else float(np.median(curve))
    whole = steady and abs(bpm - round(bpm)) <= WHOLE_BPM
    return Tempo(
        bpm=None if rubato else round(bpm, 0 if whole else 1),
        steady=steady,
        rubato=rubato,
        confidence=grid.confidence,
        curve=tuple(zip(grid.beats_s, np.round(curve, 1).tolist(), strict=True)),
    )


def _curve(beats_s: FloatArray) -> FloatArray:
    """Beats per minute around each beat."""
    every = np.arange(len(beats_s))
    first = np.maximum(every - AROUND_BEATS, 0)
    last = np.minimum(every + AROUND_BEATS, every[-1])
    return np.asarray(60 * (last - first) / (beats_s[last] - beats_s[first]))

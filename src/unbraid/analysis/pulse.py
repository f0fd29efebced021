"""The steady or drifting pulse of a song: the best path through all its onsets.

A hidden Markov model over period and phase in the manner of Krebs, Böck and Widmer, An Efficient
State-Space Model for Joint Tempo and Meter Tracking (2015). As nothing is decided between beats,
only beats are states: at each frame, one for each period that may have led to it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy

from unbraid.analysis.onsets import FloatArray

IntArray = npt.NDArray[np.int64]

SLOWEST_BPM, FASTEST_BPM = 50.0, 280.0
STEP = 0.015  # between neighbouring periods, as a part of them
CHANGE_COST = 4.5  # of going to the neighbouring period, in standard deviations of the onsets
RUBATO_STEP, RUBATO_CHANGE_COST, RUBATO_REACH = 0.06, 1.8, 0.35
AHEAD_S = 0.006  # of the sound is what begins, as a window's energy rises before its centre
EARLY_LATE = 3  # frames that a beat may stray from its period
STRAY_COST = 1.0  # of a frame, squared
EVEN_S = 6.0  # over which loud and soft passages are evened out
SOFT = 0.1  # of the mean of squares; softer passages stay softer
LOUDEST = 4.0

NEAR = 3  # frames around a stroke within which its onset is looked for
STIFFNESS, RUBATO_STIFFNESS = 30.0, 0.3  # of the pulse against onsets that are early or late

LEAST_S = 4.0
RUBATO_GAIN = 1.5  # times as much has a path to gain before it is believed to be rubato
CHANCE_GAIN = 0.45  # of a beat among onsets at random
LEAST_EVIDENCE, LEAST_RUBATO_EVIDENCE, FULL_EVIDENCE = 2.6, 2.0, 10.0


@dataclass(frozen=True)
class Pulse:
    """Something to count along with, perhaps twice or half as fast as the beat.

    Attributes:
        times_s: when, in seconds, evenly or nearly so.
        confidence: 0 where onsets at random would do as well, at most 1.
        rubato: whether no tempo is kept.
    """

    times_s: FloatArray
    confidence: float
    rubato: bool


def find_pulse(strength: FloatArray, frame_rate: float) -> Pulse | None:
    """Find what a listener would count along with.

    Args:
        strength: of the onsets [frame], about 1 in the mean of squares.
        frame_rate: frames per second.

    Returns:
        The pulse, or None where nothing pulses: silence, noise, or less than four seconds.
    """
    if len(strength) < LEAST_S * frame_rate or not np.any(strength):
        return None
    even = evened(strength, frame_rate)
    periods = frame_rate * _periods(60 / FASTEST_BPM, 60 / SLOWEST_BPM, STEP)
    steady = _best_path(even, periods, CHANGE_COST)
    shortest, longest = (steady.period * np.exp(reach) for reach in (-RUBATO_REACH, RUBATO_REACH))
    free = _best_path(even, _periods(shortest, longest, RUBATO_STEP), RUBATO_CHANGE_COST)
    rubato = free.gain > RUBATO_GAIN * steady.gain
    path = free if rubato else steady
    evidence = float((path.gain - CHANCE_GAIN) * np.sqrt(len(path.beats)))
    least = LEAST_RUBATO_EVIDENCE if rubato else LEAST_EVIDENCE
    if evidence < least:
        return None
    confidence = min(1.0, (evidence - least) / (FULL_EVIDENCE - least))
    frames = _refined(path.beats, strength, RUBATO_STIFFNESS if rubato else STIFFNESS)
    return Pulse(frames / frame_rate + AHEAD_S, confidence, rubato)


def evened(strength: FloatArray, frame_rate: float) -> FloatArray:
    """Onset strength as soft passages have it too, of mean 0."""
    power = scipy.ndimage.uniform_filter1d(strength**2, round(EVEN_S * frame_rate))
    even = (strength / np.sqrt(power + SOFT)).clip(max=LOUDEST)
    return np.asarray(even - even.mean())


def _periods(shortest: float, longest: float, step: float) -> FloatArray:
    return np.geomspace(shortest, longest, 1 + round(np.log(longest / shortest) / step))


@dataclass(frozen=True)
class _Path:
    """A way through a song.

    Attributes:
        beats: their frames.
        period: the last one, in frames.
        gain: onset strength met, less the costs of changes, in the mean of the beats.
    """

    beats: IntArray
    period: float
    gain: float


def _best_path(strength: FloatArray, periods: FloatArray, change_cost: float) -> _Path:
    """The path that stands out most from what chance would gain on as many beats."""
    count, length = len(periods), len(strength)
    whole = np.round(periods).astype(int)
    intervals = whole + np.arange(-EARLY_LATE, EARLY_LATE + 1)[:, np.newaxis]
    stray_costs = STRAY_COST * (intervals - periods) ** 2
    neighbours = np.arange(3)[:, np.newaxis] + np.arange(count)  # in an array padded by one
    change_costs = change_cost * np.array([[1.0], [0.0], [1.0]])
    every, kept, ahead = np.arange(count), int(intervals.max()) + 1, int(intervals.min())
    reached, left = np.zeros((2, kept, count))  # best scores of paths at, and on from, a beat
    strays, changes = np.zeros((2, length, count), np.int8)
    for start in range(0, length, ahead):  # no beat follows another within these frames
        frames = np.arange(start, min(start + ahead, length))
        options = left[(frames[:, np.newaxis, np.newaxis] - intervals) % kept, every] - stray_costs
        strays[frames] = options.argmax(axis=1)
        best = options.max(axis=1) + strength[frames, np.newaxis]
        reached[frames % kept] = best
        padded = np.pad(best, ((0, 0), (1, 1)), constant_values=-np.inf)
        options = padded[:, neighbours] - change_costs
        changes[frames] = options.argmax(axis=1)
        left[frames % kept] = options.max(axis=1)
    ages = np.arange(min(kept, length))[:, np.newaxis]
    ends = np.where(ages < whole, reached[(length - 1 - ages) % kept, every], -np.inf)
    last = int(np.argmax(ends.max(axis=0) * np.sqrt(periods)))
    period, frame, beats = last, length - 1 - int(ends[:, last].argmax()), []
    while frame >= 0:
        beats.append(frame)
        frame -= int(intervals[strays[frame, period], period])
        if frame >= 0:
            period += int(changes[frame, period]) - 1
    gain = float(ends[:, last].max()) / len(beats)
    return _Path(np.array(beats[::-1]), float(periods[last]), gain)


def _refined(beats: IntArray, strength: FloatArray, stiffness: float) -> FloatArray:
    """Move beats to where their onsets are, between frames too, and smooth their tempo.

    Smoothing is that of Whittaker, On a New Method of Graduation (1923): second differences are
    kept small, onsets count by their strength.
    """
    near = np.pad(strength, NEAR + 1)[beats[:, np.newaxis] + np.arange(2 * NEAR + 3)]
    rows, top = np.arange(len(beats)), 1 + near[:, 1:-1].argmax(axis=1)
    before, at, after = (near[rows, top + step] for step in (-1, 0, 1))
    curvature = 2 * at - before - after
    found = (at > 0) & (at >= before) & (at >= after) & (curvature > 0)
    inner = 0.5 * (after - before) / np.where(found, curvature, 1)
    weights = np.where(found, at, 0) + 1e-3
    onsets = beats + np.where(found, top - 1 - NEAR + inner, 0)
    bend = np.diff(np.eye(3), n=2, axis=0)[0]
    bands = np.zeros((3, len(beats)))  # of a symmetric matrix, the diagonal last
    for first in range(3):
        for second in range(first, 3):
            bands[2 - (second - first), second : len(beats) - 2 + second] += (
                stiffness * bend[first] * bend[second]
            )
    bands[2] += weights
    return np.asarray(scipy.linalg.solveh_banded(bands, weights * onsets))

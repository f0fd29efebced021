"""The form of a song: where its parts begin, and which of them come again.

Each bar is described by its harmony, its bass and what plays. The song is divided where that makes
its parts most even inside, at a price for each: kernel change-point detection with a linear kernel
(Harchaoui and Cappé, 2007), which is to the checkerboard of Foote (Automatic Audio Segmentation
Using a Measure of Audio Novelty, 2000) as the best division is to the next boundary.
"""

from dataclasses import dataclass
from itertools import pairwise
from string import ascii_uppercase

import numpy as np
import scipy

from unbraid.analysis.chroma import FRAMES_PER_SECOND, PitchClasses
from unbraid.analysis.hearing import Hearing
from unbraid.analysis.onsets import FloatArray
from unbraid.types import BeatGrid

PRICE = 4.0  # of a part, in variances of bars that follow each other
LEAST_BARS, LEAST_S = 4, 6.0  # of a part
ALIKE = 1.0  # distance of the means of parts that are the same, in standard deviations
BAR_S = 2.0  # where there are no beats
TURN_BARS = 3  # over which pitch classes are averaged: chords change within a part
TURNS = 2.0  # what they count beside instruments and level
USUAL = 0.75  # quantile of an accent that is all of it
FAINT = 1.0  # strength from which pitch classes count
FLOOR = 0.1  # of the deviation of bars: smaller differences are none


@dataclass(frozen=True)
class Section:
    """A part of a song.

    Attributes:
        start_s: when it begins.
        end_s: when it ends.
        label: A, B and so on, in the order of their first appearance; what comes again has the
            label that it had.
    """

    start_s: float
    end_s: float
    label: str


def find_sections(hearing: Hearing, beats: BeatGrid | None = None) -> tuple[Section, ...]:
    """Find the parts of a song.

    Args:
        hearing: the song.
        beats: parts begin with its bars; where there are none, at any two seconds.

    Returns:
        Parts from the beginning of the song to its end, without gaps; one, if nothing tells
        several apart, and none in silence.
    """
    if not np.any(hearing.level):
        return ()
    edges = _bars(hearing.duration_s, beats)
    bars = _described(hearing, edges)
    least = max(LEAST_BARS, int(np.ceil(LEAST_S * len(bars) / hearing.duration_s)))
    cuts = _divided(bars, least)
    labels = _labels(np.stack([bars[start:stop].mean(axis=0) for start, stop in pairwise(cuts)]))
    found: list[Section] = []
    for (start, stop), label in zip(pairwise(cuts), labels, strict=True):
        begin = found.pop().start_s if found and found[-1].label == label else float(edges[start])
        found.append(Section(begin, float(edges[stop]), label))
    return tuple(found)


def _bars(duration_s: float, beats: BeatGrid | None) -> FloatArray:
    """Edges of bars; what is shorter than half of one at an end belongs to the next."""
    if beats is None:
        return np.linspace(0, duration_s, 1 + max(1, round(duration_s / BAR_S)))
    size = beats.beats_per_bar
    first, last = ((beats.beat_at(at_s) - beats.first_downbeat) / size for at_s in (0, duration_s))
    bars = np.arange(np.ceil(first + 0.5), np.floor(last - 0.5) + 1)
    inside = [beats.seconds(float(beats.first_downbeat + size * bar)) for bar in bars]
    return np.array([0, *inside, duration_s])


def _described(hearing: Hearing, edges: FloatArray) -> FloatArray:
    """What sounds in each bar [bar, feature], in deviations of bars that follow each other."""
    frames = np.round(edges * hearing.frame_rate).astype(int).clip(max=len(hearing.level))
    heard = np.vstack([hearing.accents, hearing.level])
    sums = np.cumsum(np.pad(heard, ((0, 0), (1, 0))), axis=1)[:, frames]
    *accents, level = np.diff(sums, axis=1) / np.maximum(np.diff(frames), 1)
    played = np.sqrt(accents)
    usual = np.quantile(played, USUAL, axis=1, keepdims=True)
    instruments = np.minimum(1, played / (usual + FLOOR)).T
    loudness = level[:, np.newaxis] / level.max()
    turns = [_shares(pitches, edges) for pitches in (hearing.harmony, hearing.bass)]
    return np.hstack(
        [
            *(
                TURNS * scipy.ndimage.uniform_filter1d(turn, TURN_BARS, 0) / _deviation(turn)
                for turn in turns
            ),
            instruments / _deviation(instruments),
            loudness / _deviation(loudness),
        ]
    )


def _shares(pitches: PitchClasses, edges: FloatArray) -> FloatArray:
    """Of pitch classes in each bar [bar, pitch class], of length 1 where they are strong."""
    frames = FRAMES_PER_SECOND * np.diff(edges)[:, np.newaxis]
    strengths = pitches.between(edges[:-1], edges[1:]) / frames
    return np.asarray(strengths / (np.linalg.norm(strengths, axis=1, keepdims=True) + FAINT))


def _deviation(features: FloatArray) -> float:
    """From bar to bar: steps between parts are few, so that they hardly count."""
    steps = np.sum(np.diff(features, axis=0) ** 2, axis=1)
    return float(np.sqrt(np.mean(steps) / 2 + FLOOR**2)) if len(steps) else 1.0


def _divided(bars: FloatArray, least: int) -> list[int]:
    """Where parts of at least so many bars begin, so that all squares and prices are least."""
    count = len(bars)
    sums = np.pad(np.cumsum(bars, axis=0), ((1, 0), (0, 0)))
    squares = np.pad(np.cumsum(np.sum(bars**2, axis=1)), (1, 0))
    best, came = np.full(count + 1, np.inf), np.zeros(count + 1, int)
    best[0] = 0
    for stop in range(least, count + 1):
        starts = np.arange(stop - least + 1)
        within = np.sum((sums[stop] - sums[starts]) ** 2, axis=1) / (stop - starts)
        costs = best[starts] + PRICE + squares[stop] - squares[starts] - within
        came[stop] = costs.argmin()
        best[stop] = costs[came[stop]]
    cuts = [count]
    while cuts[-1]:
        cuts.append(int(came[cuts[-1]]))
    return cuts[::-1]


def _labels(means: FloatArray) -> list[str]:
    """One for each part, from their means [part, feature]."""
    if len(means) == 1:
        return ["A"]
    tree = scipy.cluster.hierarchy.linkage(means, "average")
    groups = scipy.cluster.hierarchy.fcluster(tree, ALIKE, "distance").tolist()
    order = list(dict.fromkeys(groups))
    return [_letters(order.index(group)) for group in groups]


def _letters(number: int) -> str:
    """A to Z, then AA, AB and so on."""
    rest, letter = divmod(number, len(ascii_uppercase))
    return (_letters(rest - 1) if rest else "") + ascii_uppercase[letter]

"""What the rest of a passage says about a stroke: its likes, and what is played a period away."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import scipy  # its parts load at first use

Chances: TypeAlias = npt.NDArray[np.float32]
"""How sure a network is of each kind of stroke [moment, kind], 0 to 1."""

Frames: TypeAlias = npt.NDArray[np.intp]
"""When moments are, in hundredths of a second."""

PASSAGE_FRAMES = 2400
CONTEXT_FRAMES = 600  # on either side of a passage, in which its period is looked for too
LIKES = 12
PERIODS_FRAMES = (80, 320)  # a bar, or half of one, mostly
APART = (-2, -1, 1, 2)  # periods
LIKELIEST = 0.05  # of a passage's moments: how sure the network is of these at least
NEAR_FRAMES = 3  # a stroke is found again if it is as close to its place
GAP_FRAMES = 50  # longer distances between moments count as so long


@dataclass(frozen=True)
class Passage:
    """Some of the moments of a song.

    Attributes:
        part: those of the passage.
        context: those around it as well.
    """

    part: slice
    context: slice


def likes(patches: npt.NDArray[np.float32], chances: Chances) -> Chances:
    """The mean chances of the moments of a passage whose patches are most like each one's own."""
    if len(patches) <= LIKES:
        return chances
    normal = (patches - patches.mean(axis=0)) / (patches.std(axis=0) + 0.2)
    square = np.square(normal).sum(axis=1)
    distance = square[:, np.newaxis] + square - 2 * normal @ normal.T
    np.fill_diagonal(distance, np.inf)
    nearest = np.argpartition(distance, LIKES, axis=1)[:, :LIKES]
    return np.asarray(chances[nearest].mean(axis=1))


def passages(frames: Frames) -> Iterator[Passage]:
    """Cut a song into passages that are long enough for a groove to repeat."""
    for start in range(0, int(frames[-1]) + 1 if len(frames) else 0, PASSAGE_FRAMES):
        stop = start + PASSAGE_FRAMES
        bounds = (start, stop, start - CONTEXT_FRAMES, stop + CONTEXT_FRAMES)
        own, end, before, after = np.searchsorted(frames, bounds).tolist()
        if end > own:
            yield Passage(slice(own, end), slice(before, after))


def view(frames: Frames, chances: Chances, alike: Chances) -> npt.NDArray[np.float32]:
    """What the second network is shown: the first one's answers, here and where they bear on it.

    Args:
        frames: of all moments, rising.
        chances: the first network's of all moments.
        alike: `likes` of all moments.

    Returns:
        [moment, feature].
    """
    logit = np.log((chances + 0.001) / (1.001 - chances))
    around = [np.zeros((0, len(APART) * chances.shape[1]), np.float32)]
    around += [_repeated(frames, chances, passage) for passage in passages(frames)]
    usual = [np.zeros((0, 2 * chances.shape[1]), np.float32)]
    usual += [_usual(chances, passage) for passage in passages(frames)]
    before = np.diff(frames, prepend=frames[:1] - GAP_FRAMES)
    after = np.diff(frames, append=frames[-1:] + GAP_FRAMES)
    gaps = np.log1p(np.stack([before, after], axis=1).clip(0, GAP_FRAMES))
    shown = [logit, np.concatenate(around), alike, gaps, np.concatenate(usual)]
    return np.concatenate(shown, axis=1, dtype=np.float32)


def _usual(chances: Chances, passage: Passage) -> Chances:
    """What is played in a passage at all [moment, 2 × kind], the same for all its moments."""
    own = np.sort(chances[passage.context], axis=0)
    usual = np.concatenate([own.mean(axis=0), own[-max(1, int(LIKELIEST * len(own)))]])
    return np.tile(usual, (passage.part.stop - passage.part.start, 1))


def _repeated(frames: Frames, chances: Chances, passage: Passage) -> Chances:
    """The chances one and two periods before and after [moment, 4 × kind]; 0 where none begins."""
    context = frames[passage.context]
    period = _period(context - context[0], chances[passage.context])
    reach = 2 * PERIODS_FRAMES[1]
    track = np.zeros((context[-1] - context[0] + 1 + 2 * reach, chances.shape[1]), np.float32)
    track[context - context[0] + reach] = chances[passage.context]
    track = scipy.ndimage.maximum_filter1d(track, 2 * NEAR_FRAMES + 1, axis=0)
    places = frames[passage.part] - context[0] + reach
    return np.concatenate([track[places + apart * period] for apart in APART], axis=1)


def _period(frames: Frames, chances: Chances) -> int:
    """After how many frames the strokes of a passage repeat best."""
    shortest, longest = PERIODS_FRAMES
    length = int(frames[-1]) + longest + 1
    track = np.zeros((length, chances.shape[1]), np.float32)
    track[frames] = chances
    track = scipy.ndimage.gaussian_filter1d(track, NEAR_FRAMES / 2, axis=0)
    power = np.square(np.abs(scipy.fft.rfft(track, 2 * length, axis=0))).sum(axis=1)
    likeness = scipy.fft.irfft(power)[shortest:longest]
    overlap = 1 - np.arange(shortest, longest) / length
    return shortest + int(np.argmax(likeness / overlap))

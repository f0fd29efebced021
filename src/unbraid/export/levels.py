"""Stems as functions of time: read in blocks, combined and measured without holding a song."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from unbraid.types import Read, Samples

BLOCK = 1 << 18  # samples read at once


@dataclass(frozen=True)
class Level:
    """Peak and root mean square, full scale 1.0."""

    peak: float
    rms: float


def decibels(ratio: float) -> float | None:
    """20 log10 of a ratio, to a hundredth; None for zero.

    >>> decibels(0.5)
    -6.02
    """
    return round(20 * math.log10(ratio), 2) if ratio > 0 else None


def stretches(length: int) -> Iterator[tuple[int, int]]:
    """Start and stop of the blocks in which a song is read."""
    for start in range(0, length, BLOCK):
        yield start, min(start + BLOCK, length)


def measure(read: Read, length: int) -> Level:
    """Peak and RMS over both channels."""
    peak = square = 0.0
    for start, stop in stretches(length):
        samples = read(start, stop)
        peak = max(peak, float(np.abs(samples).max()))
        square += float(np.vdot(samples, samples))
    return Level(peak, math.sqrt(square / max(1, 2 * length)))


def scaled(read: Read, gain: float) -> Read:
    """A stem under a gain."""
    return read if gain == 1.0 else lambda start, stop: read(start, stop) * np.float32(gain)


def total(parts: Iterable[Read]) -> Read:
    """The sum of some, at least one."""
    first, *others = parts

    def read(start: int, stop: int) -> Samples:
        samples = first(start, stop).copy()
        for other in others:
            samples += other(start, stop)
        return samples

    return read


def minus(whole: Read, parts: Iterable[Read]) -> Read:
    """What the parts leave of the whole."""
    taken = total(parts)
    return lambda start, stop: whole(start, stop) - taken(start, stop)

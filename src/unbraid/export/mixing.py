"""A mix of stems, as it is heard in a player."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from unbraid.audio import Tags, open_writer
from unbraid.errors import InputError
from unbraid.export.levels import decibels, measure, scaled, stretches, total
from unbraid.export.stems import choose_encoding
from unbraid.export.tagging import complete_tags
from unbraid.types import ClipMode, ProcessOptions, Read, Samples, StemName


@dataclass(frozen=True)
class Fader:
    """How a stem goes into a mix.

    Attributes:
        gain_db: how much louder.
        pan: from -1, left, to 1, right; 0 leaves it as it is.
    """

    gain_db: float = 0.0
    pan: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.gain_db) and -1 <= self.pan <= 1):
            raise InputError("a gain must be a number of dB, and a pan from -1 to 1")


def mix(stems: Mapping[StemName, Read], faders: Mapping[StemName, Fader]) -> Read:
    """The sum of the stems that have a fader.

    Raises:
        InputError: there is no such stem, or none at all.
    """
    if unknown := set(faders) - set(stems):
        raise InputError(f"there is no stem {min(unknown)!r}; there are {', '.join(stems)}")
    if not faders:
        raise InputError("name one stem at least that is to be heard")
    return total(
        panned(scaled(stems[name], 10 ** (fader.gain_db / 20)), fader.pan)
        for name, fader in faders.items()
    )


def panned(read: Read, pan: float) -> Read:
    """A stereo stem moved aside with its power, as the StereoPannerNode of Web Audio does."""
    if pan == 0:
        return read
    turn = math.pi / 2 * (1 - abs(pan))
    stays, goes = np.float32(math.sin(turn)), np.float32(math.cos(turn))
    side, other = (0, 1) if pan < 0 else (1, 0)

    def moved(start: int, stop: int) -> Samples:
        samples = read(start, stop).copy()
        samples[side] += goes * samples[other]
        samples[other] *= stays
        return samples

    return moved


def write_mix(
    path: Path,
    read: Read,
    length: int,
    sample_rate: int,
    options: ProcessOptions,
    tags: Tags,
) -> float:
    """Write a mix, lowered where its format cannot hold its peaks.

    Args:
        path: the file.
        read: the mix, in stereo.
        length: in samples.
        sample_rate: samples per second.
        options: format and depth.
        tags: put into the file.

    Returns:
        The gain that it was lowered by, in dB.

    Raises:
        InputError: the format has no such depth.
        ResourceError: the disk is full.
    """
    mode: ClipMode = "float" if options.bit_depth == "32f" else "rescale"
    encoding = choose_encoding(replace(options, clip=mode), measure(read, length).peak)
    lowered = scaled(read, encoding.gain)
    with open_writer(
        path, sample_rate, 2, encoding.format, encoding.bit_depth, tags, length
    ) as writer:
        for start, stop in stretches(length):
            writer.write(lowered(start, stop))
    complete_tags(path, encoding.format, tags)
    return decibels(encoding.gain) or 0.0

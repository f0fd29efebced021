"""Waveforms of a result in several zooms, for drawing.

Each is a file as audiowaveform (BBC) writes it, version 2 with 16 bits: 24 bytes of head, then the
lowest and the highest sample of each stretch. Those of all stems lie one after another in one
object of the storage, each with the spectrogram of its stem behind it.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from unbraid.audio import AudioReader, open_audio
from unbraid.service import spectrograms
from unbraid.service.spectrograms import Spectrograph
from unbraid.types import Samples

MIX = "mix"
LEVELS = (256, 1024, 4096, 16_384)  # samples that a peak stands for
STEP = 4  # from a level to the next
HEAD = struct.Struct("<iIiiIi")
FULL_SCALE = 32_767

Peaks = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Waveform:
    """Where the peaks of a stem lie in the object with those of all.

    Attributes:
        name: of the stem, or `mix`.
        sample_rate: samples per second of what was read.
        length: samples of it.
        start: where its first level begins, in bytes.
        loudest: of the levels of its spectrogram; None where there is none.
    """

    name: str
    sample_rate: int
    length: int
    start: int
    loudest: int | None = None

    def peaks(self, level: int) -> int:
        """Peaks of a level.

        Example:
            >>> Waveform("bass", 44_100, 1_000, 0).peaks(256)
            4
        """
        return -(-self.length // level)

    def part(self, level: int) -> tuple[int, int]:
        """Bytes [start, stop) of a level."""
        return self._part({each: HEAD.size + 4 * self.peaks(each) for each in LEVELS}, level)

    def spectrogram_part(self, level: int) -> tuple[int, int]:
        """Bytes [start, stop) of a level of the spectrogram."""
        sizes = {
            each: spectrograms.BANDS * spectrograms.columns_of(self.length, each)
            for each in spectrograms.LEVELS
        }
        start, stop = self._part(sizes, level)
        behind = self.part(LEVELS[-1])[1] - self.start
        return behind + start, behind + stop

    def _part(self, sizes: Mapping[int, int], level: int) -> tuple[int, int]:
        start = self.start + sum(size for each, size in sizes.items() if each < level)
        return start, start + sizes[level]


class Outline:
    """The peaks and the spectrogram of a recording, drawn while somebody reads it."""

    def __init__(self, reader: AudioReader) -> None:
        """Draw what is read from now on.

        Args:
            reader: of the recording.
        """
        self.sample_rate, self.length = reader.sample_rate, 0
        self.spectrograph = Spectrograph(reader.sample_rate)
        self._found: list[Peaks] = []
        self._rest: Samples = np.zeros((reader.channels, 0), np.float32)
        reader.on_block = self._push

    @classmethod
    def of(cls, path: Path) -> Self:
        """That of a file of our own.

        Raises:
            AudioError: it cannot be read.
        """
        with open_audio(path) as reader:
            outline = cls(reader)
            for _ in reader.blocks():
                pass
        return outline

    def levels(self) -> Iterator[Peaks]:
        """The lowest and highest sample of each stretch [peak, 2], the finest level first."""
        level = np.concatenate([*self._found, *_last(self._rest)])
        yield level
        for _ in LEVELS[1:]:
            level = _coarser(level)
            yield level

    def _push(self, block: Samples) -> None:
        self.length += block.shape[1]
        self.spectrograph.push(block)
        samples = np.concatenate([self._rest, block], axis=1) if self._rest.size else block
        whole = samples.shape[1] // LEVELS[0] * LEVELS[0]
        self._rest = samples[:, whole:].copy()
        self._found.append(_extremes(samples[:, :whole].reshape(len(samples), -1, LEVELS[0])))


def draw(outlines: Mapping[str, Outline], target: Path) -> list[dict[str, Any]]:
    """Write the peaks and spectrograms of some recordings, by name, into one file.

    Returns:
        The fields of a `Waveform` for each.
    """
    drawn = []
    with target.open("wb") as out:
        for name, outline in outlines.items():
            start = out.tell()
            for samples_per_peak, level in zip(LEVELS, outline.levels(), strict=True):
                out.write(
                    HEAD.pack(2, 0, outline.sample_rate, samples_per_peak, len(level), 1)
                    + level.astype("<i2").tobytes()
                )
            out.writelines(outline.spectrograph.levels(outline.length))
            drawn.append(
                {
                    "name": name,
                    "sample_rate": outline.sample_rate,
                    "length": outline.length,
                    "start": start,
                    "loudest": outline.spectrograph.loudest,
                }
            )
    return drawn


def level_of(samples: int, levels: Sequence[int] = LEVELS) -> int:
    """The coarsest level that shows at least as much as was asked for, or the finest.

    Example:
        >>> level_of(1), level_of(5_000), level_of(100_000)
        (256, 4096, 16384)
    """
    return max((level for level in levels if level <= samples), default=levels[0])


def _last(rest: Samples) -> Iterator[Peaks]:
    """The peak of the last stretch, which is shorter, if there is one."""
    if rest.shape[1]:
        yield _extremes(rest[:, np.newaxis])


def _extremes(stretches: npt.NDArray[np.float32]) -> Peaks:
    """Of all channels of stretches [channel, peak, time]."""
    both = np.stack([stretches.min(axis=(0, 2)), stretches.max(axis=(0, 2))], axis=1)
    found: Peaks = np.rint(np.clip(both, -1, 1) * FULL_SCALE).astype(np.int16)
    return found


def _coarser(level: Peaks) -> Peaks:
    starts = np.arange(0, len(level), STEP)
    lowest = np.minimum.reduceat(level[:, 0], starts)
    return np.stack([lowest, np.maximum.reduceat(level[:, 1], starts)], axis=1)

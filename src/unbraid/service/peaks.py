"""Waveforms of a result in several zooms, for drawing.

Each is a file as audiowaveform (BBC) writes it, version 2 with 16 bits: 24 bytes of head, then the
lowest and the highest sample of each stretch. Those of all stems lie one after another in one
object of the storage, each with the spectrogram of its stem behind it.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unbraid.audio import open_audio
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


def draw(sources: Mapping[str, Path], target: Path) -> list[dict[str, Any]]:
    """Write the peaks and spectrograms of some recordings into one file.

    Args:
        sources: recordings by name.
        target: the file.

    Returns:
        The fields of a `Waveform` for each.

    Raises:
        AudioError: a recording cannot be read.
    """
    drawn = []
    with target.open("wb") as out:
        for name, file in sources.items():
            start = out.tell()
            with open_audio(file, apart=name == MIX) as reader:
                spectrograph = Spectrograph(reader.sample_rate)
                length, level = _finest(spectrograph.passing(reader.blocks()))
            for samples_per_peak in LEVELS:
                if samples_per_peak > LEVELS[0]:
                    level = _coarser(level)
                out.write(
                    HEAD.pack(2, 0, reader.sample_rate, samples_per_peak, len(level), 1)
                    + level.astype("<i2").tobytes()
                )
            out.writelines(spectrograph.levels(length))
            drawn.append(
                {
                    "name": name,
                    "sample_rate": reader.sample_rate,
                    "length": length,
                    "start": start,
                    "loudest": spectrograph.loudest,
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


def _finest(blocks: Iterable[Samples]) -> tuple[int, Peaks]:
    """The length of a recording, and the lowest and highest sample of each stretch [peak, 2]."""
    length, found = 0, []
    rest: Samples | None = None
    for block in blocks:
        length += block.shape[1]
        samples = block if rest is None else np.concatenate([rest, block], axis=1)
        whole = samples.shape[1] // LEVELS[0] * LEVELS[0]
        rest = samples[:, whole:]
        found.append(_extremes(samples[:, :whole].reshape(len(samples), -1, LEVELS[0])))
    if rest is not None and rest.shape[1]:
        found.append(_extremes(rest[:, np.newaxis]))
    return length, np.concatenate(found)


def _extremes(stretches: npt.NDArray[np.float32]) -> Peaks:
    """Of all channels of stretches [channel, peak, time]."""
    both = np.stack([stretches.min(axis=(0, 2)), stretches.max(axis=(0, 2))], axis=1)
    found: Peaks = np.rint(np.clip(both, -1, 1) * FULL_SCALE).astype(np.int16)
    return found


def _coarser(level: Peaks) -> Peaks:
    starts = np.arange(0, len(level), STEP)
    lowest = np.minimum.reduceat(level[:, 0], starts)
    return np.stack([lowest, np.maximum.reduceat(level[:, 1], starts)], axis=1)

"""The mixture as segments read it: any stretch, with the statistics of the whole."""

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Protocol, Self

import numpy as np

from unbraid.audio import AudioReader, Resampler, to_stereo
from unbraid.types import AudioSignal, Samples

BYTES_PER_SAMPLE = 2 * 4  # stereo float32


@dataclass(frozen=True)
class MixtureStatistics:
    """What networks normalise by, over the whole song.

    Attributes:
        rms: root mean square over both channels.
        mean: mean of the mono downmix.
        std: standard deviation of the mono downmix.
    """

    rms: float
    mean: float
    std: float


class _Moments:
    """Running sums behind `MixtureStatistics`, in double precision."""

    def __init__(self) -> None:
        self.count = 0
        self.square = self.mono = self.mono_square = 0.0

    def push(self, block: Samples) -> None:
        mono = block.mean(axis=0, dtype=np.float64)
        self.count += block.shape[1]
        self.square += float(np.square(block, dtype=np.float64).sum())
        self.mono += float(mono.sum())
        self.mono_square += float(np.square(mono).sum())

    def statistics(self) -> MixtureStatistics:
        count = max(1, self.count)
        mean = self.mono / count
        variance = max(0.0, self.mono_square / count - mean**2)
        return MixtureStatistics(
            rms=float(np.sqrt(self.square / (2 * count))), mean=mean, std=float(np.sqrt(variance))
        )


class Mixture(Protocol):
    """A stereo song at a model's sample rate."""

    @property
    def length(self) -> int:
        """Samples per channel."""

    @property
    def statistics(self) -> MixtureStatistics:
        """Over the whole song."""

    def read(self, start: int, stop: int) -> Samples:
        """Samples [start, stop) as float32 [2, time]; the range must lie within the song."""


class MixtureArray:
    """A song in memory. Satisfies `Mixture`."""

    def __init__(self, signal: AudioSignal, sample_rate: int) -> None:
        """Bring a signal to stereo and to a model's sample rate."""
        resampler = Resampler(signal.sample_rate, sample_rate, channels=2)
        self.samples = resampler.push(to_stereo(signal.samples), last=True)
        self.length = self.samples.shape[1]
        moments = _Moments()
        moments.push(self.samples)
        self.statistics = moments.statistics()

    def read(self, start: int, stop: int) -> Samples:
        """Samples [start, stop) as float32 [2, time]."""
        return self.samples[:, start:stop]


class MixtureFile:
    """A decoded song on disk, in a file without a name. Satisfies `Mixture`.

    The file vanishes with the process, however that ends.

    Attributes:
        sample_rate: samples per second.
        length: samples per channel.
        sha256: hash over all decoded samples, before downmix and resampling.
        statistics: over the whole song.
    """

    def __init__(
        self,
        reader: AudioReader,
        sample_rate: int,
        folder: Path,
        on_progress: Callable[[float], None] | None = None,
    ) -> None:
        """Decode a recording to its end.

        Args:
            reader: an open recording.
            sample_rate: rate to resample to.
            folder: where the space for the samples is taken.
            on_progress: gets the seconds decoded so far.

        Raises:
            AudioError: the recording holds no samples, or some that are not numbers.
            OSError: the folder cannot be written, or its disk is full.
        """
        self.sample_rate = sample_rate
        self._lock = Lock()
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  open as long as self
        try:
            self._decode(reader, on_progress)
        except BaseException:
            self.close()
            raise

    def _decode(self, reader: AudioReader, on_progress: Callable[[float], None] | None) -> None:
        resampler = Resampler(reader.sample_rate, self.sample_rate, channels=2)
        digest = hashlib.sha256(f"{reader.sample_rate} {reader.channels} ".encode())
        moments = _Moments()
        decoded = 0
        for block in reader.blocks():
            digest.update(np.ascontiguousarray(block.T, dtype="<f4").data)
            decoded += block.shape[1]
            self._append(resampler.push(to_stereo(block)), moments)
            if on_progress:
                on_progress(decoded / reader.sample_rate)
        self._append(resampler.push(np.zeros((2, 0), np.float32), last=True), moments)
        self._file.flush()
        self.length = moments.count
        self.sha256 = digest.hexdigest()
        self.statistics = moments.statistics()

    def _append(self, block: Samples, moments: _Moments) -> None:
        self._file.write(np.ascontiguousarray(block.T).data)
        moments.push(block)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.length / self.sample_rate

    def read(self, start: int, stop: int) -> Samples:
        """Samples [start, stop) as float32 [2, time]; the range must lie within the song."""
        if not 0 <= start <= stop <= self.length:
            raise ValueError(f"samples {start} to {stop} of a mixture of {self.length}")
        with self._lock:
            self._file.seek(start * BYTES_PER_SAMPLE)
            data = self._file.read((stop - start) * BYTES_PER_SAMPLE)
        return np.frombuffer(data, np.float32).reshape(-1, 2).T

    def close(self) -> None:
        """Give the space back."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

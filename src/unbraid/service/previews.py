"""Stems to listen to while they are separated: chunks of what is written so far."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import soundfile

from unbraid.export.growing import BYTES_PER_SAMPLE, SUFFIX
from unbraid.types import StemName

CHUNK_S = 10.0


@dataclass(frozen=True)
class Preview:
    """The unfinished stems of a job.

    Attributes:
        files: raw samples of each stem, which only grow.
        sample_rate: samples per second.
    """

    files: Mapping[StemName, Path]
    sample_rate: int

    @property
    def length(self) -> int:
        """Samples that all stems have."""
        sizes = [file.stat().st_size for file in self.files.values()]
        return min(sizes, default=0) // BYTES_PER_SAMPLE

    @property
    def chunk_samples(self) -> int:
        """Samples of a chunk."""
        return round(CHUNK_S * self.sample_rate)

    def chunks(self, whole: bool) -> int:
        """Chunks that there are; the last one may be shorter once the stems are `whole`."""
        count, rest = divmod(self.length, self.chunk_samples)
        return count + (whole and rest > 0)

    def chunk(self, stem: StemName, number: int) -> bytes:
        """A chunk of a stem as FLAC."""
        samples = np.fromfile(
            self.files[stem],
            np.float32,
            count=2 * self.chunk_samples,
            offset=number * self.chunk_samples * BYTES_PER_SAMPLE,
        ).reshape(-1, 2)
        encoded = BytesIO()
        soundfile.write(encoded, np.clip(samples, -1, 1), self.sample_rate, "PCM_16", format="FLAC")
        return encoded.getvalue()


def find_preview(work: Path, sample_rate: int) -> Preview:
    """The unfinished stems in the folder of a job; none where there are none yet.

    Args:
        work: the job's folder.
        sample_rate: of the model.
    """
    files = sorted(work.glob(f"out/*/.partial/*{SUFFIX}"))
    return Preview({file.stem: file for file in files}, sample_rate)

"""Stems as they grow on disk: raw stereo float32, appended to, final as written."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from unbraid.types import Samples, StemName

BYTES_PER_SAMPLE = 2 * 4  # stereo float32
SUFFIX = ".f32"


class GrowingStems:
    """The files of stems that are still being separated.

    A crash may leave files of different lengths; what all of them have counts as written.

    Attributes:
        names: in the order of `append`.
    """

    def __init__(self, folder: Path, names: Sequence[StemName]) -> None:
        """Take up what an earlier run left in `folder`, if it did."""
        folder.mkdir(parents=True, exist_ok=True)
        self.names = tuple(names)
        self._files = [folder / f"{name}{SUFFIX}" for name in names]
        self.written = min(self._length(file) for file in self._files)
        for file in self._files:
            with file.open("ab") as raw:
                raw.truncate(self.written * BYTES_PER_SAMPLE)

    @staticmethod
    def _length(file: Path) -> int:
        return file.stat().st_size // BYTES_PER_SAMPLE if file.exists() else 0

    def append(self, samples: Samples) -> None:
        """Add float32 [stem, 2, time]."""
        for file, stem in zip(self._files, samples, strict=True):
            with file.open("ab") as raw:
                raw.write(np.ascontiguousarray(stem.T).data)
        self.written += samples.shape[-1]

    def read(self, name: StemName, start: int, stop: int) -> Samples:
        """Samples [start, stop) of a stem as float32 [2, time], as far as they are written."""
        count = max(0, min(stop, self.written) - start)
        data = np.fromfile(
            self._files[self.names.index(name)],
            np.float32,
            count=2 * count,
            offset=start * BYTES_PER_SAMPLE,
        )
        return data.reshape(-1, 2).T

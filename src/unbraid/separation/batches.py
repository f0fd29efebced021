"""Segments computed several at a time."""

import itertools
from collections.abc import Sequence

import numpy as np

from unbraid.separation.mixture import Mixture
from unbraid.separation.network import BatchNetwork, Window, read_silent
from unbraid.separation.segments import Segment
from unbraid.types import Samples


class Batches:
    """Computes the segments of a plan in batches, which do not depend on where a run begins.

    To be called in order, for the segments of a batch wait for their turn.
    """

    def __init__(
        self, network: BatchNetwork, mixture: Mixture, segments: Sequence[Segment], shift: int
    ) -> None:
        """Divide a plan.

        Args:
            network: what separates.
            mixture: the song.
            segments: a whole plan.
            shift: samples of silence before the song.
        """
        self._network, self._mixture, self._shift = network, mixture, shift
        self._waiting: dict[Segment, Samples] = {}
        self._batches: dict[Segment, tuple[Segment, ...]] = {}
        for start in range(0, len(segments), network.batch):
            some = segments[start : start + network.batch]
            for _, alike in itertools.groupby(some, self._window_samples):
                batch = tuple(alike)
                self._batches |= dict.fromkeys(batch, batch)

    def __call__(self, segment: Segment) -> Samples:
        """The stems of a segment, float32 [stem, 2, segment.stop - segment.start]."""
        if segment not in self._waiting:
            self._waiting = self._run(self._batches[segment])
        return self._waiting.pop(segment)

    def _run(self, batch: Sequence[Segment]) -> dict[Segment, Samples]:
        windows = [self._window(segment) for segment in batch]
        mixtures = np.stack(
            [
                read_silent(self._mixture, window.start - self._shift, window.stop - self._shift)
                for window in windows
            ]
        )
        stems = self._network.run_batch(mixtures, self._mixture.statistics)
        return {
            segment: part[..., segment.start - window.start : segment.stop - window.start]
            for segment, window, part in zip(batch, windows, stems, strict=True)
        }

    def _window(self, segment: Segment) -> Window:
        return self._network.window(segment, self._mixture.length + self._shift)

    def _window_samples(self, segment: Segment) -> int:
        window = self._window(segment)
        return window.stop - window.start

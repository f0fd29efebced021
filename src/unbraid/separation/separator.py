"""A model ready to separate."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from unbraid.separation.ensemble import Pass, blend
from unbraid.separation.mixture import Mixture
from unbraid.separation.runtime import Runtime
from unbraid.types import Samples, StemName
from unbraid.weights import ModelEntry


@dataclass(frozen=True)
class Separator:
    """A loaded model; the same song gives the same stems, bit by bit.

    Attributes:
        entry: the model.
        weights: SHA-256 of the weights of each of its networks.
        stems: the stems it makes, in this order.
        passes: its ways through the song, of which the average is taken.
        threads: threads it computes with, on which the last bits depend.
        runtime: where and how its networks compute, likewise.
    """

    entry: ModelEntry
    weights: Mapping[str, str]
    stems: tuple[StemName, ...]
    passes: tuple[Pass, ...]
    threads: int
    runtime: Runtime

    def stretches(self, mixture: Mixture, written: int = 0) -> Iterator[Samples]:
        """Separate a song segment by segment, in the memory of one segment.

        Args:
            mixture: the song, at the model's rate.
            written: samples that exist from an earlier run; those yielded follow them.

        Yields:
            float32 [stem, 2, time]: consecutive stretches, final as they are.
        """
        return blend(self.passes, self.stems, mixture, written)

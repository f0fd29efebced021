"""A model ready to separate."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from unbraid.separation.choice import ModelChoice
from unbraid.separation.ensemble import Pass, blend
from unbraid.separation.mixture import Mixture
from unbraid.separation.runtime import Runtime
from unbraid.types import Samples, StemName


@dataclass(frozen=True)
class LoadedModel:
    """A loaded model; the same song gives the same stems, bit by bit.

    Attributes:
        choice: the model, or several.
        weights: SHA-256 of the weights of each of its networks.
        passes: its ways through the song, of which the average is taken.
        threads: threads it computes with, on which the last bits depend.
        runtimes: where and how each model computes, likewise.
    """

    choice: ModelChoice
    weights: Mapping[str, str]
    passes: tuple[Pass, ...]
    threads: int
    runtimes: Mapping[str, Runtime]

    @property
    def stems(self) -> tuple[StemName, ...]:
        """The stems it makes, in this order."""
        return self.choice.stems

    def stretches(self, mixture: Mixture, written: int = 0) -> Iterator[Samples]:
        """Separate a song segment by segment, in the memory of one segment.

        Args:
            mixture: the song, at the model's rate.
            written: samples that exist from an earlier run; those yielded follow them.

        Yields:
            float32 [stem, 2, time]: consecutive stretches, final as they are.
        """
        return blend(self.passes, self.stems, mixture, written)

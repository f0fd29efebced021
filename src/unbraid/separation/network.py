"""What a separation network is to the engine: a pure function of a stretch of the mixture."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from unbraid.separation.mixture import Mixture, MixtureStatistics
from unbraid.separation.segments import Segment
from unbraid.types import Samples, StemName


@dataclass(frozen=True)
class Window:
    """The stretch of a song that a segment is computed from; beyond the song there is silence.

    Attributes:
        start: first sample, may be negative.
        stop: one past the last sample, may be past the end of the song.
    """

    start: int
    stop: int


class Network(Protocol):
    """A loaded network. `run` is pure: the same input gives the same stems, bit by bit.

    Any number of threads may call it.
    """

    @property
    def stems(self) -> tuple[StemName, ...]:
        """The stems it returns, in this order."""

    @property
    def segment_samples(self) -> int:
        """Samples of a segment."""

    @property
    def overlap_samples(self) -> int:
        """Samples that neighbouring segments share."""

    @property
    def in_flight(self) -> int:
        """Segments that are worth being at work at once, each in a thread of its own."""

    def window(self, segment: Segment, length: int) -> Window:
        """What to compute a segment of a song of `length` samples from; it holds the segment."""

    def run(self, mixture: Samples, statistics: MixtureStatistics) -> Samples:
        """Separate float32 [2, time] into float32 [stem, 2, time]."""


@runtime_checkable
class BatchNetwork(Network, Protocol):
    """A network that can compute several segments at once, which GPUs do faster."""

    @property
    def batch(self) -> int:
        """Segments at once."""

    def run_batch(self, mixtures: Samples, statistics: MixtureStatistics) -> Samples:
        """Separate float32 [segment, 2, time] into float32 [segment, stem, 2, time]."""


def run_segment(network: Network, mixture: Mixture, segment: Segment, shift: int = 0) -> Samples:
    """Separate one segment of a song that begins after `shift` samples of silence.

    Returns:
        float32 [stem, 2, segment.stop - segment.start].
    """
    length = mixture.length + shift
    window = network.window(segment, length)
    samples = read_silent(mixture, window.start - shift, window.stop - shift)
    stems = network.run(samples, mixture.statistics)
    return stems[..., segment.start - window.start : segment.stop - window.start]


def read_silent(mixture: Mixture, start: int, stop: int) -> Samples:
    """Samples [start, stop) of a song that silence surrounds, as float32 [2, time]."""
    first, last = np.clip((start, stop), 0, mixture.length)
    samples = mixture.read(int(first), int(last))
    return np.pad(samples, ((0, 0), (first - start, stop - last)))

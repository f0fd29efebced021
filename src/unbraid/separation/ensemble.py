"""Several passes heard as one: networks, and shifts of the song, averaged stem by stem."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from unbraid.separation.batches import Batches
from unbraid.separation.mixture import Mixture
from unbraid.separation.network import BatchNetwork, Network, run_segment
from unbraid.separation.segments import Segment, plan, stitch
from unbraid.types import Samples, StemName


@dataclass(frozen=True)
class Pass:
    """One way through the song.

    Attributes:
        network: what separates.
        weights: of its stems in the average, in their order.
        shift: samples of silence put before the song, which moves its segments.
    """

    network: Network
    weights: tuple[float, ...]
    shift: int = 0

    def stretches(self, mixture: Mixture, written: int) -> Iterator[Samples]:
        """Finished samples from `written` on, float32 [stem, 2, time]."""
        network, length = self.network, mixture.length + self.shift
        segments = plan(length, network.segment_samples, network.overlap_samples)
        run: Callable[[Segment], Samples] = partial(run_segment, network, mixture, shift=self.shift)
        if isinstance(network, BatchNetwork) and network.batch > 1:
            run = Batches(network, mixture, segments, self.shift)
        return stitch(segments, run, written + self.shift, network.in_flight)


def blend(
    passes: Sequence[Pass], stems: Sequence[StemName], mixture: Mixture, written: int = 0
) -> Iterator[Samples]:
    """Average the passes, in step with the slowest.

    Args:
        passes: at least one has a weight for each stem.
        stems: the stems to yield.
        mixture: the song.
        written: samples that exist from an earlier run; those yielded follow them.

    Yields:
        float32 [stem, 2, time]: consecutive stretches, final as they are.
    """
    weights = np.array([_weights_of(each, stems) for each in passes])  # [pass, stem]
    shares = (weights / weights.sum(axis=0)).astype(np.float32)
    streams = [each.stretches(mixture, written) for each in passes]
    pending = [np.zeros((len(each.network.stems), 2, 0), np.float32) for each in passes]
    while written < mixture.length:
        for i, stream in enumerate(streams):
            if not pending[i].shape[-1]:
                pending[i] = next(stream)
        length = min(samples.shape[-1] for samples in pending)
        total = np.zeros((len(stems), 2, length), np.float32)
        for each, share, samples in zip(passes, shares, pending, strict=True):
            for k, name in enumerate(stems):
                if share[k]:
                    part = samples[each.network.stems.index(name), :, :length]
                    total[k] += part if share[k] == 1 else share[k] * part
        yield total
        pending = [samples[..., length:] for samples in pending]
        written += length


def _weights_of(each: Pass, stems: Sequence[StemName]) -> list[float]:
    known = dict(zip(each.network.stems, each.weights, strict=True))
    return [known.get(name, 0.0) for name in stems]

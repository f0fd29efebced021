"""A song as overlapping segments: the one mechanism for memory, progress, cancel and resume.

A plan covers the song with segments of one length that overlap their neighbours. Where two meet, a
linear crossfade joins them; where one stands alone its weight is one. So the weights sum to one on
every sample, the first and the last included. (This is the normalised triangular weighting of
Demucs, Défossez 2021, for overlaps of at most half a segment.)

The stitcher hands out finished samples in order and keeps nothing but the fading end of the segment
before. A song thus needs the memory of one segment, and to go on after a crash it is enough to know
how many samples were written.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from unbraid.types import Samples


@dataclass(frozen=True)
class Segment:
    """A stretch of the song that is computed at once.

    Attributes:
        start: first sample.
        stop: one past the last sample.
        overlap: samples of a whole crossfade; one that the end of the song cuts off has fewer.
        fade_in: samples at the start shared with the segment before.
        fade_out: samples at the end shared with the segment after.
    """

    start: int
    stop: int
    overlap: int
    fade_in: int
    fade_out: int

    @property
    def rising(self) -> Samples:
        """Weights of the first `fade_in` samples."""
        return _ramp(self.overlap)[: self.fade_in]

    @property
    def falling(self) -> Samples:
        """Weights of the last `fade_out` samples; they sum to one with the next one's rising."""
        return 1 - _ramp(self.overlap)[: self.fade_out]


def _ramp(samples: int) -> Samples:
    return np.arange(1, samples + 1, dtype=np.float32) / np.float32(samples + 1)


def plan(length: int, segment: int, overlap: int) -> list[Segment]:
    """Cover `length` samples with segments.

    Args:
        length: samples of the song; 0 gives no segments.
        segment: samples of a segment; the last one may be shorter.
        overlap: samples that neighbours share, at most half a segment.
    """
    if segment < 1 or not 0 <= overlap <= segment // 2:
        raise ValueError(
            f"overlap must be 0 to half of the segment, got {overlap} of {segment} samples"
        )
    stride = segment - overlap
    return [
        Segment(
            start=start,
            stop=min(start + segment, length),
            overlap=overlap,
            fade_in=min(overlap, length - start) if start else 0,
            fade_out=max(0, min(start + segment, length) - start - stride),
        )
        for start in range(0, length, stride)
    ]


def remaining(segments: Sequence[Segment], written: int) -> Sequence[Segment]:
    """Segments that still have a part in the samples from `written` on.

    At most one of them was finished before: the one whose end fades into the next sample.
    """
    return [segment for segment in segments if segment.stop > written]


def stitch(
    segments: Sequence[Segment],
    run: Callable[[Segment], Samples],
    written: int = 0,
    in_flight: int = 1,
) -> Iterator[Samples]:
    """Compute the segments and yield their finished samples in order.

    Args:
        segments: a whole plan.
        run: computes a segment, float32 [..., stop - start].
        written: samples that exist already; those yielded follow them.
        in_flight: segments at work at once, each in a thread of its own.

    Yields:
        float32 [..., time]: consecutive stretches, final as they are.
    """
    tail: Samples | None = None
    segments = remaining(segments, written)
    for segment, samples in zip(segments, _ahead(run, segments, in_flight), strict=True):
        if tail is not None:
            head = tail + segment.rising * samples[..., : segment.fade_in]
            samples = np.concatenate([head, samples[..., segment.fade_in :]], axis=-1)
        final = samples.shape[-1] - segment.fade_out
        tail = samples[..., final:] * segment.falling
        skipped = min(final, max(0, written - segment.start))
        if skipped < final:
            yield samples[..., skipped:final]


def _ahead(
    run: Callable[[Segment], Samples], segments: Sequence[Segment], in_flight: int
) -> Iterator[Samples]:
    """Segments computed, in their order, some of them at a time."""
    if in_flight == 1:
        yield from map(run, segments)
        return
    pool = ThreadPoolExecutor(in_flight)
    try:
        running: deque[Future[Samples]] = deque()
        for segment in segments:
            running.append(pool.submit(run, segment))
            if len(running) == in_flight:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)

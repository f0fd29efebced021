"""Sample rate conversion of a stream, block by block, as if it had been done in one piece.

The filter is libsoxr's `HQ` recipe (about 20 bits, linear phase, flat to 91% of the lower Nyquist
frequency), and its delay is taken out: sample 0 of the output is the same instant as sample 0 of
the input.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import soxr

from unbraid.types import Samples


def resampled_length(length: int, source_rate: int, target_rate: int) -> int:
    """Samples that `length` samples become: length × target / source to the nearest integer.

    The arithmetic is libsoxr's own, in floating point, so an exact half may fall either way.

    >>> resampled_length(44_100, 44_100, 48_000)
    48000
    """
    return int(length / (source_rate / target_rate) + 0.5)


class Resampler:
    """Resamples a stream; blocks of any size join without seams.

    Equal rates pass every block through untouched.

    >>> resampler = Resampler(48_000, 16_000, channels=2)
    >>> resampler.push(np.zeros((2, 480), np.float32), last=True).shape
    (2, 160)

    Attributes:
        source_rate: samples per second that go in.
        target_rate: samples per second that come out.
        channels: channels of every block.
    """

    def __init__(self, source_rate: int, target_rate: int, channels: int) -> None:
        self.source_rate = source_rate
        self.target_rate = target_rate
        self.channels = channels
        self._stream = (
            soxr.ResampleStream(source_rate, target_rate, channels, dtype="float32", quality="HQ")
            if source_rate != target_rate
            else None
        )

    def push(self, block: Samples, *, last: bool = False) -> Samples:
        """Take the next samples and give those that have become final.

        Args:
            block: float32 [channel, time], of any length, also none.
            last: whether the stream ends with this block.

        Returns:
            float32 [channel, time]; after the last block, `resampled_length` samples in all.
        """
        if self._stream is None:
            return block
        resampled = self._stream.resample_chunk(np.ascontiguousarray(block.T), last=last)
        return np.ascontiguousarray(resampled.T)


def resample_blocks(blocks: Iterable[Samples], resampler: Resampler) -> Iterator[Samples]:
    """Resample a whole stream of blocks, float32 [channel, time] each."""
    for block in blocks:
        yield resampler.push(block)
    yield resampler.push(np.zeros((resampler.channels, 0), np.float32), last=True)

import numpy as np
import pytest

from unbraid import LiveSeparator
from unbraid.demo import DemoSong
from unbraid.errors import InputError
from unbraid.scoring import sdr
from unbraid.types import AudioSignal, Samples

RATE, LATENCY = LiveSeparator.sample_rate, LiveSeparator.latency


@pytest.fixture(scope="module")
def separator() -> LiveSeparator:
    return LiveSeparator()


@pytest.fixture
def mixture(demo: DemoSong) -> Samples:
    return demo.mixture.samples[:, : 8 * RATE]


def streamed(separator: LiveSeparator, mixture: Samples, blocks: list[int]) -> Samples:
    """Stems of a whole stream, at their own time, given in blocks of these lengths in turn."""
    separator.reset()
    whole = np.concatenate([mixture, np.zeros((2, LATENCY), np.float32)], axis=1)
    parts, start, k = [], 0, 0
    while start < whole.shape[1]:
        block = whole[:, start : start + blocks[k % len(blocks)]]
        parts.append(separator.process(block))
        assert parts[-1].shape == (4, 2, block.shape[1])
        start, k = start + block.shape[1], k + 1
    return np.concatenate(parts, axis=2)[..., LATENCY:]


def test_stems_sum_to_the_stream_no_later_than_promised(
    separator: LiveSeparator, mixture: Samples
) -> None:
    stems = streamed(separator, mixture, [1024])
    np.testing.assert_allclose(stems.sum(axis=0), mixture, atol=1e-6)
    assert LATENCY / RATE < 0.1


def test_the_length_of_the_blocks_changes_nothing(
    separator: LiveSeparator, mixture: Samples
) -> None:
    np.testing.assert_array_equal(
        streamed(separator, mixture, [1024]), streamed(separator, mixture, [1, 700, 5000, 64])
    )


def test_nothing_is_heard_before_it_comes(separator: LiveSeparator, mixture: Samples) -> None:
    other = mixture.copy()
    other[:, 4 * RATE :] = 0.1
    sooner, later = (streamed(separator, each, [2048]) for each in (mixture, other))
    known = 4 * RATE - LATENCY
    np.testing.assert_array_equal(sooner[..., :known], later[..., :known])
    assert not np.array_equal(sooner, later)


def test_it_separates(separator: LiveSeparator, mixture: Samples, demo: DemoSong) -> None:
    stems = streamed(separator, mixture, [1024])
    for name, stem in zip(separator.stems, stems, strict=True):
        truth = AudioSignal(demo.stems[name].samples[:, RATE : mixture.shape[1]], RATE)
        before = sdr(truth, AudioSignal(mixture[:, RATE:], RATE))
        assert sdr(truth, AudioSignal(stem[:, RATE:], RATE)) > before + 3, name


def test_silence_stays_silence(separator: LiveSeparator) -> None:
    assert not streamed(separator, np.zeros((2, RATE), np.float32), [1024]).any()


@pytest.mark.parametrize(
    ("block", "complaint"),
    [
        (np.zeros(1024), r"\[2, time\], not \[1024\]"),
        (np.zeros((1, 1024)), r"\[2, time\], not \[1, 1024\]"),
        (np.zeros((2, 1024), np.int16), "floating point, full scale 1.0, not int16"),
        (np.full((2, 1024), np.nan), "not finite"),
    ],
)
def test_what_is_no_stereo_sound_is_refused(
    separator: LiveSeparator, block: Samples, complaint: str
) -> None:
    separator.reset()
    with pytest.raises(InputError, match=complaint):
        separator.process(block)
    assert separator.process(np.zeros((2, 10), np.float32)).shape == (4, 2, 10)

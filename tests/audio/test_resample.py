import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbraid.audio import Resampler, resample_blocks, resampled_length
from unbraid.types import Samples

RATES = (8_000, 11_025, 22_050, 44_100, 48_000, 88_200, 96_000, 192_000)


def tone(frequency_hz: float, sample_rate: int, length: int) -> Samples:
    phase = 2 * np.pi * frequency_hz / sample_rate * np.arange(length)
    samples: Samples = np.sin(phase).astype(np.float32)[np.newaxis]
    return samples


def level_db(samples: Samples) -> float:
    return float(10 * np.log10(2 * np.mean(np.square(samples, dtype=np.float64)) + 1e-30))


@pytest.mark.parametrize("frequency_hz", [100.0, 1_000.0, 15_000.0, 19_000.0])
def test_tone_below_the_cutoff_stays_the_same_tone(frequency_hz: float) -> None:
    resampled = Resampler(48_000, 44_100, 1).push(tone(frequency_hz, 48_000, 48_000), last=True)
    expected = tone(frequency_hz, 44_100, 44_100)
    middle = slice(2_000, -2_000)
    assert np.abs(resampled[:, middle] - expected[:, middle]).max() < 1e-3


@pytest.mark.parametrize("frequency_hz", [22_100.0, 30_000.0, 47_000.0])
def test_tone_above_the_cutoff_dies(frequency_hz: float) -> None:
    resampled = Resampler(96_000, 44_100, 1).push(tone(frequency_hz, 96_000, 96_000), last=True)
    assert level_db(resampled[:, 2_000:-2_000]) < -100


def test_click_stays_at_its_time() -> None:
    click = np.zeros((1, 48_000), np.float32)
    click[0, 24_000] = 1.0
    resampled = Resampler(48_000, 96_000, 1).push(click, last=True)
    assert np.abs(resampled).argmax() == 48_000


@given(
    source_rate=st.sampled_from(RATES),
    target_rate=st.sampled_from(RATES),
    length=st.integers(1, 3_000),
    block=st.integers(1, 1_000),
)
def test_blocks_of_any_size_join_without_seams(
    source_rate: int, target_rate: int, length: int, block: int
) -> None:
    samples = np.random.default_rng(length).uniform(-1, 1, (2, length)).astype(np.float32)
    whole = Resampler(source_rate, target_rate, 2).push(samples, last=True)
    blocks = (samples[:, start : start + block] for start in range(0, length, block))
    joined = list(resample_blocks(blocks, Resampler(source_rate, target_rate, 2)))
    np.testing.assert_array_equal(np.concatenate(joined, axis=1), whole)
    assert whole.shape == (2, resampled_length(length, source_rate, target_rate))
    assert whole.dtype == np.float32


def test_equal_rates_pass_samples_untouched(noise: Samples) -> None:
    assert Resampler(44_100, 44_100, 2).push(noise) is noise


def test_nothing_in_gives_nothing_out() -> None:
    assert sum(b.shape[1] for b in resample_blocks([], Resampler(48_000, 44_100, 2))) == 0

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbraid.export.levels import BLOCK, decibels, measure, minus, scaled, stretches, total
from unbraid.export.limiter import limit, limited
from unbraid.types import Read, Samples


def reader(samples: Samples) -> Read:
    return lambda start, stop: samples[:, start:stop]


def noise(length: int, scale: float = 0.1, seed: int = 0) -> Samples:
    return np.random.default_rng(seed).normal(0, scale, (2, length)).astype(np.float32)


def test_a_full_scale_sine_has_peak_1_and_rms_of_3_db_less() -> None:
    sine = np.sin(2 * np.pi * 100 * np.arange(BLOCK + 4100) / 4100).astype(np.float32)
    level = measure(reader(np.stack([sine, sine])), len(sine))
    assert level.peak == pytest.approx(1.0, abs=1e-3)
    assert decibels(level.rms) == pytest.approx(-3.01, abs=0.01)


def test_silence_has_no_level_in_decibels() -> None:
    assert decibels(measure(reader(np.zeros((2, 10), np.float32)), 10).rms) is None


@given(st.integers(0, 3 * BLOCK))
def test_stretches_cover_a_song_without_gaps(length: int) -> None:
    covered = [0]
    for start, stop in stretches(length):
        assert start == covered[-1] < stop
        covered.append(stop)
    assert covered[-1] == length


def test_what_the_parts_leave_and_the_parts_make_the_whole() -> None:
    whole, parts = noise(1000), [reader(noise(1000, seed=i)) for i in (1, 2)]
    rest = minus(reader(whole), parts)
    np.testing.assert_allclose(total([*parts, rest])(10, 900), whole[:, 10:900], atol=1e-6)


def test_a_gain_scales_every_sample() -> None:
    samples = noise(100)
    np.testing.assert_array_equal(scaled(reader(samples), 0.5)(0, 100), samples / 2)


@given(st.integers(1, 5000), st.floats(0.05, 20), st.integers(0, 100))
def test_a_limited_stem_never_passes_full_scale(length: int, scale: float, seed: int) -> None:
    assert np.abs(limit(noise(length, scale, seed))).max() <= 1.0


def test_a_limiter_leaves_what_is_far_from_a_peak() -> None:
    samples = noise(4000, 0.1)
    samples[0, 2000] = 3.0
    result = limit(samples)
    np.testing.assert_array_equal(result[:, :1500], samples[:, :1500])
    np.testing.assert_array_equal(result[:, 2500:], samples[:, 2500:])
    assert result[0, 2000] == pytest.approx(1.0, abs=1e-5)


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_a_stem_is_limited_alike_in_blocks_of_any_size(start: int, size: int) -> None:
    samples = noise(6000, 0.8)
    stop = start + size
    part = limited(reader(samples), 6000)(start, stop)
    np.testing.assert_allclose(part, limit(samples)[:, start:stop], atol=1e-6)

import numpy as np
import pytest

from unbraid.separation.stft import Spectrum
from unbraid.separation.wiener import BAND, LOUDEST, wiener

BINS = 2 * BAND + 3


def spectrum(*shape: int, seed: int = 0) -> Spectrum:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(np.complex64)


def test_no_iterations_leave_the_estimates() -> None:
    estimates = spectrum(3, 2, 5, BINS)
    np.testing.assert_array_equal(wiener(estimates.sum(axis=0), estimates, 0), estimates)


@pytest.mark.parametrize("iterations", [1, 3])
def test_sources_sum_to_the_mixture(iterations: int) -> None:
    mixture = spectrum(2, 20, BINS)
    shares = np.random.default_rng(1).uniform(0, 1, (4, *mixture.shape)).astype(np.float32)
    sources = wiener(mixture, shares * mixture, iterations)
    np.testing.assert_allclose(sources.sum(axis=0), mixture, atol=1e-2)


def test_a_source_that_is_alone_is_the_mixture() -> None:
    mixture = spectrum(2, 20, BINS)
    full, empty = wiener(mixture, np.stack([mixture, 0 * mixture]))
    np.testing.assert_allclose(full, mixture, atol=1e-3)
    assert not empty.any()


def test_places_tell_sources_apart_where_masks_do_not() -> None:
    """Rank-one covariances in two directions span the plane, so the filter inverts the mixing."""
    directions = np.array([[1, 0.2], [0.3, -1]], np.float32)
    signals = spectrum(2, 300, BINS)
    truth = directions[:, :, None, None] * signals[:, None]
    half = np.abs(truth).mean(axis=2, keepdims=True) * np.exp(1j * np.angle(truth))
    sources = wiener(truth.sum(axis=0), half.astype(np.complex64))
    assert np.mean(np.abs(sources - truth) ** 2) < 1e-6 * np.mean(np.abs(truth) ** 2)


def test_a_mono_mixture_gives_mono_sources() -> None:
    mixture = np.repeat(100 * spectrum(1, 50, BINS), 2, axis=0)
    shares = np.random.default_rng(1).uniform(0, 1, (4, 1, 50, BINS)).astype(np.float32)
    sources = wiener(mixture, shares * mixture)
    np.testing.assert_allclose(sources[:, 0], sources[:, 1], rtol=1e-5)
    np.testing.assert_allclose(sources.sum(axis=0), mixture, rtol=1e-2, atol=1e-2)


def test_loud_mixtures_are_filtered_alike() -> None:
    mixture = spectrum(2, 20, BINS)
    mixture *= np.float32(LOUDEST / np.abs(mixture).max())
    estimates = np.stack([mixture * np.float32(0.3), mixture * np.float32(0.9)])
    np.testing.assert_allclose(
        wiener(1000 * mixture, 1000 * estimates), 1000 * wiener(mixture, estimates), rtol=1e-4
    )


def test_silence_stays_silent() -> None:
    silence = np.zeros((2, 5, BINS), np.complex64)
    assert not wiener(silence, np.stack([silence, silence])).any()

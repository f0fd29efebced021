import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unbraid.separation.stft import Stft
from unbraid.types import Samples

RATE = 44_100
STFT = Stft(n_fft=4096, hop_length=1024)


def noise(length: int) -> Samples:
    return np.random.default_rng(length).normal(0, 0.1, (2, length)).astype(np.float32)


@given(st.integers(2049, 25_000))
@settings(deadline=None, max_examples=25)
def test_round_trip_is_exact(length: int) -> None:
    samples = noise(length)
    np.testing.assert_allclose(STFT.inverse(STFT.forward(samples), length), samples, atol=1e-6)


def test_a_sine_stands_on_its_bin() -> None:
    sine = np.sin(2 * np.pi * 100 * np.arange(RATE) / 4096).astype(np.float32)
    spectrum = np.abs(STFT.forward(sine))
    assert spectrum.shape == (RATE // 1024 + 1, 2049)
    assert set(spectrum[4:-4].argmax(axis=1)) == {100}
    np.testing.assert_allclose(spectrum[4:-4].max(axis=1), 4096 / 4, rtol=1e-3)


@pytest.mark.parametrize(("n_fft", "hop"), [(4096, 1024), (512, 128)])
def test_it_is_that_of_torch(n_fft: int, hop: int) -> None:
    samples = noise(20_000)
    window = torch.hann_window(n_fft)
    expected = torch.stft(torch.from_numpy(samples), n_fft, hop, window=window, return_complex=True)
    np.testing.assert_allclose(
        Stft(n_fft, hop).forward(samples), expected.numpy().transpose(0, 2, 1), atol=1e-4
    )

import numpy as np
import torch
from train.features import FREQUENCIES, features, levelled, spectrum

from unbraid.separation import lite
from unbraid.separation.lite import LITE
from unbraid.separation.stft import Stft

NOISE = np.random.default_rng(0).normal(0, 0.1, (3, 2, 20_000)).astype(np.float32)
STFT = Stft(LITE.n_fft, LITE.hop_length)


def test_the_spectrum_is_the_engines() -> None:
    expected = STFT.forward(NOISE)[..., : LITE.bins]
    np.testing.assert_allclose(spectrum(torch.from_numpy(NOISE)).numpy(), expected, atol=1e-4)


def test_features_are_the_engines() -> None:
    seen = STFT.forward(NOISE[0])
    level = float(np.sqrt(np.mean(np.abs(seen[..., : LITE.bins]) ** 2)))
    expected = lite.features(seen, LITE.bins, level)
    stems = levelled(spectrum(torch.from_numpy(NOISE[:1, None])))
    np.testing.assert_allclose(features(stems.sum(1))[0].numpy(), expected, atol=1e-4)


def test_a_levelled_mixture_has_a_level_of_one() -> None:
    mixture = levelled(spectrum(torch.from_numpy(NOISE[None]))).sum(1)
    torch.testing.assert_close(mixture.abs().square().mean().sqrt(), torch.tensor(1.0))


def test_silence_stays_silent() -> None:
    assert not levelled(torch.zeros(1, 4, 2, 3, 5, dtype=torch.complex64)).abs().any()


def test_frequencies_are_those_of_the_bins() -> None:
    time = np.arange(20_000) / 44_100
    tone = torch.from_numpy(np.sin(2 * np.pi * 1000 * time).astype(np.float32))
    loudest = spectrum(tone[None])[0, 10].abs().argmax()
    assert abs(FREQUENCIES[loudest] - 1000) < 44_100 / 4096 / 2

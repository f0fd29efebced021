import librosa
import numpy as np
import pytest

from unbraid.analysis.spectra import (
    HOP,
    WINDOW,
    FloatArray,
    constant_q,
    constant_q_hz,
    mel,
    mel_hz,
    stft,
)
from unbraid.demo import DemoSong
from unbraid.types import Read, Samples

RATE = 44_100


def reading(samples: Samples) -> Read:
    return lambda start, stop: samples[:, start:stop]


def magnitudes(samples: Samples) -> FloatArray:
    return np.concatenate(list(stft(reading(samples), samples.shape[1])))


def tones(samples: Samples, rate: int = RATE) -> FloatArray:
    return np.concatenate(list(constant_q(reading(samples), samples.shape[1], rate)))


def sine(hz: float, rate: int = RATE) -> Samples:
    time = np.arange(3 * rate) / rate
    return np.tile(np.sin(2 * np.pi * hz * time), (2, 1)).astype(np.float32)


@pytest.fixture(scope="module")
def song(demo: DemoSong) -> Samples:
    return demo.mixture.samples[:, : 10 * RATE]


@pytest.mark.parametrize("hz", [65.41, 440.0, 3520.0])
@pytest.mark.parametrize("rate", [22_050, 44_100, 96_000])
def test_a_full_sine_has_magnitude_one_at_its_pitch(hz: float, rate: int) -> None:
    found = tones(sine(hz, rate), rate)
    middle = found[len(found) // 2]
    assert middle.max() == pytest.approx(1, rel=0.01)
    assert constant_q_hz(rate)[middle.argmax()] == pytest.approx(hz, rel=0.001)


def test_stft_and_mel_agree_with_librosa(song: Samples) -> None:
    mono = song.mean(axis=0)
    scale = 2 / np.hanning(WINDOW + 1).sum()
    theirs = scale * np.abs(librosa.stft(mono, n_fft=WINDOW, hop_length=HOP)).T
    ours = magnitudes(song)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    bands = librosa.feature.melspectrogram(y=mono, sr=RATE, n_fft=WINDOW, hop_length=HOP).T
    np.testing.assert_allclose(mel(ours, RATE), scale**2 * bands, rtol=1e-3, atol=1e-9)
    centres = librosa.mel_frequencies(n_mels=130, fmax=RATE / 2)[1:-1]
    np.testing.assert_allclose(mel_hz(RATE), centres, rtol=1e-5)


def test_constant_q_agrees_with_librosa(song: Samples) -> None:
    hz = constant_q_hz(RATE)
    theirs = librosa.cqt(
        song.mean(axis=0), sr=RATE, hop_length=HOP, n_bins=len(hz), bins_per_octave=36
    )
    lengths, _ = librosa.filters.wavelet_lengths(
        freqs=hz, sr=RATE, alpha=librosa.filters._relative_bandwidth(freqs=hz)
    )
    expected = 2 * np.abs(theirs).T / np.sqrt(lengths)
    ours = tones(song)
    assert ours.shape == expected.shape
    inside = slice(40, -40)  # librosa's filters wrap around at the ends
    difference = np.linalg.norm(ours[inside] - expected[inside])
    assert difference < 0.03 * np.linalg.norm(expected[inside])


def test_blocks_join_without_seams(song: Samples) -> None:
    late = 100 * HOP
    for found in (tones, magnitudes):
        np.testing.assert_allclose(found(song)[140:400], found(song[:, late:])[40:300], atol=1e-4)


def test_what_is_too_high_for_the_rate_is_left_out() -> None:
    assert len(constant_q_hz(RATE)) == 252
    assert constant_q_hz(8000)[-1] < 3600
    assert tones(np.zeros((2, 8000), np.float32), 8000).shape[1] == 6 * 36


@pytest.mark.parametrize("length", [0, 1, 500])
def test_the_shortest_recordings_have_a_frame(length: int) -> None:
    samples = np.ones((2, length), np.float32)
    assert magnitudes(samples).shape == (1, 1025)
    assert np.isfinite(tones(samples)).all()

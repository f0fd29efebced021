import numpy as np
import pytest

from unbraid.demo import DemoSong
from unbraid.errors import InputError, ModelError
from unbraid.separation import MixtureStatistics, load_separator, separate
from unbraid.separation.lite import LITE
from unbraid.separation.network import Network
from unbraid.separation.stft import Stft
from unbraid.types import AudioSignal, Samples

RATE = 44_100


def noise(length: int, seed: int = 0) -> Samples:
    return np.random.default_rng(seed).normal(0, 0.1, (2, length)).astype(np.float32)


@pytest.fixture(scope="module")
def lite() -> Network:
    return load_separator("lite", threads=2).passes[0].network


def test_level_of_low_passed_noise_follows_from_its_rms() -> None:
    spectrum = np.fft.rfft(noise(8 * RATE))
    spectrum[:, spectrum.shape[1] * LITE.bins // (LITE.n_fft // 2) :] = 0
    samples = np.fft.irfft(spectrum).astype(np.float32)
    level = np.sqrt(
        np.mean(np.abs(Stft(LITE.n_fft, LITE.hop_length).forward(samples)[..., : LITE.bins]) ** 2)
    )
    assert level == pytest.approx(LITE.level_per_rms * np.sqrt(np.mean(samples**2)), rel=0.01)


@pytest.mark.parametrize("length", [1, 2, 1000, 4096, 5 * RATE, 20 * RATE + 7])
def test_stems_sum_to_the_mixture(length: int) -> None:
    samples = noise(length)
    stems = separate(AudioSignal(samples, RATE))
    total = np.sum([stem.samples for stem in stems.values()], axis=0)
    np.testing.assert_allclose(total, samples, atol=1e-6)


def test_a_wanted_stem_is_the_same_without_the_others(demo: DemoSong) -> None:
    excerpt = AudioSignal(demo.mixture.samples[:, : 15 * RATE], RATE)
    everything, alone = separate(excerpt), separate(excerpt, stems=["bass"])
    assert list(alone) == ["bass"]
    np.testing.assert_array_equal(alone["bass"].samples, everything["bass"].samples)


def test_segments_come_out_as_the_whole_song(demo: DemoSong, lite: Network) -> None:
    samples = demo.mixture.samples
    statistics = MixtureStatistics(float(np.sqrt(np.mean(samples**2))), 0, 1)
    whole = lite.run(samples, statistics)
    for at_once, stem in zip(whole, separate(demo.mixture).values(), strict=True):
        error = np.sum((stem.samples - at_once) ** 2)
        # dB; what comes back is looked for within a segment, and the stems are 4 to 7 dB good
        assert 10 * np.log10(np.sum(at_once**2) / error) > 15


def test_the_same_segment_gives_the_same_bits(lite: Network) -> None:
    statistics = MixtureStatistics(0.1, 0, 0.1)
    samples = noise(3 * RATE)
    np.testing.assert_array_equal(lite.run(samples, statistics), lite.run(samples, statistics))


def test_the_stems_follow_the_gain_of_the_song(demo: DemoSong) -> None:
    samples = demo.mixture.samples[:, : 10 * RATE]
    loud = separate(AudioSignal(samples, RATE))
    quiet = separate(AudioSignal(samples * np.float32(0.01), RATE))
    for name, stem in loud.items():
        np.testing.assert_allclose(quiet[name].samples * 100, stem.samples, atol=1e-3)


def test_silence_gives_silent_stems() -> None:
    stems = separate(AudioSignal(np.zeros((2, RATE), np.float32), RATE))
    assert all(not stem.samples.any() for stem in stems.values())


def test_mono_of_another_rate_becomes_stereo_stems_of_the_same_duration() -> None:
    stems = separate(AudioSignal(noise(22_050)[:1], 22_050))
    assert {stem.samples.shape for stem in stems.values()} == {(2, RATE)}
    assert {stem.sample_rate for stem in stems.values()} == {RATE}


def test_an_unknown_stem_is_refused_with_those_that_exist() -> None:
    with pytest.raises(InputError, match=r"no stem kazoo.*vocals, drums, bass, other"):
        load_separator("lite", ["kazoo"])


def test_an_unknown_model_is_refused_with_those_that_exist() -> None:
    with pytest.raises(ModelError, match="choose one of: lite"):
        load_separator("heavy")

import numpy as np
import pyloudnorm
import pytest

from unbraid.audio.loudness import LoudnessMeter
from unbraid.types import Samples


def measured(samples: Samples, sample_rate: int, block: int) -> float | None:
    meter = LoudnessMeter(sample_rate, samples.shape[0])
    for start in range(0, samples.shape[1], block):
        meter.push(samples[:, start : start + block])
    return meter.integrated_lufs()


def song(sample_rate: int, channels: int) -> Samples:
    """Twelve seconds with a loud part, a quiet one below the gate, and a middling one."""
    rng = np.random.default_rng(1)
    level = np.repeat([0.3, 0.001, 0.1], 4 * sample_rate)
    return (level * rng.standard_normal((channels, len(level)))).astype(np.float32)


def test_full_scale_tone_of_997_hz_has_minus_3_lufs() -> None:
    tone = np.sin(2 * np.pi * 997 / 48_000 * np.arange(5 * 48_000))
    assert measured(tone.astype(np.float32)[np.newaxis], 48_000, 4_800) == pytest.approx(
        -3.01, abs=0.05
    )


@pytest.mark.parametrize("sample_rate", [22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_agrees_with_pyloudnorm(sample_rate: int, channels: int) -> None:
    samples = song(sample_rate, channels)
    expected = pyloudnorm.Meter(sample_rate).integrated_loudness(samples.T.astype(np.float64))
    assert measured(samples, sample_rate, 4_801) == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("block", [1_009, 65_536, 10_000_000])
def test_size_of_blocks_makes_no_difference(block: int) -> None:
    samples = song(44_100, 2)
    assert measured(samples, 44_100, block) == pytest.approx(measured(samples, 44_100, 4_410))


def test_silence_has_no_loudness() -> None:
    assert measured(np.zeros((2, 100_000), np.float32), 44_100, 4_096) is None


def test_less_than_a_gating_block_has_no_loudness(noise: Samples) -> None:
    assert measured(noise[:, :17_000], 44_100, 4_096) is None
    assert LoudnessMeter(44_100, 2).integrated_lufs() is None

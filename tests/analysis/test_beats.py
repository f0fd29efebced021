from collections.abc import Mapping

import numpy as np
import pytest

from unbraid.analysis.beats import find_beats
from unbraid.analysis.hearing import Hearing, hear
from unbraid.analysis.onsets import FloatArray
from unbraid.types import Read, Rhythm, Samples, StemName

RATE = 22050
CLICK = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(600) / RATE) * np.hanning(1200)[600:]
THUD = 0.9 * np.sin(2 * np.pi * 90 * np.arange(2000) / RATE) * np.hanning(4000)[2000:]
NEAR_S = 0.02


def strokes(sound: FloatArray, at_s: FloatArray, duration_s: float) -> Samples:
    samples = np.zeros((1, int(duration_s * RATE)), np.float32)
    for start in np.round(at_s * RATE).astype(int):
        room = samples[0, start : start + len(sound)]
        room += sound[: len(room)].astype(np.float32)
    return samples


def reader(samples: Samples) -> Read:
    return lambda start, stop: samples[:, start:stop]


def listen(
    samples: Samples, rate: int = RATE, stems: Mapping[StemName, Samples] | None = None
) -> Hearing:
    parts = {name: reader(each) for name, each in (stems or {}).items()}
    return hear(reader(samples), parts, samples.shape[1], rate)


def rhythm_of(samples: Samples, rate: int = RATE) -> Rhythm:
    return find_beats(listen(samples, rate))


def beat(bpm: float, metre: str, duration_s: float = 24.0, first_s: float = 0.35) -> Samples:
    """Low thuds begin the bars, clicks divide the beats."""
    beats_s = np.arange(first_s, duration_s - 0.2, 60 / bpm)
    parts, beats = {"4/4": (2, 4), "3/4": (2, 3), "6/8": (3, 2)}[metre]
    clicks_s = np.arange(first_s, duration_s - 0.2, 60 / bpm / parts)
    backbeat = beats_s[1::2] if metre == "4/4" else beats_s[1::beats]
    return np.asarray(
        strokes(THUD, beats_s[::beats], duration_s)
        + strokes(0.4 * CLICK, clicks_s, duration_s)
        + strokes(noise_burst(), backbeat, duration_s)
    )


def noise_burst() -> FloatArray:
    return np.random.default_rng(0).normal(0, 0.4, 1500) * np.hanning(3000)[1500:]


@pytest.mark.parametrize("bpm", [72, 80, 90, 100, 112, 120, 128, 140, 150, 165])
def test_a_metronome_has_its_tempo(bpm: int) -> None:
    clicks_s = np.arange(0.2, 19.5, 60 / bpm)
    rhythm = rhythm_of(strokes(CLICK, clicks_s, 20))
    assert rhythm.tempo.bpm == bpm
    assert rhythm.tempo.steady
    assert not rhythm.tempo.rubato
    assert rhythm.tempo.confidence > 0.5
    assert rhythm.grid is not None
    np.testing.assert_allclose(rhythm.grid.beats_s, clicks_s, atol=NEAR_S)


def test_a_tempo_between_whole_numbers_has_a_decimal() -> None:
    assert rhythm_of(strokes(CLICK, np.arange(0.2, 29.5, 60 / 97.6), 30)).tempo.bpm == 97.6
    assert rhythm_of(strokes(CLICK, np.arange(0.2, 29.5, 60 / 121.2), 30)).tempo.bpm == 121.0

import numpy as np
import pytest

from unbraid.demo.drums import stroke
from unbraid.demo.room import RATE, place
from unbraid.transcription.drums import transcribe_drums
from unbraid.types import DrumStroke, Samples

BEAT_S = 0.25
BAR = {"kick": (0, 5), "snare": (2, 6), "hat": (0, 1, 2, 3, 4, 5, 6, 7)}


def groove(bars: int = 6, gain: float = 1.0) -> Samples:
    """A bar of eighths, again and again, float32 [2, time]; the last two bars are soft."""
    rng = np.random.default_rng(0)
    track = np.zeros((2, round((8 * bars + 4) * BEAT_S * RATE)))
    for bar in range(bars):
        for drum, steps in BAR.items():
            sound = stroke(drum, 0.8, rng) * (0.4 if bar >= bars - 2 else 1.0)
            for step in steps:
                place(track, sound, (8 * bar + step + 0.5) * BEAT_S, 0.0)
    return np.asarray(gain * track / np.abs(track).max(), np.float32)


def found(samples: Samples, song: Samples | None = None) -> list[DrumStroke]:
    return transcribe_drums([samples], [samples if song is None else song], RATE)


def up_to(hz: float, samples: Samples) -> Samples:
    spectrum = np.fft.rfft(samples)
    spectrum[:, np.fft.rfftfreq(samples.shape[1], 1 / RATE) > hz] = 0
    return np.asarray(np.fft.irfft(spectrum, samples.shape[1]), np.float32)


def fade_in(samples: np.ndarray) -> Samples:
    return np.asarray(samples * np.linspace(0, 1, samples.shape[1]), np.float32)


def times_s(strokes: list[DrumStroke], drum: str) -> list[float]:
    return [stroke.time_s for stroke in strokes if stroke.drum == drum]


@pytest.mark.parametrize("gain", [0.9, 0.01])
def test_a_groove_is_written_down(gain: float) -> None:
    strokes = found(groove(gain=gain))
    for drum, name in {"kick": "kick", "snare": "snare", "hat": "closed hi-hat"}.items():
        expected_s = [(8 * bar + step + 0.5) * BEAT_S for bar in range(6) for step in BAR[drum]]
        heard_s = np.array(times_s(strokes, name))
        near = [time_s for time_s in expected_s if np.abs(heard_s - time_s).min() < 0.02]
        assert len(near) >= 0.9 * len(expected_s)
        assert len(heard_s) <= 1.1 * len(expected_s)


def test_hi_hats_are_heard_in_a_file_that_ends_at_15_kilohertz() -> None:
    heard_s = np.array(
        [each.time_s for each in found(up_to(15_500, groove())) if "hat" in each.drum]
    )
    expected_s = [(8 * bar + step + 0.5) * BEAT_S for bar in range(6) for step in BAR["hat"]]
    near = [time_s for time_s in expected_s if np.abs(heard_s - time_s).min() < 0.02]
    assert len(near) >= 0.9 * len(expected_s)
    assert len(heard_s) <= 1.1 * len(expected_s)


def test_soft_strokes_have_a_low_velocity() -> None:
    kicks = [stroke.velocity for stroke in found(groove()) if stroke.drum == "kick"]
    assert len(kicks) == 12
    assert max(kicks[-4:]) < 0.6 * min(kicks[:-4])


def test_blocks_and_channels_do_not_matter() -> None:
    samples = groove(3)
    whole = found(samples)
    blocks = np.split(samples, range(1000, samples.shape[1], 4321), axis=1)
    assert transcribe_drums(iter(blocks), iter(blocks), RATE) == whole
    assert found(samples[:1]) == whole


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros((2, 0), np.float32),
        np.zeros((2, 500), np.float32),
        np.zeros((2, 10 * RATE), np.float32),
        np.full((1, 10 * RATE), 0.5, np.float32),
        1e-5 * np.random.default_rng(0).standard_normal((2, 10 * RATE)).astype(np.float32),
        fade_in(0.1 * np.random.default_rng(0).standard_normal((2, 10 * RATE))),
        np.sin(np.arange(2 * RATE, dtype=np.float32) / 16)[np.newaxis],
    ],
    ids=["nothing", "a moment", "silence", "an offset", "dither", "noise", "a tone"],
)
def test_where_nobody_drums_there_are_no_strokes(samples: Samples) -> None:
    assert found(samples) == []


def test_what_is_left_of_other_stems_is_no_stroke() -> None:
    song = groove()
    assert found(0.05 * song, song) == []
    assert found(0.5 * song, song)

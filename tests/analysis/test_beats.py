from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings

from unbraid.analysis.beats import OnsetEnvelope, Tempo, estimate_tempo
from unbraid.demo import DemoSong
from unbraid.types import Samples

RATE = 22050
CLICK = np.sin(2 * np.pi * 1000 * np.arange(600) / RATE) * np.hanning(600)


def clicks(at_s: np.ndarray, duration_s: float, level: float = 0.5) -> Samples:
    samples = np.zeros(int(duration_s * RATE), np.float32)
    for start in (at_s * RATE).astype(int):
        samples[start : start + len(CLICK)] += (level * CLICK)[: len(samples) - start]
    return samples[np.newaxis]


def click_track(bpm: float, duration_s: float = 15.0, first_s: float = 0.2) -> Samples:
    return clicks(np.arange(first_s, duration_s - 0.1, 60 / bpm), duration_s)


def tempo_of(samples: Samples, sample_rate: int = RATE) -> Tempo | None:
    onsets = OnsetEnvelope(sample_rate)
    for block in np.array_split(samples, max(1, samples.shape[1] // (5 * sample_rate)), axis=1):
        onsets.push(block)
    return estimate_tempo(onsets)


@pytest.mark.parametrize("bpm", range(60, 201, 10))
def test_a_click_track_has_its_tempo(bpm: int) -> None:
    tempo = tempo_of(click_track(bpm))
    assert tempo is not None
    assert tempo.bpm == bpm
    assert tempo.confidence > 0.8


@pytest.mark.parametrize("bpm", [83.3, 97.6, 121.4, 140.5])
def test_a_tempo_between_whole_numbers_is_not_rounded(bpm: float) -> None:
    tempo = tempo_of(click_track(bpm, duration_s=30))
    assert tempo is not None
    assert tempo.bpm == pytest.approx(bpm, abs=0.05)


def test_soft_clicks_between_the_beats_do_not_double_the_tempo() -> None:
    beats = np.arange(0.2, 19.5, 60 / 90)
    offbeats = clicks(beats + 30 / 90, 20, level=0.1)
    tempo = tempo_of(clicks(beats, 20) + offbeats)
    assert tempo is not None
    assert tempo.bpm == 90


def test_an_accent_every_other_beat_does_not_halve_the_tempo() -> None:
    strong = np.arange(0.2, 19.5, 120 / 120)
    tempo = tempo_of(clicks(strong, 20, level=0.8) + clicks(strong + 0.5, 20, level=0.4))
    assert tempo is not None
    assert tempo.bpm == 120


def test_a_soft_recording_has_the_tempo_of_a_loud_one() -> None:
    tempo = tempo_of(click_track(105) * np.float32(0.02))
    assert tempo is not None
    assert tempo.bpm == 105


def test_the_pulse_need_not_begin_at_once() -> None:
    tempo = tempo_of(click_track(110, duration_s=25, first_s=8.0))
    assert tempo is not None
    assert tempo.bpm == 110


@pytest.mark.parametrize("sample_rate", [8000, 44100, 48000])
def test_the_sample_rate_does_not_change_the_tempo(sample_rate: int) -> None:
    track = np.zeros((1, 15 * sample_rate), np.float32)
    track[0, (np.arange(0.2, 14.9, 60 / 96) * sample_rate).astype(int)] = 0.5
    tempo = tempo_of(track, sample_rate)
    assert tempo is not None
    assert tempo.bpm == 96


def test_channels_are_heard_together() -> None:
    track = click_track(90)
    assert tempo_of(np.concatenate([track, track])) == tempo_of(track)


@pytest.mark.parametrize("duration_s", [0.0, 0.01, 1.0, 3.5])
def test_too_short_a_recording_has_no_tempo(duration_s: float) -> None:
    assert tempo_of(click_track(120, duration_s)) is None


def test_nothing_pushed_is_an_empty_envelope() -> None:
    onsets = OnsetEnvelope(RATE)
    assert len(onsets.envelope()) == 0
    assert estimate_tempo(onsets) is None


def test_silence_has_no_tempo() -> None:
    assert tempo_of(np.zeros((2, 10 * RATE), np.float32)) is None


def test_a_steady_tone_has_no_tempo() -> None:
    tone = 0.3 * np.sin(2 * np.pi * 220 * np.arange(10 * RATE) / RATE)
    assert tempo_of(tone.astype(np.float32)[np.newaxis]) is None


@pytest.mark.parametrize("seed", range(5))
def test_noise_has_no_tempo(seed: int) -> None:
    noise = np.random.default_rng(seed).standard_normal((1, 8 * RATE)) * 0.1
    assert tempo_of(noise.astype(np.float32)) is None


@pytest.mark.parametrize("seed", range(5))
def test_clicks_at_random_have_no_tempo(seed: int) -> None:
    at_s = np.sort(np.random.default_rng(seed).uniform(0, 19.5, 50))
    assert tempo_of(clicks(at_s, 20)) is None


def test_an_onset_stands_where_the_sound_begins() -> None:
    onsets = OnsetEnvelope(RATE)
    onsets.push(clicks(np.array([1.5]), 3.0))
    peak_s = np.argmax(onsets.envelope()) / onsets.frame_rate
    assert peak_s == pytest.approx(1.5, abs=0.03)


@given(st.lists(st.integers(0, 3000), max_size=12))
@settings(max_examples=25, deadline=None)
def test_the_envelope_does_not_depend_on_the_blocks(lengths: list[int]) -> None:
    track = click_track(180, duration_s=1.0)
    whole, parts = OnsetEnvelope(RATE), OnsetEnvelope(RATE)
    whole.push(track)
    for block in np.split(track, np.minimum(np.cumsum(lengths), track.shape[1]), axis=1):
        parts.push(block)
    np.testing.assert_allclose(parts.envelope(), whole.envelope(), atol=1e-9)


def test_the_demonstration_song_has_its_tempo(demo: DemoSong) -> None:
    tempo = tempo_of(demo.mixture.samples, demo.mixture.sample_rate)
    assert tempo is not None
    assert tempo.bpm == demo.tempo_bpm


@pytest.mark.parametrize(("name", "bpm"), [("vibe_ace", 130), ("lets_go_fishin", 88.5)])
def test_recordings_have_the_tempo_that_one_taps(recordings: Path, name: str, bpm: float) -> None:
    samples, rate = soundfile.read(recordings / f"{name}.ogg", dtype="float32", always_2d=True)
    tempo = tempo_of(samples.T, rate)
    assert tempo is not None
    assert tempo.bpm == pytest.approx(bpm, rel=0.005)


@pytest.mark.parametrize("name", ["hungarian_dance_5", "trumpet_loop_90bpm_f"])
def test_rubato_has_no_tempo(recordings: Path, name: str) -> None:
    samples, rate = soundfile.read(recordings / f"{name}.ogg", dtype="float32", always_2d=True)
    assert tempo_of(samples.T, rate) is None

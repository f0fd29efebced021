from pathlib import Path

import numpy as np
import pytest
import soundfile
from train.synthesis.instruments import hertz

from train.synthesis import sampler
from unbraid.demo.room import RATE, Array


def _write(path: Path, hz: float, level: float = 0.5, rate: int = RATE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(rate) / rate
    soundfile.write(path, level * np.sin(2 * np.pi * hz * time), rate)


def _loudest_hz(sound: Array) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(sound, 8 * RATE))) / 8)


@pytest.mark.parametrize(
    ("name", "pitch"),
    [
        ("cello_A#3_f", 58),
        ("harp-Eb4", 63),
        ("Fiddle c5 mf", 72),
        ("ks1_gs2_v3", 44),
        ("piano_060", 60),
        ("pluck 72 v1", 72),
        ("noise", None),
    ],
)
def test_names_tell_pitches(name: str, pitch: int | None) -> None:
    assert sampler.pitch_of(name) == pitch


@pytest.mark.parametrize(
    ("name", "drum"),
    [
        ("Kick_01", "kick"),
        ("bd_haus", "kick"),
        ("SD-3", "snare"),
        ("hihat_closed", "hat"),
        ("hihat_open", "open hat"),
        ("FloorTom", "low tom"),
        ("crash cymbal", "crash"),
        ("vinyl noise", ""),
    ],
)
def test_names_tell_drums(name: str, drum: str) -> None:
    assert sampler.drum_of(name) == drum


def test_names_tell_dynamics() -> None:
    names = ("a4_pp", "a4_mf", "a4_ff")
    layers = [sampler.layer_of(name) for name in names]
    assert layers == sorted(set(layers))
    assert sampler.layer_of("a4_v3") == 3
    assert sampler.layer_of("a4") == 0


def test_notes_are_played_with_the_nearest_sample(tmp_path: Path) -> None:
    _write(tmp_path / "x_A3.wav", hertz(57))
    _write(tmp_path / "x_A4.wav", 3 * hertz(69), rate=48000)  # a tone that tells which it is
    play = sampler.instrument(tmp_path, np.random.default_rng(0)).tone
    assert _loudest_hz(play(57, 1.0, 0.5)) == pytest.approx(hertz(57), rel=5e-3)
    assert _loudest_hz(play(60, 1.0, 0.5)) == pytest.approx(hertz(60), rel=5e-3)
    assert _loudest_hz(play(70, 1.0, 0.5)) == pytest.approx(3 * hertz(70), rel=5e-3)
    assert len(play(60, 1.0, 0.5)) == RATE // 2


def test_loud_notes_are_played_with_loud_samples(tmp_path: Path) -> None:
    _write(tmp_path / "x_A3_pp.wav", 220)
    _write(tmp_path / "x_A3_ff.wav", 660)
    play = sampler.instrument(tmp_path, np.random.default_rng(0)).tone
    assert _loudest_hz(play(57, 0.25, 0.5)) == pytest.approx(220, rel=5e-3)
    assert _loudest_hz(play(57, 1.0, 0.5)) == pytest.approx(660, rel=5e-3)


def test_samples_begin_with_their_attack_and_peak_at_one(tmp_path: Path) -> None:
    late = np.concatenate([np.zeros(RATE), 0.2 * np.ones(RATE)])
    soundfile.write(tmp_path / "late_C4.wav", np.stack([late, late], axis=1), RATE)
    sound = sampler.load(tmp_path / "late_C4.wav")
    assert np.abs(sound).max() == pytest.approx(1)
    assert np.argmax(np.abs(sound) > 0.5) < 50


def test_a_drum_without_samples_is_played_by_the_other_kit(tmp_path: Path) -> None:
    _write(tmp_path / "kick.wav", 60)
    kit = sampler.kit(tmp_path, lambda drum, velocity, rng: np.zeros(7))
    rng = np.random.default_rng(0)
    assert _loudest_hz(kit("kick", 0.9, rng)) == pytest.approx(60, abs=0.5)
    assert kit("snare", 0.9, rng).shape == (7,)

from collections.abc import Callable

import numpy as np
import pytest
from train.synthesis.dynamics import (
    active_rms,
    compressor_gain,
    levelled,
    saturate,
    saturation_gain,
)
from train.synthesis.media import telephone, through_mp3, wow
from train.synthesis.mixing import master
from train.synthesis.score import STEMS, Stem
from train.synthesis.space import Room, aside, chorus, delayed, echo, in_room, widened

from train.synthesis import filters
from unbraid.demo.room import RATE, Array

Filter = Callable[[Array], Array]


def _sine(hz: float, length_s: float = 1.0, level: float = 1.0) -> Array:
    time = np.arange(round(length_s * RATE)) / RATE
    return np.tile(level * np.sin(2 * np.pi * hz * time), (2, 1))


def _gain_db(effect: Filter, hz: float) -> float:
    tone = _sine(hz)
    heard = effect(tone)[:, RATE // 2 :]
    return float(20 * np.log10(np.sqrt(np.mean(heard**2) / np.mean(tone[:, RATE // 2 :] ** 2))))


@pytest.mark.parametrize(
    ("effect", "hz", "gain_db"),
    [
        (lambda x: filters.low_pass(x, 1000), 50, 0),
        (lambda x: filters.low_pass(x, 1000), 1000, -3),
        (lambda x: filters.low_pass(x, 1000), 4000, -24),
        (lambda x: filters.high_pass(x, 1000), 16000, 0),
        (lambda x: filters.high_pass(x, 1000), 1000, -3),
        (lambda x: filters.high_pass(x, 1000), 250, -24),
        (lambda x: filters.band_pass(x, 1000, 2), 1000, 0),
        (lambda x: filters.peak(x, 1000, 6, 1), 1000, 6),
        (lambda x: filters.peak(x, 1000, 6, 1), 30, 0),
        (lambda x: filters.low_shelf(x, 500, -9), 20, -9),
        (lambda x: filters.low_shelf(x, 500, -9), 500, -4.5),
        (lambda x: filters.low_shelf(x, 500, -9), 10000, 0),
        (lambda x: filters.high_shelf(x, 2000, 8), 20000, 8),
        (lambda x: filters.high_shelf(x, 2000, 8), 2000, 4),
        (lambda x: filters.high_shelf(x, 2000, 8), 50, 0),
        (telephone, 1000, 0),
    ],
)
def test_filters_have_the_gains_of_theory(effect: Filter, hz: float, gain_db: float) -> None:
    assert _gain_db(effect, hz) == pytest.approx(gain_db, abs=0.7)


def test_a_telephone_has_neither_bass_nor_treble() -> None:
    assert _gain_db(telephone, 60) < -40
    assert _gain_db(telephone, 15000) < -40


@pytest.mark.parametrize(("level_db", "gain_db"), [(-30, 0), (-20, 0), (-12, -6), (0, -15)])
def test_a_compressor_follows_its_static_curve(level_db: float, gain_db: float) -> None:
    tone = _sine(1000, level=10 ** (level_db / 20))
    gain = compressor_gain(tone, -20, 4, 0.005, 0.05)
    assert 20 * np.log10(gain[RATE // 2 : -100]) == pytest.approx(gain_db, abs=0.2)


def test_a_compressor_falls_and_recovers_in_its_time() -> None:
    burst = _sine(1000, 2.0)
    burst[:, RATE:] *= 1e-4
    gain_db = 20 * np.log10(compressor_gain(burst, -20, np.inf, 0.01, 0.1))
    assert gain_db[round(0.01 * RATE)] == pytest.approx(-20 * (1 - np.exp(-1)), abs=1.5)
    assert gain_db[round(1.1 * RATE)] == pytest.approx(-20 * np.exp(-1), abs=0.5)


def test_the_gain_of_saturation_saturates() -> None:
    sound = _sine(100, level=2.0)
    np.testing.assert_allclose(sound * saturation_gain(sound, 0.7), saturate(sound, 0.7), atol=1e-9)
    assert np.abs(saturate(sound, 0.7)).max() < 1 / 0.7


def test_a_level_is_that_of_what_sounds() -> None:
    tone = np.concatenate([_sine(440, 1.0), np.zeros((2, 3 * RATE))], axis=1)
    assert active_rms(tone) == pytest.approx(np.sqrt(0.5), rel=1e-3)
    assert active_rms(levelled(tone, -20)) == pytest.approx(0.1)
    assert not levelled(np.zeros((2, RATE)), -20).any()


def test_echoes_come_in_their_time_and_die_away() -> None:
    click = np.zeros((2, RATE))
    click[0, 0] = 1
    heard = echo(click, 0.25, feedback=0.5, wet=0.4, ping_pong=True)
    quarter = RATE // 4
    assert heard[0, 0] == 1
    assert heard[1, quarter] == pytest.approx(0.4)
    assert heard[0, 2 * quarter] == pytest.approx(0.2)
    assert np.count_nonzero(heard) == 4


def test_a_chorus_adds_a_copy_that_sways() -> None:
    click = np.zeros((2, RATE // 4))
    click[:, 100] = 1
    heard = chorus(click, depth_s=0.004, rate_hz=1.0, wet=0.5)
    late = np.flatnonzero(heard[1] > 0.01)[1:] - 100
    assert late.min() > 0.012 * RATE
    assert late.max() < 0.017 * RATE
    assert heard[1, 100] == 1


def test_a_room_falls_by_60_db_in_its_decay() -> None:
    click = np.zeros((2, 2 * RATE))
    click[:, 0] = 1
    room = Room(wet=1.0, decay_s=1.0, early=0.5)
    heard = in_room(click, room, np.random.default_rng(0))
    late = [np.sqrt(np.mean(heard[:, int(at * RATE) :][:, : RATE // 10] ** 2)) for at in (0.2, 0.7)]
    assert 20 * np.log10(late[1] / late[0]) == pytest.approx(-30, abs=1.5)
    assert np.abs(heard[:, round(1.1 * RATE) :]).max() < 1e-9


def test_width_and_direction() -> None:
    sound = np.random.default_rng(0).standard_normal((2, 100))
    np.testing.assert_allclose(widened(sound, 1.0), sound)
    mono = widened(sound, 0.0)
    np.testing.assert_array_equal(mono[0], mono[1])
    np.testing.assert_array_equal(aside(sound, -1.0)[1], 0)
    np.testing.assert_array_equal(aside(sound, 0.0), sound)
    np.testing.assert_array_equal(delayed(sound, 2 / RATE)[:, 2:], sound[:, :-2])


def test_tape_sways_all_stems_together() -> None:
    stems = np.random.default_rng(0).standard_normal((3, 2, RATE))
    swayed = wow(stems, 0.002, 1.0)
    np.testing.assert_allclose(
        swayed.sum(axis=0), wow(stems.sum(axis=0)[np.newaxis], 0.002, 1.0)[0]
    )
    assert np.abs(swayed - stems).max() > 0.1


def test_mp3_keeps_time_and_length() -> None:
    tone = (0.5 * _sine(440) * np.hanning(RATE)).astype(np.float32)
    coded = through_mp3(tone, 0.5)
    assert coded.shape == tone.shape
    errors = {lag: np.abs(np.roll(coded, lag) - tone).max() for lag in range(-3, 4)}
    assert min(errors, key=lambda lag: errors[lag]) == 0
    assert errors[0] < 0.04


def test_mastering_leaves_absent_stems_silent_and_does_not_clip() -> None:
    rng = np.random.default_rng(0)
    for seed in range(12):
        tracks: dict[Stem, Array] = {stem: np.zeros((2, RATE // 2)) for stem in STEMS}
        tracks["bass"] = rng.standard_normal((2, RATE // 2))
        stems = master(tracks, np.random.default_rng(seed))
        assert stems.dtype == np.float32
        assert not stems[[0, 1, 3]].any()
        assert 0.01 < np.abs(stems[2]).max() < 1.3  # MP3 may overshoot
    silent = master({stem: np.zeros((2, 100)) for stem in STEMS}, rng)
    assert not silent.any()

from collections.abc import Callable

import numpy as np
import pytest
from tests.train.synthesis.partials import share_of_partials
from train.synthesis.instruments import (
    Instrument,
    Tone,
    demo_bass,
    demo_piano,
    draw_808,
    draw_organ,
    play,
)
from train.synthesis.kits import ACOUSTIC, draw_kit, play_kit
from train.synthesis.lines import play_line
from train.synthesis.score import Part
from train.synthesis.soloists import KINDS, Kind, draw_fretless, draw_line
from train.synthesis.voices import sing_part

from train.synthesis import strings, synths
from unbraid.demo.room import RATE, Array
from unbraid.types import NoteEvent

TONES: dict[str, Callable[[np.random.Generator], Tone]] = {
    "guitar": lambda rng: strings.draw_guitar(rng).tone,
    "piano": lambda rng: strings.draw_piano(rng).tone,
    "double bass": lambda rng: strings.draw_upright(rng).tone,
    "strings": lambda rng: synths.draw_section(rng, brass=False).tone,
    "brass": lambda rng: synths.draw_section(rng, brass=True).tone,
    "organ": draw_organ,
    "808": draw_808,
    "demo bass": lambda rng: demo_bass,
    "demo piano": lambda rng: demo_piano,
}


@pytest.mark.parametrize("name", TONES)
@pytest.mark.parametrize("pitch", [40, 57, 76])
def test_tones_have_their_pitch(name: str, pitch: int) -> None:
    tone = TONES[name](np.random.default_rng(5))(pitch, 0.8, 1.0)
    assert tone.shape == (RATE,)
    settled = tone[RATE // 5 :]
    assert share_of_partials(settled, pitch) > 0.8
    assert share_of_partials(settled, pitch + 0.8) < 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_soloists_play_the_notes(kind: Kind) -> None:
    rng = np.random.default_rng(2)
    notes = [NoteEvent(0.5, 1.5, 69, 0.8), NoteEvent(1.5, 2.5, 64, 0.8)]
    sound = play_line(draw_line(kind, rng), notes, 4 * RATE, rng)
    for note in notes:
        steady = sound[round((note.start_s + 0.25) * RATE) : round((note.end_s - 0.1) * RATE)]
        assert share_of_partials(steady, note.pitch, 90) > 0.6
    rms = np.sqrt(np.mean(sound.reshape(-1, RATE // 4) ** 2, axis=1))
    assert rms[[0, 12, 13, 14, 15]].max() == 0  # before the first note, after the last
    assert rms[2:10].min() > 0.1 * rms.max()


def test_a_fretless_bass_plays_its_note() -> None:
    rng = np.random.default_rng(2)
    sound = play_line(draw_fretless(rng), [NoteEvent(0.0, 1.0, 40, 0.8)], RATE, rng)
    assert share_of_partials(sound[RATE // 4 :], 40, 60) > 0.8


def test_an_instrument_plays_when_the_notes_are() -> None:
    def steady(pitch: int, velocity: float, length_s: float) -> Array:
        return np.full(round(length_s * RATE), velocity)

    notes = [
        NoteEvent(0.5, 1.0, 60, 0.5),
        NoteEvent(1.5, 2.0, 60, 0.4),
        NoteEvent(1.5, 2.0, 84, 0.8),
    ]
    left, right = play(Instrument(steady, release_s=0.1), notes, 3 * RATE, width=1.0)
    assert not left[: RATE // 2].any()
    np.testing.assert_allclose(left[RATE // 2 : RATE], 0.5 * np.sqrt(0.5))
    assert not left[round(1.1 * RATE) + 1 : round(1.5 * RATE)].any()
    np.testing.assert_allclose(left[round(1.5 * RATE) : 2 * RATE], 0.4 * np.sqrt(0.5))
    np.testing.assert_allclose(right[round(1.5 * RATE) : 2 * RATE], 0.4 * np.sqrt(0.5) + 0.8)


@pytest.mark.parametrize("demo_seed", range(3))
def test_each_drum_sounds_when_struck_and_dies_away(demo_seed: int) -> None:
    rng = np.random.default_rng(demo_seed)
    kit = draw_kit(rng)
    for drum in ACOUSTIC:
        sound = kit(drum, 0.8, rng)
        assert np.isfinite(sound).all()
        peak = np.abs(sound).max()
        assert 0.005 < peak < 4
        assert np.abs(sound[: RATE // 10]).max() > 0.5 * peak
        assert np.abs(sound[-20:]).max() < 0.05 * peak


def test_a_closed_hi_hat_ends_the_open_one() -> None:
    def ring(drum: str, velocity: float, rng: np.random.Generator) -> Array:
        return np.ones(RATE) if drum == "open hat" else np.zeros(1)

    notes = [NoteEvent(0.0, 0.1, 46, 0.95), NoteEvent(0.5, 0.6, 42, 0.95)]
    rng = np.random.default_rng(0)
    heard = play_kit(ring, notes, ("open hat", "hat"), RATE, 0.0, rng)
    assert heard[0, RATE // 2 - 10] > 0.5
    assert heard[0, round(0.6 * RATE)] < 1e-3


@pytest.mark.parametrize("role", ["lead", "double", "choir"])
def test_voices_sing_the_notes_and_rest_between_them(role: str) -> None:
    notes = (NoteEvent(0.5, 1.5, 57, 0.8), NoteEvent(2.5, 3.5, 60, 0.8))
    part = Part("vocals", "choir" if role == "choir" else "lead", notes, ("lah", "mee"))
    left, right = sing_part(part, 4 * RATE, np.random.default_rng(1))
    for note in notes:
        steady = (left + right)[round((note.start_s + 0.3) * RATE) : round(note.end_s * RATE)]
        assert share_of_partials(steady, note.pitch, 90) > 0.6
    loud = np.sqrt(np.mean(left[RATE : round(1.4 * RATE)] ** 2))
    assert np.sqrt(np.mean(left[round(1.7 * RATE) : 2 * RATE] ** 2)) < 0.1 * loud

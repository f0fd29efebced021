import numpy as np
import pytest
from tests.analysis.tones import RATE, heard, noise, played

from unbraid.analysis.chroma import BASS, TREBLE, Chromagram, tuning


@pytest.mark.parametrize("cents", [-45, -20, 0, 20, 40])
def test_the_tuning_of_a_song_is_found(cents: int) -> None:
    chords = [[pitch + cents / 100 for pitch in (60, 64, 67)], [57 + cents / 100]]
    assert 100 * heard(other=played(chords, 2)).tuning == pytest.approx(cents, abs=5)


def test_a_detuned_song_has_the_pitch_classes_of_a_tuned_one() -> None:
    tuned, detuned = (
        heard(other=played([[60 + off, 64 + off, 67 + off]], 3)).harmony.frames.mean(axis=0)
        for off in (0, 0.4)
    )
    assert detuned == pytest.approx(tuned, abs=0.15 * tuned.max())


def test_blocks_leave_no_trace() -> None:
    song = played([[60, 64, 67], [62, 65, 69]], 1.5) + 0.1 * noise(3)
    whole, parts = Chromagram(RATE, *TREBLE), Chromagram(RATE, *TREBLE)
    whole.push(song)
    for block in np.split(song, [1, 700, 5000, 5001, 30000], axis=1):
        parts.push(block)
    assert parts.frames() == pytest.approx(whole.frames())
    assert tuning([parts]) == pytest.approx(tuning([whole]))


def test_octaves_are_alike() -> None:
    low, high = (
        heard(other=played([[pitch]], 2)).harmony.frames.mean(axis=0) for pitch in (60, 72)
    )
    assert low.argmax() == high.argmax() == 0


def test_noise_has_hardly_any_pitch() -> None:
    tone, hiss = heard(other=played([[60]], 2)), heard(other=noise(2))
    assert hiss.harmony.frames.max() < 0.2 * tone.harmony.frames.max()


def test_strengths_between_times_add_up() -> None:
    pitches = heard(bass=played([[40], [45], [43]], 1.0)).bass
    edges = np.array([0, 0.33, 1.0, 1.71, 3.0])
    parts = pitches.between(edges[:-1], edges[1:])
    assert parts.sum(axis=0) == pytest.approx(pitches.between(edges[:1], edges[-1:])[0])


def test_less_than_a_window_is_silence() -> None:
    chromagram = Chromagram(RATE, *BASS)
    chromagram.push(np.ones((2, 100), np.float32))
    assert chromagram.frames().shape == (0, 36)
    assert tuning([chromagram]) == 0

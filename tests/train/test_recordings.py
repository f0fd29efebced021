from pathlib import Path

import numpy as np
import pytest
import soundfile
from train.recordings import phrases, track

from train import songs, synthesis
from unbraid.types import Samples

RATE = 44_100


def tone(seconds: float, hz: float = 441.0) -> Samples:
    wave = 0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)
    return np.stack([wave, wave]).astype(np.float32)


def silence(seconds: float) -> Samples:
    return np.zeros((2, round(seconds * RATE)), np.float32)


def write(file: Path, *parts: Samples) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(file, np.concatenate(parts, axis=1).T, RATE)
    return file


def test_phrases_end_where_nothing_sounds_for_a_while() -> None:
    samples = np.concatenate(
        [silence(2), tone(1), silence(0.2), tone(1), silence(3), tone(0.5)], axis=1
    )
    first, second = phrases(samples)
    assert first.start / RATE == pytest.approx(2, abs=0.3)
    assert first.stop / RATE == pytest.approx(4.2, abs=0.3)
    assert second.start / RATE == pytest.approx(7.2, abs=0.3)
    assert second.stop == samples.shape[1]
    assert second.pause == second.start - first.stop


@pytest.mark.parametrize("samples", [silence(1), silence(0)])
def test_silence_has_no_phrases(samples: Samples) -> None:
    assert phrases(samples) == ()


def test_a_track_is_filled_with_what_sounds(tmp_path: Path) -> None:
    file = write(tmp_path / "a.wav", silence(20), tone(2), silence(30), tone(2))
    filled = track((file,), 20 * RATE, np.random.default_rng(0))
    sounding = np.mean(np.abs(filled[0]) > 0.01)
    assert filled.shape == (2, 20 * RATE)
    assert 0.3 < sounding < 0.99


def test_a_silent_recording_gives_silence(tmp_path: Path) -> None:
    file = write(tmp_path / "a.wav", silence(1))
    assert not track((file,), RATE, np.random.default_rng(0)).any()


@pytest.fixture
def material(tmp_path: Path) -> Path:
    """A voice at 441 Hz and a singer's note at 882 Hz."""
    write(tmp_path / "songs" / "album-vocals" / "1.wav", tone(3), silence(1), tone(3))
    write(tmp_path / "voices" / "singer-notes" / "a4.wav", tone(1, 882.0))
    return tmp_path


def test_recorded_voices_are_as_loud_as_those_that_they_replace(
    material: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(songs, "RECORDED", {"vocals": 1.0, "drums": 1, "bass": 1, "other": 1})
    seed = next(k for k in range(20) if synthesis.song(k, 4.0).stems[0].any())
    composed, heard = (
        synthesis.song(seed, 4.0, material).stems,
        songs.song(seed, 4.0, material).stems,
    )
    spectrum = np.abs(np.fft.rfft(heard[0].sum(axis=0) * np.hanning(heard.shape[2])))
    hz = float(np.argmax(spectrum)) * RATE / heard.shape[2]
    assert min(abs(12 * np.log2(hz / known)) for known in (441, 882)) < 3.1
    np.testing.assert_allclose(np.mean(heard[0] ** 2), np.mean(composed[0] ** 2), rtol=1e-3)
    np.testing.assert_array_equal(heard[1:], composed[1:])


def test_a_recording_without_a_voice_accompanies_the_song(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "instrumentals" / "game" / "1.wav", tone(6))
    monkeypatch.setattr(songs, "INSTRUMENTAL", 1.0)
    composed, heard = (
        synthesis.song(3, 4.0, tmp_path).stems,
        songs.song(3, 4.0, tmp_path).stems,
    )
    np.testing.assert_array_equal(heard[0], composed[0])
    accompaniment = heard[1:].sum(axis=0)
    played = tone(4) * np.sqrt(np.mean(composed[1:].sum(axis=0) ** 2) / np.mean(tone(4) ** 2))
    found, expected = (np.abs(np.fft.rfft(each)) for each in (accompaniment, played))
    np.testing.assert_allclose(found, expected, atol=0.02 * expected.max())


def test_songs_follow_from_their_seeds(material: Path) -> None:
    np.testing.assert_array_equal(
        songs.song(3, 2.0, material).stems, songs.song(3, 2.0, material).stems
    )


def test_without_material_songs_are_the_composed_ones() -> None:
    np.testing.assert_array_equal(songs.song(3, 2.0).stems, synthesis.song(3, 2.0).stems)

from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.train.synthesis.partials import share_of_partials

from train.synthesis import STEMS, Song, song
from unbraid.demo.room import RATE

LENGTH_S = 6.0


@pytest.fixture(scope="module")
def songs() -> list[Song]:
    return [song(seed, LENGTH_S) for seed in range(10)]


def test_a_seed_gives_the_same_samples(songs: list[Song]) -> None:
    np.testing.assert_array_equal(song(3, LENGTH_S).stems, songs[3].stems)
    assert not np.array_equal(songs[3].stems, songs[4].stems)


def test_songs_have_the_length_asked_for(songs: list[Song]) -> None:
    for each in songs:
        assert each.stems.shape == (4, 2, round(LENGTH_S * RATE))
        assert each.stems.dtype == np.float32
        assert np.isfinite(each.stems).all()
    assert song(0, 0.7).stems.shape == (4, 2, round(0.7 * RATE))


def test_stems_sum_to_the_mixture(songs: list[Song]) -> None:
    for each in songs:
        error = each.stems.astype(np.float64).sum(axis=0) - each.mixture
        assert np.abs(error).max() < 1e-5 * np.abs(each.mixture).max()
        assert 0.1 < np.abs(each.mixture).max() < 1.3


def test_a_stem_sounds_exactly_if_it_has_notes(songs: list[Song]) -> None:
    absent = 0
    for each in songs:
        for stem, samples in zip(STEMS, each.stems, strict=True):
            written = any(part.stem == stem for part in each.score.parts)
            assert samples.any() == written
            absent += not written
    assert absent


def test_drums_are_heard_where_the_score_has_them(songs: list[Song]) -> None:
    """Energy rises at the strokes on the kick and the snare."""
    rises = []
    for each in songs:
        power = (each.stems[1].astype(np.float64) ** 2).mean(axis=0)
        for part in (part for part in each.score.parts if part.stem == "drums"):
            for note, drum in zip(part.notes, part.words, strict=True):
                at = round(note.start_s * RATE)
                if drum in ("kick", "snare") and note.amplitude > 0.6 and at > 1000:
                    before, after = power[at - 900 : at - 60], power[at : at + 1800]
                    rises.append(after.mean() > before.mean())
    assert len(rises) > 100
    assert np.mean(rises) > 0.9


def test_the_bass_and_the_voice_sound_at_the_pitches_of_the_score(songs: list[Song]) -> None:
    heard: dict[str, list[tuple[float, float]]] = {"bass": [], "vocals": []}
    for each in songs:
        for stem in heard:
            parts = [part for part in each.score.parts if part.stem == stem]
            if len(parts) != 1 or parts[0].role not in ("bass", "lead"):
                continue  # several voices sing several pitches
            mono = each.stems[STEMS.index(stem)].mean(axis=0).astype(np.float64)
            for note in parts[0].notes:
                if note.end_s - note.start_s > 0.35:
                    span = slice(round((note.start_s + 0.1) * RATE), round(note.end_s * RATE))
                    right = share_of_partials(mono[span], note.pitch, 40)
                    wrong = share_of_partials(mono[span], note.pitch + 1, 40)
                    heard[stem].append((right, wrong))
    for shares in heard.values():
        right, wrong = np.median(shares, axis=0)
        assert len(shares) >= 5
        assert right > 0.8 > 2 * wrong


def test_material_is_played_where_there_is_any(tmp_path: Path) -> None:
    time = np.arange(RATE) / RATE
    for group, name in (
        ("drums", "kick"),
        ("drums", "snare"),
        ("drums", "hat"),
        ("bass", "x_E1"),
        ("chords", "x_C4"),
        ("lines", "x_C5"),
    ):
        (tmp_path / group / "one").mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / group / "one" / f"{name}.wav", np.sin(500 * time), RATE)
    played, procedural = song(1, 3.0, tmp_path), song(1, 3.0)
    assert played.score == procedural.score
    assert not np.array_equal(played.stems, procedural.stems)
    np.testing.assert_array_equal(song(1, 3.0, tmp_path).stems, played.stems)

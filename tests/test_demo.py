import itertools
import re

import librosa
import numpy as np
import pytest

from unbraid.demo import DemoSong, demo_song, score
from unbraid.types import NoteEvent

HARTE = re.compile(r"[A-G](#|b)?:(maj|min|min7|7|sus4)(/[1-7])?")


def test_the_same_song_is_played_every_time(demo: DemoSong) -> None:
    again = demo_song()
    assert again.notes == demo.notes
    np.testing.assert_array_equal(again.mixture.samples, demo.mixture.samples)


def test_the_stems_sum_to_the_mixture_exactly(demo: DemoSong) -> None:
    total = sum(stem.samples for stem in demo.stems.values())
    np.testing.assert_array_equal(total, demo.mixture.samples)


def test_the_stems_are_named_and_shaped_alike(demo: DemoSong) -> None:
    assert list(demo.stems) == ["vocals", "drums", "bass", "other"]
    for stem in demo.stems.values():
        assert stem.sample_rate == 44100
        assert stem.samples.shape == demo.mixture.samples.shape == (2, 32 * 44100)


def test_the_mixture_does_not_clip(demo: DemoSong) -> None:
    assert 0.5 < np.abs(demo.mixture.samples).max() < 1.0


def test_every_stem_is_to_be_heard(demo: DemoSong) -> None:
    for stem in demo.stems.values():
        assert np.sqrt(np.mean(stem.samples**2)) > 0.03
        assert np.isfinite(stem.samples).all()


def test_the_song_has_died_away_at_its_end(demo: DemoSong) -> None:
    assert np.abs(demo.mixture.samples[:, -441:]).max() < 0.01


def test_voice_kick_and_bass_stand_in_the_middle_and_chords_aside(demo: DemoSong) -> None:
    def side(name: str) -> float:
        left, right = demo.stems[name].samples
        return float(np.sum((left - right) ** 2) / np.sum((left + right) ** 2))

    assert side("bass") == 0.0
    assert side("vocals") < 0.1 < side("other")


@pytest.mark.parametrize("name", ["vocals", "bass", "other"])
def test_notes_are_in_order_and_within_the_song(demo: DemoSong, name: str) -> None:
    starts = [note.start_s for note in demo.notes[name]]
    assert starts == sorted(starts)
    for note in demo.notes[name]:
        assert 0 <= note.start_s < note.end_s <= demo.mixture.duration_s
        assert 0 < note.amplitude <= 1


@pytest.mark.parametrize("name", ["vocals", "bass"])
def test_one_note_at_a_time(demo: DemoSong, name: str) -> None:
    for note, following in itertools.pairwise(demo.notes[name]):
        assert note.end_s <= following.start_s


def test_notes_lie_near_the_grid_of_the_tempo(demo: DemoSong) -> None:
    eighth_s = 30 / demo.tempo_bpm
    for note in (*demo.notes["vocals"], *demo.notes["bass"]):
        assert abs(note.start_s - eighth_s * round(note.start_s / eighth_s)) < 0.03


def test_the_melody_is_singable_and_ends_on_the_tonic(demo: DemoSong) -> None:
    pitches = [note.pitch for note in demo.notes["vocals"]]
    assert min(pitches) >= 57
    assert max(pitches) <= 76
    assert pitches[-1] % 12 == 2


def test_the_bass_and_the_chords_agree(demo: DemoSong) -> None:
    roots = {"A": 9, "B": 11, "D": 2, "E": 4, "F#": 6, "G": 7}
    for chord in demo.chords:
        first = min(demo.notes["bass"], key=lambda note: abs(note.start_s - chord.start_s))
        lowest = "F#" if chord.label == "D:maj/3" else chord.label.split(":")[0]
        assert first.pitch % 12 == roots[lowest], chord


def sung_cents(demo: DemoSong, note: NoteEvent) -> float:
    """How far the voice is from a note, looking a fifth up and down."""
    stem = demo.stems["vocals"]
    start, end = (int(time * stem.sample_rate) for time in (note.start_s + 0.15, note.end_s - 0.05))
    middle = stem.samples[:, start:end].mean(axis=0)
    truth = float(librosa.midi_to_hz(note.pitch))
    f0 = librosa.yin(middle, fmin=truth / 1.5, fmax=truth * 1.5, sr=stem.sample_rate)
    return float(1200 * np.log2(np.median(f0) / truth))


def test_the_voice_sings_its_notes(demo: DemoSong) -> None:
    long_notes = [n for n in demo.notes["vocals"] if n.end_s - n.start_s > 0.4]
    assert len(long_notes) > 20
    assert all(abs(sung_cents(demo, note)) < 50 for note in long_notes)


def test_chords_follow_each_other_without_gaps(demo: DemoSong) -> None:
    assert demo.chords[0].start_s == demo.downbeats_s[0]
    for chord, following in itertools.pairwise(demo.chords):
        assert chord.end_s == following.start_s


def test_chord_labels_are_in_hartes_notation(demo: DemoSong) -> None:
    assert all(HARTE.fullmatch(chord.label) for chord in demo.chords)


def test_beats_keep_the_tempo_and_bars_have_four(demo: DemoSong) -> None:
    np.testing.assert_allclose(np.diff(demo.beats_s), 60 / demo.tempo_bpm)
    np.testing.assert_allclose(np.diff(demo.downbeats_s), 240 / demo.tempo_bpm)
    assert set(demo.downbeats_s) <= set(demo.beats_s)


def test_all_parts_of_the_score_are_equally_long() -> None:
    beats = score.PICKUP_BEATS + score.BEATS_PER_BAR * len(score.FORM)
    for part in (score.melody(), score.bass(), score.comping()):
        assert part[-1].beat + part[-1].beats == beats
    assert score.chord_segments()[-1].end_s == score.seconds(beats)


@pytest.mark.parametrize(("name", "pitches"), [("C4", (60,)), ("F#2", (42,)), ("A4", (69,))])
def test_note_names_are_midi_numbers(name: str, pitches: tuple[int, ...]) -> None:
    assert score.pitches(name) == pitches

from collections.abc import Callable
from itertools import pairwise

import mir_eval
import numpy as np
import pytest
from tests.analysis.tones import RATE, heard, heard_of, noise, played, strokes, tone

from unbraid.analysis.chords import DEGREES, QUALITIES, find_chords, respelled
from unbraid.analysis.onsets import FloatArray
from unbraid.demo import DemoSong
from unbraid.types import BeatGrid, ChordSegment, Key, Samples

Chords = tuple[ChordSegment, ...]
Rule = Callable[[list[str], list[str]], FloatArray]
SILENCE = np.zeros((1, 5 * RATE), np.float32)


def labels(chords: Chords) -> list[str]:
    return [chord.label for chord in chords]


@pytest.mark.parametrize("cents", [0, 40])
@pytest.mark.parametrize("quality", QUALITIES)
def test_a_chord_is_named(quality: str, cents: int) -> None:
    chords = [[50 + cents / 100 + interval for interval in QUALITIES[quality]]]
    bass = [[38 + cents / 100]]
    song = heard(other=played(chords, 4), bass=played(bass, 4))
    assert labels(find_chords(song)) == [f"D:{quality}"]


@pytest.mark.parametrize(
    ("quality", "interval"), [("maj", 4), ("maj", 7), ("min", 3), ("min", 7), ("7", 10)]
)
def test_a_tone_in_the_bass_inverts_a_chord(quality: str, interval: int) -> None:
    chord = [60 + tone for tone in QUALITIES[quality]]
    song = heard(other=played([chord], 4), bass=played([[36 + interval]], 4))
    assert labels(find_chords(song)) == [f"C:{quality}/{DEGREES[interval]}"]


def test_chords_change_on_the_beat() -> None:
    progression = [(57, 60, 64), (53, 57, 60), (55, 60, 64), (55, 59, 62)]
    song = heard(other=played(progression, 1.7))
    beats = BeatGrid(tuple(np.arange(0, 6.8, 0.85)), 0, "4/4", confidence=1)
    chords = find_chords(song, beats)
    assert labels(chords) == ["A:min", "F:maj", "C:maj", "G:maj"]
    assert [chord.start_s for chord in chords] == pytest.approx([0, 1.7, 3.4, 5.1])


@pytest.mark.parametrize("beat_s", [0.4, 0.8, 1.6])
def test_beats_may_be_counted_at_half_or_double_tempo(beat_s: float) -> None:
    progression = [(60, 64, 67), (57, 60, 64), (62, 65, 69), (55, 59, 62)]
    beats = BeatGrid(tuple(np.arange(0, 6.4, beat_s)), 0, "4/4", confidence=1)
    chords = find_chords(heard(other=played(progression, 1.6)), beats)
    assert labels(chords) == ["C:maj", "A:min", "D:min", "G:maj"]


@pytest.mark.parametrize(
    ("name", "samples"),
    [
        ("other", SILENCE),
        ("other", noise(5)),
        ("other", 0.01 * noise(5)),
        ("other", strokes(5)),
        ("drums", strokes(5)),
        ("other", tone(60, 5)),
        ("vocals", tone(57, 5)),
    ],
)
def test_what_is_no_chord_is_none(name: str, samples: Samples) -> None:
    assert labels(find_chords(heard(**{name: samples}))) == ["N"]


def test_a_pause_between_chords_is_none() -> None:
    song = heard(other=played([(60, 64, 67), (), (55, 59, 62)], 3))
    assert labels(find_chords(song)) == ["C:maj", "N", "G:maj"]


@pytest.mark.parametrize("duration_s", [0.02, 0.3, 2.0, 6.12])
@pytest.mark.parametrize("beats", [None, BeatGrid((1.0, 1.4, 2.0), 1, "3/4", confidence=1)])
def test_segments_cover_the_song_without_gaps(duration_s: float, beats: BeatGrid | None) -> None:
    song = heard(other=played([(60, 64, 67), (62, 65, 69)], duration_s / 2))
    chords = find_chords(song, beats)
    assert chords[0].start_s == 0
    assert chords[-1].end_s == song.duration_s
    assert all(a.end_s == b.start_s for a, b in pairwise(chords))
    assert all(a.label != b.label for a, b in pairwise(chords))


@pytest.mark.parametrize(
    ("tonic", "spelled"), [("F", "Bb:min7/b3"), ("F#", "A#:min7/b3"), ("Db", "Bb:min7/b3")]
)
def test_roots_are_written_as_in_the_key(tonic: str, spelled: str) -> None:
    chords = [ChordSegment(0, 1, "Bb:min7/b3"), ChordSegment(1, 2, "N")]
    assert labels(respelled(chords, Key(tonic, "major", confidence=1))) == [spelled, "N"]


def test_the_chords_of_the_demo_song_are_found(demo: DemoSong) -> None:
    song = heard_of(demo.stems)
    found = find_chords(song, BeatGrid(demo.beats_s, 2, "4/4", confidence=1))
    assert accuracy(demo.chords, found, mir_eval.chord.majmin) > 0.97
    assert accuracy(demo.chords, found, mir_eval.chord.sevenths_inv) > 0.85


def accuracy(truth: Chords, found: Chords, rule: Rule) -> float:
    """Share of the time that a chord is found by mir_eval's rule."""
    intervals, names = columns(truth)
    estimate = mir_eval.util.adjust_intervals(*columns(found), intervals.min(), intervals.max())
    spans, wanted, given = mir_eval.util.merge_labeled_intervals(intervals, names, *estimate)
    lengths = mir_eval.util.intervals_to_durations(spans)
    return float(mir_eval.chord.weighted_accuracy(rule(wanted, given), lengths))


def columns(chords: Chords) -> tuple[FloatArray, list[str]]:
    """Intervals and labels, as mir_eval has them."""
    return np.array([(chord.start_s, chord.end_s) for chord in chords]), labels(chords)

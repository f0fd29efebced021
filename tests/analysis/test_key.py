import numpy as np
import pytest
from tests.analysis.tones import heard, heard_of, noise, played, strokes, tone

from unbraid.analysis.chords import find_chords
from unbraid.analysis.hearing import Hearing
from unbraid.analysis.key import find_key
from unbraid.demo import DemoSong
from unbraid.spelling import Mode, pitch_class
from unbraid.types import Key

PROGRESSIONS: dict[Mode, list[tuple[int, ...]]] = {  # I vi IV V I; i VI iv V i, in C
    "major": [(60, 64, 67), (57, 60, 64), (53, 57, 60), (55, 59, 62), (60, 64, 67)],
    "minor": [(60, 63, 67), (56, 60, 63), (53, 56, 60), (55, 59, 62), (60, 63, 67)],
}


def transposed(mode: Mode, semitones: int) -> list[list[int]]:
    return [[pitch + semitones for pitch in chord] for chord in PROGRESSIONS[mode]]


def key_of(song: Hearing) -> Key | None:
    return find_key(song, find_chords(song))


@pytest.mark.parametrize("semitones", range(-6, 6))
@pytest.mark.parametrize("mode", PROGRESSIONS)
def test_a_progression_has_its_key(mode: Mode, semitones: int) -> None:
    key = key_of(heard(other=played(transposed(mode, semitones), 1.5)))
    assert key is not None
    assert (pitch_class(key.tonic), key.mode) == (semitones % 12, mode)
    assert key.confidence > 0.5
    assert [(s.tonic, s.mode) for s in key.segments] == [(key.tonic, key.mode)]


def test_a_song_in_a_tuning_of_its_own_has_the_key_it_is_played_in() -> None:
    detuned = [[pitch + 0.4 for pitch in chord] for chord in PROGRESSIONS["minor"]]
    key = key_of(heard(other=played(detuned, 1.5)))
    assert key is not None
    assert key.name == "C minor"


def test_a_song_that_changes_its_key_is_followed() -> None:
    chords = 3 * transposed("major", 0) + 2 * transposed("major", 3)
    key = key_of(heard(other=played(chords, 1.5)))
    assert key is not None
    assert key.name == "C major"
    first, second = key.segments
    assert (first.tonic, second.tonic, second.mode) == ("C", "Eb", "major")
    assert (first.start_s, second.end_s) == (0, 37.5)
    assert first.end_s == second.start_s == pytest.approx(22.5, abs=0.5)


def test_a_borrowed_chord_changes_no_key() -> None:
    chords = [*2 * transposed("major", 0), (56, 60, 63), (58, 62, 65), *transposed("major", 0)]
    key = key_of(heard(other=played(chords, 1.5)))
    assert key is not None
    assert [segment.tonic for segment in key.segments] == ["C"]


@pytest.mark.parametrize(
    ("stem", "samples"),
    [
        ("other", noise(5)),
        ("other", 0.01 * noise(5)),
        ("other", strokes(5)),
        ("vocals", tone(57, 5)),
        ("other", tone(57, 5)),
    ],
)
def test_what_has_no_key_is_not_given_one_with_confidence(stem: str, samples: np.ndarray) -> None:
    key = key_of(heard(**{stem: samples}))
    assert key is None or key.confidence < 0.35


@pytest.mark.parametrize("duration_s", [0.1, 5.0])
def test_silence_has_no_key(duration_s: float) -> None:
    assert key_of(heard(other=0 * noise(duration_s))) is None


def test_drums_alone_have_no_key() -> None:
    assert key_of(heard(drums=strokes(5))) is None


def test_alternatives_are_fewer_and_less_likely() -> None:
    key = key_of(heard(other=played(PROGRESSIONS["major"], 1.5)))
    assert key is not None
    others = [other.name for other in key.alternatives]
    confidences = [key.confidence, *(other.confidence for other in key.alternatives)]
    assert {"A minor", "C minor"} <= set(others)
    assert key.name not in others
    assert confidences == sorted(confidences, reverse=True)
    assert sum(confidences) <= 1


@pytest.mark.parametrize(
    ("tonic", "mode", "relative", "parallel", "sharps", "camelot"),
    [
        ("C", "major", "A minor", "C minor", 0, "8B"),
        ("A", "minor", "C major", "A major", 0, "8A"),
        ("F#", "major", "D# minor", "F# minor", 6, "2B"),
        ("Eb", "major", "C minor", "D# minor", -3, "5B"),
        ("Bb", "minor", "Db major", "Bb major", -5, "3A"),
    ],
)
def test_a_key_knows_its_neighbours(
    tonic: str, mode: Mode, relative: str, parallel: str, sharps: int, camelot: str
) -> None:
    key = Key(tonic, mode, confidence=1)
    assert (key.relative, key.parallel) == (relative, parallel)
    assert (key.sharps, key.camelot) == (sharps, camelot)


def test_the_key_of_the_demo_song_is_found(demo: DemoSong) -> None:
    key = key_of(heard_of(demo.stems))
    assert key is not None
    assert key.name == demo.key
    assert key.confidence > 0.7

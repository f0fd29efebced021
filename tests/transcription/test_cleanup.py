from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbraid.errors import InputError
from unbraid.transcription import transcribe_blocks
from unbraid.transcription.cleanup import clean_notes
from unbraid.types import CleanupOptions, NoteEvent

USUAL = CleanupOptions()
NOTHING = CleanupOptions(ghost_level=0, ghost_db=1000, echo_level=0, join_splits=False)


def note(start_s: float, end_s: float, pitch: int, amplitude: float = 0.6) -> NoteEvent:
    return NoteEvent(start_s, end_s, pitch, amplitude)


TUNE = [note(0, 0.5, 60), note(0.5, 1, 64, 0.5), note(1, 2, 67, 0.7), note(1, 2, 72, 0.7)]


def test_a_tune_stays_as_it_is() -> None:
    assert clean_notes(reversed(TUNE), USUAL) == TUNE
    assert clean_notes([], USUAL) == []


def test_weak_notes_are_ghosts() -> None:
    assert clean_notes([*TUNE, note(1.5, 1.7, 63, 0.2)], USUAL) == TUNE


def test_notes_where_the_stem_is_soft_are_ghosts() -> None:
    loud = [replace(each, level_db=-20) for each in TUNE]
    soft = replace(note(3, 4, 61), level_db=-40)
    assert clean_notes([*loud, soft], USUAL) == loud


def test_notes_of_a_stem_where_nobody_plays_are_left_of_others() -> None:
    left = [replace(each, level_db=-45) for each in TUNE]
    assert clean_notes(left, USUAL, song_db=-20) == []
    assert clean_notes(left, USUAL, song_db=-30) == left


@pytest.mark.parametrize("overtone", [12, 19, 24])
def test_weaker_overtones_of_what_sounds_are_echoes(overtone: int) -> None:
    echo = note(1.3, 1.6, 67 + overtone, 0.5)
    assert clean_notes([*TUNE, echo], USUAL) == TUNE
    early = note(0.97, 1.6, 67 + overtone, 0.5)
    assert clean_notes([*TUNE, early], USUAL) == TUNE
    later = note(2.1, 2.6, 67 + overtone, 0.5)
    assert clean_notes([*TUNE, later], USUAL) == [*TUNE, later]


def test_a_split_note_is_joined_and_a_repeated_one_is_not() -> None:
    first = replace(note(0, 0.3, 60), bends=(0.1,))
    rest = replace(note(0.31, 0.6, 60, 0.45), bends=(0.2,))
    again = note(0.61, 1, 60)
    joined = NoteEvent(0, 0.6, 60, 0.6, bends=(0.1, 0.2))
    assert clean_notes([first, rest, again], USUAL) == [joined, again]


def test_a_line_has_one_note_at_a_time() -> None:
    long = replace(note(0, 2, 40), bends=(0.0, 0.1, 0.2, 0.3))
    strong, weak, together = note(1, 2, 45), note(1.5, 1.8, 47, 0.3), note(1.02, 2, 52, 0.5)
    assert clean_notes([long, strong, weak, together], USUAL, monophonic=True) == [
        replace(long, end_s=1, bends=(0.0, 0.1)),
        strong,
    ]


def test_the_velocity_curve_lifts_soft_notes_before_the_softest_are_dropped() -> None:
    options = replace(NOTHING, velocity_curve=0.5, min_velocity=64)
    found = clean_notes([note(0, 1, 60, 0.25), note(1, 2, 60, 0.2)], options)
    assert [each.velocity for each in found] == [64]


@given(
    st.lists(
        st.builds(
            lambda start, length, pitch, amplitude: note(start, start + length, pitch, amplitude),
            st.floats(0, 5),
            st.floats(0.05, 2),
            st.integers(40, 80),
            st.floats(0.1, 1),
        ),
        max_size=15,
    )
)
def test_cleaning_invents_nothing(notes: list[NoteEvent]) -> None:
    assert clean_notes(notes, NOTHING) == sorted(notes, key=lambda n: (n.start_s, n.pitch))
    line = clean_notes(notes, USUAL, monophonic=True)
    known = {(each.start_s, each.pitch) for each in notes}
    assert {(each.start_s, each.pitch) for each in line} <= known
    assert all(each.end_s <= after.start_s for each, after in pairwise(line))


def test_a_note_knows_how_loud_it_is() -> None:
    time_s = np.arange(44_100) / 22_050
    tone = (np.where(time_s < 1, 0.1, 0) * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32)
    (heard,) = transcribe_blocks([tone[np.newaxis]], 22_050, threads=1)
    assert heard.level_db == pytest.approx(20 * np.log10(0.1 / 2**0.5), abs=0.5)


def test_options_that_make_no_sense_are_refused() -> None:
    for options in ({"ghost_db": -1}, {"min_velocity": 0}, {"velocity_curve": 0}):
        with pytest.raises(InputError):
            CleanupOptions(**options)  # type: ignore[arg-type]

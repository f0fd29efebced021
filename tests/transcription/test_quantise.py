import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbraid.errors import InputError
from unbraid.transcription.quantise import quantise_notes, quantise_strokes, quantised_s
from unbraid.types import BeatGrid, DrumStroke, NoteEvent, QuantiseOptions


def drifting(metre: str = "4/4") -> BeatGrid:
    """Beats from 100 to 140 a minute, the second of which begins a bar."""
    beats_s = 0.4 + (60 / np.linspace(100, 140, 64)).cumsum()
    return BeatGrid(tuple(beats_s.tolist()), 1, metre, confidence=1.0)  # type: ignore[arg-type]


@pytest.mark.parametrize(("grid", "steps"), [("1/4", 1), ("1/8", 2), ("1/16", 4), ("1/32", 8)])
def test_played_notes_return_to_the_steps_of_a_drifting_tempo(grid: str, steps: int) -> None:
    beats = drifting()
    written_s = [beats.seconds(k / steps) for k in range(-1, 50 * steps)]
    late_s = np.random.default_rng(0).uniform(-0.02, 0.02, len(written_s))
    notes = [
        NoteEvent(time_s + late, time_s + late + 0.1, 60, 0.5)
        for time_s, late in zip(written_s, late_s.tolist(), strict=True)
    ]
    moved = quantise_notes(notes, beats, QuantiseOptions(grid))  # type: ignore[arg-type]
    assert [note.start_s for note in moved] == pytest.approx(written_s, abs=1e-9)
    assert [note.end_s - note.start_s for note in moved] == pytest.approx([0.1] * len(notes))


def test_triplets_and_beats_of_three_eighths() -> None:
    beats = drifting()
    third_s = beats.seconds(5 + 1 / 3)
    assert quantised_s(third_s + 0.01, beats, QuantiseOptions("1/8T")) == pytest.approx(third_s)
    compound = drifting("6/8")
    for grid, parts in (("1/8", 3), ("1/16", 6)):
        step_s = compound.seconds(4 + 1 / parts)
        options = QuantiseOptions(grid)  # type: ignore[arg-type]
        assert quantised_s(step_s + 0.01, compound, options) == pytest.approx(step_s)


def test_swing_makes_the_second_step_late() -> None:
    beats = drifting()
    late_s = beats.seconds(3 + (1 + 1 / 3) / 2)
    options = QuantiseOptions("1/8", swing=1 / 3)
    assert quantised_s(late_s - 0.03, beats, options) == pytest.approx(late_s)
    on_beat_s = beats.seconds(4)
    assert quantised_s(on_beat_s + 0.03, beats, options) == pytest.approx(on_beat_s)
    between = QuantiseOptions("1/16", swing=1 / 3, swing_grid="1/8")
    between_s = beats.seconds(3 + (1 + 1 / 3) / 4)
    assert quantised_s(between_s + 0.01, beats, between) == pytest.approx(between_s)


@given(st.floats(1, 40), st.floats(0, 1), st.floats(0, 0.7))
def test_strength_is_the_part_of_the_way(time_s: float, strength: float, swing: float) -> None:
    full, part = (
        quantised_s(time_s, drifting(), QuantiseOptions("1/16", each, swing))
        for each in (1.0, strength)
    )
    assert part == pytest.approx(time_s + strength * (full - time_s))
    assert quantised_s(full, drifting(), QuantiseOptions("1/16", 1.0, swing)) == pytest.approx(full)


def test_strokes_that_meet_become_one() -> None:
    strokes = [
        DrumStroke(0.99, "kick", 0.4),
        DrumStroke(1.0, "snare", 0.5),
        DrumStroke(1.02, "kick", 0.9),
    ]
    beats = BeatGrid((0.0, 0.5, 1.0), 0, "4/4", confidence=1.0)
    assert quantise_strokes(strokes, beats, QuantiseOptions()) == [
        DrumStroke(1.0, "kick", 0.9),
        DrumStroke(1.0, "snare", 0.5),
    ]


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(InputError, match="per cent"):
        QuantiseOptions(swing=20)
    with pytest.raises(InputError, match="triplets"):
        QuantiseOptions("1/8T", swing=0.2)
    with pytest.raises(InputError, match="strength"):
        QuantiseOptions(strength=-0.1)

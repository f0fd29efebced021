import numpy as np
import pytest

from unbraid.export.rhythm import Figure, Played, Steps, figures, struck_figures

STRAIGHT = [(0,), (0, 6), (0, 3, 6, 9), (0, 9), (0, 6, 9), (6,), (3, 6)]
TRIPLETS = [(0, 4, 8), (0, 8), (4, 8), (0, 4)]


def song(bars: list[tuple[int, ...]], quarters: int = 400) -> list[int]:
    """Where notes begin in quarters drawn from some rhythms."""
    rng = np.random.default_rng(1)
    return [12 * k + tick for k in range(quarters) for tick in bars[rng.integers(len(bars))]]


@pytest.mark.parametrize("rhythms", [STRAIGHT, TRIPLETS])
def test_rhythms_are_found_though_players_are_20_ms_off(rhythms: list[tuple[int, ...]]) -> None:
    truth = song(rhythms)
    off = np.random.default_rng(2).normal(0, 0.02 * 12 * 100 / 60, len(truth))  # at 100 a minute
    starts = (truth + off).tolist()
    steps = Steps.of(starts, "4/4")
    wrong = np.mean([steps.at(start) != tick for start, tick in zip(starts, truth, strict=True)])
    assert wrong < 0.02


def test_a_triplet_among_sixteenths_is_found() -> None:
    starts = [*song(STRAIGHT, 8), *(96 + tick for tick in (0, 4, 8))]
    assert Steps.of(starts, "4/4").triplets == {8}


def test_six_eight_has_no_triplets() -> None:
    assert Steps.of([0, 4, 8], "6/8").triplets == frozenset()


@pytest.mark.parametrize(
    ("end", "after", "written"),
    [
        (5.8, 6, 6),  # as it was played
        (3.0, 6, 6),  # a sixteenth's rest is not written
        (17.5, 48, 18),
        (22.0, 48, 24),
        (0.5, 48, 6),  # short notes are eighths
        (0.5, 3, 3),  # but not into the next
        (30.0, 12, 12),  # nor are long ones
        (100.0, None, 102),
    ],
)
def test_notes_end_where_it_can_be_read(end: float, after: int | None, written: int) -> None:
    assert Steps().end(0, end, after) == written


def test_notes_that_begin_together_are_a_chord_until_the_next_begin() -> None:
    notes = [Played(0.2, 20, 60), Played(-0.3, 30, 64), Played(0, 5, 64), Played(12, 24, 67)]
    assert figures(notes, Steps()) == [Figure(0, 12, (60, 64)), Figure(12, 24, (67,))]


def test_a_grace_note_is_no_chord() -> None:
    notes = [Played(-1.4, 0.3, 61), Played(0.4, 12, 60)]
    assert figures(notes, Steps()) == [Figure(0, 12, (60,))]


def test_strokes_last_until_the_next_or_the_end_of_their_beat() -> None:
    strokes = [Played(tick, tick, 38) for tick in (0, 3, 15, 48)]
    assert struck_figures(strokes, Steps(), beat=12) == [
        Figure(0, 3, (38,)),
        Figure(3, 12, (38,)),
        Figure(15, 24, (38,)),
        Figure(48, 60, (38,)),
    ]

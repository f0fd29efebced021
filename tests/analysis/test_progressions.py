import numpy as np
import pytest

from unbraid.analysis.progressions import Chord, key_odds

TURNS: dict[str, list[Chord]] = {  # in C, a bar each
    "I V vi IV": [(0, "maj", 1), (7, "maj", 1), (9, "min", 1), (5, "maj", 1)],
    "ii V I": [(2, "min7", 1), (7, "7", 1), (0, "maj7", 2)],
    "i bVII bVI V7": [(0, "min", 1), (10, "maj", 1), (8, "maj", 1), (7, "7", 1)],
    "i iv V7 i": [(0, "min", 1), (5, "min", 1), (7, "7", 1), (0, "min", 1)],
}


@pytest.mark.parametrize("turn", TURNS)
def test_usual_turns_have_their_key(turn: str) -> None:
    odds = key_odds(4 * TURNS[turn])
    assert odds.argmax() == (12 if turn.startswith("i ") else 0)


def test_a_transposed_progression_is_in_the_transposed_key() -> None:
    odds = key_odds(TURNS["I V vi IV"])
    moved = key_odds(
        [((root + 5) % 12, quality, bars) for root, quality, bars in TURNS["I V vi IV"]]
    )
    assert moved == pytest.approx(np.roll(odds.reshape(2, 12), 5, axis=1).ravel(), abs=1e-4)


def test_a_chord_that_is_told_in_parts_is_one() -> None:
    whole, parts = [(0, "maj", 2.0), (7, "maj", 2.0)], [(0, "maj", 1.0)] * 2 + [(7, "maj", 1.0)] * 2
    assert key_odds(parts) == pytest.approx(key_odds(whole))

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from train.drums import Heard, hear_kit, kept

from unbraid.transcription.drums import KINDS

SEED = 10_001


@pytest.fixture(scope="module")
def kit() -> Heard:
    return hear_kit(SEED, None)


def test_what_is_struck_is_true_of_the_nearest_moment(kit: Heard) -> None:
    example = kit.example(kit.true, kit.song)
    kicks_s = kit.times_s[kit.words == "kick"]
    found_s = example.moments.times_s[example.truth[:, KINDS.index("kick")] == 1]
    assert len(kicks_s) > 0
    np.testing.assert_allclose(found_s, kicks_s, atol=0.03)


def test_what_a_song_adds_lies_over_the_strokes_of_a_kit(kit: Heard) -> None:
    loud = np.full_like(kit.true, -3.0)
    nothing, hum = (replace(kit, separated=own, song=own) for own in (kit.true, loud))
    rng = np.random.default_rng(0)
    alone, through = (kit.with_added(other, rng) for other in (nothing, hum))
    before = kit.example(kit.true, kit.true)
    np.testing.assert_array_equal(alone.moments.frames, before.moments.frames)
    assert len(through.moments) < len(alone.moments)


def test_what_was_heard_is_not_heard_again(kit: Heard, tmp_path: Path) -> None:
    kept(tmp_path / "kit.npz", lambda: kit)
    again = kept(tmp_path / "kit.npz", lambda: pytest.fail("heard again"))
    np.testing.assert_array_equal(again.true, kit.true)
    assert again.words.tolist() == kit.words.tolist()

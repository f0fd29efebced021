import numpy as np
import pytest

from unbraid.analysis.activity import Activity, Span
from unbraid.types import Samples

RATE = 44_100


def part(*levels: float, seed: int = 0) -> Samples:
    """Noise that changes its level every second, float32 [2, time]."""
    noise = np.random.default_rng(seed).standard_normal((2, len(levels) * RATE))
    return np.asarray(noise * np.repeat(levels, RATE), np.float32)


def heard(samples: Samples, block: int = RATE) -> Activity:
    activity = Activity(RATE)
    for start in range(0, samples.shape[1], block):
        activity.push(samples[:, start : start + block])
    return activity


def spans(samples: Samples, song: Samples) -> tuple[Span, ...]:
    return heard(samples).spans(of=heard(song))


def test_a_part_sounds_where_it_is_near_its_loudest() -> None:
    voice = part(0, 0, 0.1, 0.05, 0.0001, 0, 0.1, 0)
    assert spans(voice, voice + part(*[0.1] * 8, seed=1)) == ((2.0, 4.0), (6.0, 7.0))


def test_a_breath_does_not_interrupt_a_part() -> None:
    voice = part(0.1, 0.1, 0.1)
    voice[:, RATE : RATE + RATE // 2] = 0
    assert spans(voice, voice) == ((0.0, 3.0),)


@pytest.mark.parametrize("level", [0.0, 0.0005, 0.002])
def test_silence_and_bleed_do_not_sound(level: float) -> None:
    song = part(0.1, 0.1, 0.1)
    assert spans(part(level, level, level), song) == ()
    assert spans(song[:, :0], song) == ()


@pytest.mark.parametrize("block", [1000, 4410, 100_000])
def test_blocks_of_any_length_give_the_same(block: int) -> None:
    voice = part(0.1, 0, 0, 0.1)
    assert heard(voice, block).spans(of=heard(voice)) == ((0.0, 1.0), (3.0, 4.0))

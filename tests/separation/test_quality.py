from functools import partial

import numpy as np
import pytest

from unbraid.demo import DemoSong
from unbraid.separation.quality import EXCERPT_S, EXCERPTS, Quality, Signs, judge, measure, score
from unbraid.types import Samples, StemName

RATE = 44_100
LENGTH = 8 * RATE
STEMS = ("vocals", "drums", "bass", "other")


@pytest.fixture(scope="module")
def truth(demo: DemoSong) -> Samples:
    """True stems, float32 [stem, 2, time]."""
    return np.stack([demo.stems[name].samples[:, :LENGTH] for name in STEMS])


def read(samples: Samples, start: int, stop: int) -> Samples:
    return samples[:, start:stop]


def judged(mixture: Samples, stems: dict[StemName, Samples], rate: int = RATE) -> Quality:
    reads = {name: partial(read, stem) for name, stem in stems.items()}
    return judge(partial(read, mixture), reads, mixture.shape[1], rate, threads=1)


def named(stems: Samples) -> dict[StemName, Samples]:
    return dict(zip(STEMS, stems, strict=True))


def bled(truth: Samples, part: float) -> Samples:
    """Each stem with a part of the mean of the others in the place of itself."""
    others = (truth.sum(axis=0) - truth) / (len(truth) - 1)
    mixed: Samples = ((1 - part) * truth + part * others).astype(np.float32)
    return mixed


def test_the_more_bleeds_the_lower_the_score(truth: Samples) -> None:
    mixture = truth.sum(axis=0)
    levels = [judged(mixture, named(bled(truth, part))) for part in (0, 0.1, 0.3, 0.6)]
    for name in STEMS:
        scores = [level.stems[name] or 0 for level in levels]
        assert scores == sorted(scores, reverse=True)
        assert scores[0] > 0.7
        assert scores[-1] < 0.5
    assert levels[0].whole == pytest.approx(np.mean(list(levels[0].stems.values())), abs=1e-3)


def test_stems_that_changed_places_are_bad(truth: Samples) -> None:
    right, wrong = (judged(truth.sum(axis=0), named(each)) for each in (truth, truth[[1, 2, 3, 0]]))
    assert right.whole is not None
    assert wrong.whole is not None
    assert wrong.whole < right.whole - 0.1


def test_coherence_is_the_energy_ratio_of_a_leak() -> None:
    rng = np.random.default_rng(0)
    soft, loud = rng.standard_normal((2, 2, 4 * RATE)) * np.reshape([0.01, 0.1], (2, 1, 1))
    mixture = (soft + loud).astype(np.float32)
    stem = (soft + 0.05 * loud).astype(np.float32)  # a leak of a fifth of its energy
    signs = measure(partial(read, mixture), {"vocals": partial(read, stem)}, 4 * RATE, RATE)
    assert signs["vocals"]
    assert signs["vocals"].coherence_db == pytest.approx(10 * np.log10(5), abs=0.5)


def test_silence_has_no_score(truth: Samples) -> None:
    silence = np.zeros_like(truth)
    quality = judged(silence[0], named(silence))
    assert quality == Quality(None, dict.fromkeys(STEMS))
    assert not quality.warnings
    part = judged(truth[1], {"vocals": silence[0], "drums": truth[1]})
    assert part.stems["vocals"] is None
    assert part.whole == part.stems["drums"]


@pytest.mark.parametrize("length", [1, 100, 5000, RATE])
def test_very_short_stems_have_a_score(length: int) -> None:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (2, length)).astype(np.float32)
    half: Samples = (noise / 2).astype(np.float32)
    quality = judged(noise, {"vocals": half, "other": half})
    assert all(0 <= (each or 0) <= 1 for each in quality.stems.values())
    assert None not in quality.stems.values()


def test_mono_music_and_other_rates_are_judged(truth: Samples) -> None:
    mono = np.repeat(truth.mean(axis=1, keepdims=True), 2, axis=1).astype(np.float32)
    quality = judged(mono.sum(axis=0), named(mono), rate=48_000)
    assert quality.whole is not None
    assert quality.whole > 0.6


def test_stems_of_other_names_are_judged(truth: Samples) -> None:
    voice: Samples = truth[0]
    band: Samples = truth[1:].sum(axis=0)
    song: Samples = voice + band
    good = judged(song, {"vocals": voice, "instrumental": band})
    part = judged(song, {"vocals": voice})
    assert good.stems["instrumental"] is not None
    assert good.stems["instrumental"] > 0.6
    assert part.stems["vocals"] == good.stems["vocals"]


def test_the_score_is_the_same_every_time(truth: Samples) -> None:
    stems = named(bled(truth, 0.2))
    assert judged(truth.sum(axis=0), stems) == judged(truth.sum(axis=0), stems)


def test_no_more_than_an_excerpt_is_read_at_once() -> None:
    longest = 0
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 10 * RATE)).astype(np.float32)

    def endless(start: int, stop: int) -> Samples:
        nonlocal longest
        longest = max(longest, stop - start)
        return np.take(noise, range(start, stop), axis=1, mode="wrap")

    done: list[float] = []
    judge(endless, {"vocals": endless}, 100 * RATE, RATE, on_progress=done.append)
    assert longest == EXCERPT_S * RATE
    assert done[-1] == EXCERPTS * EXCERPT_S


def test_three_decibels_are_half_of_the_scale() -> None:
    assert score(3) == 0.5
    assert score(-20) < 0.01
    assert score(40) > 0.99


def test_better_signs_never_lower_the_score() -> None:
    poor, good = Signs(0, 0), Signs(20, 10)
    assert score(poor.sdr_db) < 0.5 < score(good.sdr_db)


def test_bad_stems_are_named() -> None:
    warnings = Quality(0.5, {"vocals": 0.31, "drums": 0.7, "bass": None}).warnings
    assert warnings == ("vocals may hold other parts (quality 0.31)",)

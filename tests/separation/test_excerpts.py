import numpy as np

from unbraid.separation.excerpts import Loudness
from unbraid.types import Read, Samples

RATE = 100


def reader(samples: Samples) -> Read:
    return lambda start, stop: samples[:, start:stop]


def test_a_short_song_is_heard_whole() -> None:
    samples = np.ones((2, 1250), np.float32)
    found = list(Loudness.of([reader(samples)], 1250, RATE).excerpts(4, 6))
    assert found == [(0, 400), (400, 800), (800, 1250)]


def test_excerpts_are_taken_where_all_stems_sound() -> None:
    voice, band = np.zeros((2, 2, 10_000), np.float32)
    band[:] = 0.5
    for second in (12, 40, 60, 90):  # of a hundred
        voice[:, second * RATE : (second + 3) * RATE] = 0.01
    found = list(Loudness.of([reader(voice), reader(band)], 10_000, RATE).excerpts(4, 6))
    assert [stop - start for start, stop in found] == [600] * 4
    for second, (start, stop) in zip((12, 40, 60, 90), found, strict=True):
        assert start <= second * RATE
        assert (second + 3) * RATE <= stop


def test_peaks_are_those_of_the_whole_song() -> None:
    samples = np.zeros((2, 1000), np.float32)
    samples[1, 999] = -0.75
    silence = np.zeros_like(samples)
    assert Loudness.of([reader(samples), reader(silence)], 1000, RATE).peaks == (0.75, 0.0)

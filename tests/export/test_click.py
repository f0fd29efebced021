from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import soundfile
from tests.export.probing import probed

from unbraid.errors import InputError
from unbraid.export.click import write_click
from unbraid.export.levels import BLOCK
from unbraid.types import BeatGrid, Metre, Samples

RATE = 44_100
RUBATO = 0.7 + np.random.default_rng(1).uniform(0.35, 0.9, 30).cumsum()


def grid(metre: Metre = "4/4", first_downbeat: int = 2) -> BeatGrid:
    return BeatGrid(tuple(RUBATO.tolist()), first_downbeat, metre, confidence=1.0)


def clicked(samples: Samples) -> tuple[list[int], list[float]]:
    """Where sound begins after silence, and how loud it is there."""
    sounding = np.abs(samples) > 1e-6
    quiet = np.convolve(sounding, np.ones(100), "full")[: len(samples)] - sounding == 0
    (begins,) = np.nonzero(sounding & quiet)
    return begins.tolist(), [float(np.abs(samples[at : at + 20]).max()) for at in begins]


@pytest.mark.parametrize("format", ["wav", "flac"])
def test_beats_click_when_they_are_and_downbeats_louder(
    tmp_path: Path, format: Literal["wav", "flac"]
) -> None:
    path = tmp_path / f"click.{format}"
    length = round(RUBATO[-1] * RATE) + 10  # the last click is cut, one lies across two blocks
    shift_s = (BLOCK - 300) / RATE - RUBATO[8]
    beats = BeatGrid(tuple((RUBATO + shift_s).tolist()), 2, "4/4", confidence=1.0)
    assert write_click(path, beats, length, RATE, format=format) == 0
    samples, rate = soundfile.read(path, dtype="float32")
    assert (rate, len(samples)) == (RATE, length)
    begins, levels = clicked(samples)
    np.testing.assert_allclose(begins, RATE * np.array(beats.beats_s)[: len(begins)], atol=1)
    assert len(begins) >= 28
    loud = [level > 0.6 for level in levels]
    assert loud == [beat % 4 == 2 for beat in range(len(begins))]


def test_six_eight_has_soft_clicks_between_beats(tmp_path: Path) -> None:
    path = tmp_path / "click.wav"
    write_click(path, grid("6/8", 1), 20 * RATE, RATE)
    begins, levels = clicked(soundfile.read(path, dtype="float32")[0])
    eighths = np.interp(np.arange(len(begins)) / 3, np.arange(len(RUBATO)), RUBATO)
    np.testing.assert_allclose(begins, RATE * eighths, atol=1)
    assert [round(level, 1) for level in levels[:9]] == [
        0.5,
        0.2,
        0.2,
        0.8,
        0.2,
        0.2,
        0.5,
        0.2,
        0.2,
    ]


def test_a_bar_is_counted_in_before_the_song(tmp_path: Path) -> None:
    path = tmp_path / "click.wav"
    lead_s = write_click(path, grid(), 20 * RATE, RATE, count_in=True)
    assert lead_s == pytest.approx(4 * (RUBATO[1] - RUBATO[0]) - RUBATO[0], abs=1 / RATE)
    samples, _ = soundfile.read(path, dtype="float32")
    assert len(samples) == 20 * RATE + round(lead_s * RATE)
    begins, levels = clicked(samples)
    times_s = np.array(begins) / RATE - lead_s
    np.testing.assert_allclose(times_s[4:], RUBATO[: len(begins) - 4], atol=1.5 / RATE)
    assert begins[0] == 0
    assert [level > 0.6 for level in levels[:7]] == [False, False, True, False, False, False, True]
    title = probed(path)["format"]["tags"]["title"]
    assert title == f"Click, begins {lead_s:.6f} s before the song"


def test_a_count_in_that_fits_into_the_song_makes_it_no_longer(tmp_path: Path) -> None:
    late = BeatGrid((3.0, 3.5, 4.0), 0, "4/4", confidence=1.0)
    path = tmp_path / "click.wav"
    assert write_click(path, late, 5 * RATE, RATE, count_in=True) == 0
    begins, _ = clicked(soundfile.read(path, dtype="float32")[0])
    np.testing.assert_allclose(begins, RATE * np.arange(1, 4.5, 0.5), atol=1)


def test_without_beats_there_is_no_click(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs beats, and none are known"):
        write_click(tmp_path / "click.wav", None, RATE, RATE)

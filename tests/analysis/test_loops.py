from pathlib import Path

import numpy as np
import pytest

from unbraid.analysis.beats import find_beats
from unbraid.analysis.hearing import hear
from unbraid.analysis.loops import find_loop
from unbraid.audio import load
from unbraid.types import BeatGrid, Samples

RATE = 44_100


def played(onsets_s: list[float], duration_s: float) -> Samples:
    samples = np.zeros((1, round(duration_s * RATE)), np.float32)
    for onset_s in onsets_s:
        start = round(onset_s * RATE)
        tone = np.sin(np.arange(9000) / 9) * np.exp(-np.arange(9000) / 3000)
        room = samples[0, start : start + len(tone)]
        room += tone[: len(room)].astype(np.float32)
    return samples


def loop_of(samples: Samples) -> BeatGrid | None:
    hearing = hear(lambda start, stop: samples[:, start:stop], {}, samples.shape[1], RATE)
    return find_loop(hearing)


@pytest.mark.parametrize(
    ("bpm", "beats", "metre"), [(90, 8, "4/4"), (127, 16, "4/4"), (97, 4, "4/4"), (139, 12, "3/4")]
)
def test_a_loop_has_the_tempo_of_its_length(bpm: int, beats: int, metre: str) -> None:
    beat_s = 60 / bpm
    grid = loop_of(played([beat_s * place for place in (0, 1.5, 2, 3)], beats * beat_s))
    assert grid is not None
    assert grid.tempo_bpm == pytest.approx(bpm, abs=0.05)
    assert grid.metre == metre
    assert (grid.first_downbeat, grid.beats_s[0], len(grid.beats_s)) == (0, 0.0, beats)
    assert grid.confidence < 0.5


@pytest.mark.parametrize("duration_s", [2.0, 5.0, 10.0, 5.331, 7.77, 64 / 3])
def test_other_lengths_tell_nothing(duration_s: float) -> None:
    onsets_s = [] if duration_s > 20 else [0.1, 0.8, 1.3]
    assert loop_of(played(onsets_s, duration_s)) is None


def test_a_recorded_loop_has_its_tempo(recordings: Path) -> None:
    song = load(recordings / "trumpet_loop_90bpm_f.ogg")
    hearing = hear(lambda a, b: song.samples[:, a:b], {}, song.length, song.sample_rate)
    rhythm = find_beats(hearing)
    assert rhythm.tempo.bpm == 90
    assert rhythm.tempo.confidence < 0.5

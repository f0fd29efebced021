from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile

from unbraid.analysis.beats import find_beats
from unbraid.analysis.hearing import Hearing, hear
from unbraid.analysis.onsets import FloatArray
from unbraid.demo import DemoSong
from unbraid.types import Read, Rhythm, Samples, StemName, Tempo

RATE = 22050
CLICK = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(600) / RATE) * np.hanning(1200)[600:]
THUD = 0.9 * np.sin(2 * np.pi * 90 * np.arange(2000) / RATE) * np.hanning(4000)[2000:]
HAT = 0.15 * np.random.default_rng(1).standard_normal(600) * np.hanning(1200)[600:]
SNARE = 0.5 * np.random.default_rng(2).standard_normal(2000) * np.hanning(4000)[2000:]
NEAR_S = 0.02
STEMS: tuple[StemName, ...] = ("vocals", "drums", "bass", "other")
NO_BEATS = Rhythm(Tempo(None, False, False, 0.0, ()), None)


def strokes(sound: FloatArray, at_s: FloatArray, duration_s: float) -> Samples:
    samples = np.zeros((1, int(duration_s * RATE)), np.float32)
    for start in np.round(at_s * RATE).astype(int):
        room = samples[0, start : start + len(sound)]
        room += sound[: len(room)].astype(np.float32)
    return samples


def reader(samples: Samples) -> Read:
    return lambda start, stop: samples[:, start:stop]


def listen(
    samples: Samples, rate: int = RATE, stems: Mapping[StemName, Samples] | None = None
) -> Hearing:
    parts = {name: reader(each) for name, each in (stems or {}).items()}
    return hear(reader(samples), parts, samples.shape[1], rate)


def groove(
    beats_s: FloatArray, beats_per_bar: int, parts: int, first_downbeat: int = 0
) -> tuple[Samples, dict[StemName, Samples]]:
    """Kick and bass on downbeats, snare on the answers, cymbals between; a chord for each bar."""
    duration_s = float(beats_s[-1]) + 1.0
    places = np.arange(len(beats_s)) - first_downbeat
    downbeats_s = beats_s[places % beats_per_bar == 0]
    answers_s = beats_s[np.isin(places % beats_per_bar, (1, 3) if beats_per_bar != 3 else (1, 2))]
    cymbals_s = np.interp(
        np.arange((len(beats_s) - 1) * parts + 1) / parts, np.arange(len(beats_s)), beats_s
    )
    drums = (
        strokes(THUD, downbeats_s, duration_s)
        + strokes(SNARE, answers_s, duration_s)
        + strokes(HAT, cymbals_s, duration_s)
    )
    bass, other = np.zeros_like(drums), np.zeros_like(drums)
    for bar, downbeat_s in enumerate(downbeats_s):
        root = 110 * 2 ** ((0, -4, -7, -2)[bar % 4] / 12)
        bar_s = beats_per_bar * float(np.median(np.diff(beats_s)))
        bass += strokes(tone(root, bar_s), np.array([downbeat_s]), duration_s)
        for interval in (12, 16, 19):
            third = tone(root * 2 ** (interval / 12), bar_s)
            other += strokes(third, np.array([downbeat_s]), duration_s)
    stems = {"drums": drums, "bass": bass, "other": other, "vocals": np.zeros_like(drums)}
    return drums + bass + other, stems


def tone(hertz: float, duration_s: float) -> FloatArray:
    time_s = np.arange(round(0.95 * duration_s * RATE)) / RATE
    return 0.1 * np.sin(2 * np.pi * hertz * time_s) * np.exp(-time_s)


def rhythm_of_groove(
    beats_s: FloatArray, beats_per_bar: int = 4, parts: int = 2, first_downbeat: int = 0
) -> Rhythm:
    mixture, stems = groove(beats_s, beats_per_bar, parts, first_downbeat)
    return find_beats(listen(mixture, stems=stems))


@pytest.mark.parametrize("bpm", [72, 80, 90, 100, 112, 120, 128, 140, 150, 165])
def test_a_metronome_has_its_tempo(bpm: int) -> None:
    clicks_s = np.arange(0.2, 19.5, 60 / bpm)
    rhythm = find_beats(listen(strokes(CLICK, clicks_s, 20)))
    assert rhythm.tempo.bpm == bpm
    assert rhythm.tempo.steady
    assert not rhythm.tempo.rubato
    assert rhythm.tempo.confidence > 0.4
    assert rhythm.grid is not None
    np.testing.assert_allclose(rhythm.grid.beats_s, clicks_s, atol=NEAR_S)


@pytest.mark.parametrize(("true_bpm", "bpm"), [(97.6, 97.6), (121.2, 121), (83.5, 83.5)])
def test_a_tempo_that_is_nearly_whole_is_whole(true_bpm: float, bpm: float) -> None:
    rhythm = find_beats(listen(strokes(CLICK, np.arange(0.2, 29.5, 60 / true_bpm), 30)))
    assert rhythm.tempo.bpm == bpm


@pytest.mark.parametrize("bpm", [84, 104, 126, 148])
def test_a_groove_in_four_has_its_bars(bpm: int) -> None:
    beats_s = np.arange(0.3, 30, 60 / bpm)
    rhythm = rhythm_of_groove(beats_s)
    assert rhythm.tempo.bpm == bpm
    assert rhythm.grid is not None
    assert rhythm.grid.metre == "4/4"
    np.testing.assert_allclose(rhythm.grid.downbeats_s[:4], beats_s[:16:4], atol=NEAR_S)


@pytest.mark.parametrize("bpm", [104, 132])
def test_a_waltz_has_three_beats_to_the_bar(bpm: int) -> None:
    beats_s = np.arange(0.3, 30, 60 / bpm)
    rhythm = rhythm_of_groove(beats_s, beats_per_bar=3)
    assert rhythm.grid is not None
    assert rhythm.grid.metre == "3/4"
    assert rhythm.tempo.bpm == bpm
    np.testing.assert_allclose(rhythm.grid.downbeats_s[:4], beats_s[:12:3], atol=NEAR_S)


def test_six_eight_has_two_dotted_beats_to_the_bar() -> None:
    beats_s = np.arange(0.3, 40, 60 / 62)
    rhythm = rhythm_of_groove(beats_s, beats_per_bar=2, parts=3)
    assert rhythm.grid is not None
    assert rhythm.grid.metre == "6/8"
    assert rhythm.tempo.bpm == 62


@pytest.mark.parametrize("pickup", [1, 2, 3])
def test_beats_before_the_first_bar_are_no_bar(pickup: int) -> None:
    beats_s = np.arange(0.3, 30, 60 / 116)
    rhythm = rhythm_of_groove(beats_s, first_downbeat=pickup)
    assert rhythm.grid is not None
    assert rhythm.grid.first_downbeat == pickup
    np.testing.assert_allclose(rhythm.grid.beats_s[:8], beats_s[:8], atol=NEAR_S)


def test_beats_follow_a_tempo_that_drifts() -> None:
    beats_s = 0.3 + np.cumsum(60 / np.linspace(100, 130, 64))
    rhythm = rhythm_of_groove(beats_s)
    assert rhythm.grid is not None
    np.testing.assert_allclose(rhythm.grid.beats_s[1:60], beats_s[1:60], atol=NEAR_S)
    assert not rhythm.tempo.steady
    assert not rhythm.tempo.rubato
    curve = [bpm for _, bpm in rhythm.tempo.curve]
    assert curve[4] == pytest.approx(102, abs=2)
    assert curve[-5] == pytest.approx(128, abs=2)


def test_beats_are_only_where_something_sounds() -> None:
    clicks_s = np.arange(8.0, 20.0, 60 / 110)
    rhythm = find_beats(listen(strokes(CLICK, clicks_s, 30)))
    assert rhythm.grid is not None
    np.testing.assert_allclose(rhythm.grid.beats_s, clicks_s, atol=NEAR_S)


@pytest.mark.parametrize("duration_s", [0.0, 0.01, 1.0, 2.0, 3.5])
def test_too_short_a_recording_has_no_beats(duration_s: float) -> None:
    clicks_s = np.arange(0, duration_s, 0.5)
    assert find_beats(listen(strokes(CLICK, clicks_s, duration_s))) == NO_BEATS


@pytest.mark.parametrize("duration_s", [5.0, 20.0])
def test_silence_has_no_beats(duration_s: float) -> None:
    silence = np.zeros((2, round(duration_s * RATE)), np.float32)
    assert find_beats(listen(silence)) == NO_BEATS
    assert find_beats(listen(silence, stems=dict.fromkeys(STEMS, silence))) == NO_BEATS


def test_a_long_note_has_no_beats() -> None:
    time_s = np.arange(20 * RATE) / RATE
    vibrato = 0.05 * np.sin(2 * np.pi * 5.5 * time_s)
    note = 0.3 * np.sin(2 * np.pi * 220 * time_s + vibrato) * np.minimum(1, 5 * time_s)
    assert find_beats(listen(note.astype(np.float32)[np.newaxis])) == NO_BEATS


@pytest.mark.parametrize("seed", range(4))
def test_noise_has_no_beats(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 0.1, (1, (8 + 12 * seed) * RATE))
    assert find_beats(listen(noise.astype(np.float32))) == NO_BEATS


def test_clicks_at_random_are_hardly_believed() -> None:
    def tempo(seed: int) -> Tempo:
        at_s = np.sort(np.random.default_rng(seed).uniform(0, 29.5, 75))
        return find_beats(listen(strokes(CLICK, at_s, 30))).tempo

    tempi = [tempo(seed) for seed in range(8)]
    assert sum(each.bpm is None for each in tempi) >= 6
    assert max(each.confidence for each in tempi) < 0.2


def test_the_demonstration_song_has_its_beats(demo: DemoSong) -> None:
    stems = {name: stem.samples for name, stem in demo.stems.items()}
    rhythm = find_beats(listen(demo.mixture.samples, demo.mixture.sample_rate, stems))
    assert rhythm.tempo.bpm == demo.tempo_bpm == 128
    assert rhythm.tempo.confidence > 0.8
    assert rhythm.grid is not None
    assert (rhythm.grid.metre, rhythm.grid.first_downbeat) == ("4/4", 2)
    count = len(demo.beats_s)
    np.testing.assert_allclose(rhythm.grid.beats_s[:count], demo.beats_s, atol=NEAR_S)


def test_the_demonstration_song_has_the_same_beats_without_its_stems(demo: DemoSong) -> None:
    rhythm = find_beats(listen(demo.mixture.samples, demo.mixture.sample_rate))
    assert rhythm.tempo.bpm == demo.tempo_bpm
    assert rhythm.grid is not None
    np.testing.assert_allclose(rhythm.grid.downbeats_s[:8], demo.downbeats_s[:8], atol=NEAR_S)


def test_a_steady_recording_has_the_tempo_that_one_taps(recordings: Path) -> None:
    samples, rate = soundfile.read(recordings / "vibe_ace.ogg", dtype="float32", always_2d=True)
    tempo = find_beats(listen(samples.T, rate)).tempo
    assert (tempo.bpm, tempo.steady) == (130, True)


def test_rubato_is_said_to_be_rubato(recordings: Path) -> None:
    file = recordings / "hungarian_dance_5.ogg"
    samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
    tempo = find_beats(listen(samples.T, rate)).tempo
    assert (tempo.bpm, tempo.rubato, tempo.steady) == (None, True, False)
    assert tempo.confidence < 0.5
    bpm = [bpm for _, bpm in tempo.curve]
    assert max(bpm) > 1.4 * min(bpm)

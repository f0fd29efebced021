"""Beats, bars and metre upon a pulse: which of its strokes are counted, and where one is.

Every grid of beats and bars that fits the pulse is judged by what begins on its downbeats, on the
beats that answer them, and between the beats, as in Goto, An Audio-based Real-time Beat Tracking
System for Music With or Without Drum-sounds (2001), and by how usual its tempo is. A small network
weighs these; `train.metre` fits it to composed songs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy

from unbraid.analysis.chroma import PitchClasses
from unbraid.analysis.hearing import ACCENTS, Hearing
from unbraid.analysis.onsets import FloatArray
from unbraid.analysis.pulse import Pulse, evened
from unbraid.inference import open_session
from unbraid.types import BEATS_PER_BAR, BeatGrid, Metre

NETWORK = Path(__file__).parents[1] / "data" / "metre.onnx"
INPUT, OUTPUT = "features", "odds"

TICKS = 12  # into which the time from one stroke of the pulse to the next is divided
BEAT_TICKS = (6, 8, 12, 18, 24, 36, 48)  # from half of the pulse to four of its strokes
TEMPI_BPM: dict[Metre, tuple[float, float]] = {"4/4": (52, 205), "3/4": (75, 210), "6/8": (38, 100)}
USUAL_BPM: dict[Metre, float] = {"4/4": 115.0, "3/4": 135.0, "6/8": 63.0}
SPREAD_OCTAVES: dict[Metre, float] = {"4/4": 0.45, "3/4": 0.35, "6/8": 0.3}
ANSWERS: dict[Metre, tuple[int, ...]] = {"4/4": (1, 3), "3/4": (1, 2), "6/8": (1,)}
OFF_BEATS: dict[Metre, tuple[float, ...]] = {
    "4/4": (1 / 2,),
    "3/4": (1 / 2,),
    "6/8": (1 / 3, 2 / 3),
}
FINEST: dict[Metre, tuple[float, ...]] = {
    "4/4": (1 / 4, 3 / 4),
    "3/4": (1 / 4, 3 / 4),
    "6/8": (1 / 6, 1 / 2, 5 / 6),
}

NEAR_S = 0.03
CHANGE_S = 0.8  # before and after a change of harmony
BASS_CHANGE_S = 0.5
AT_S = 0.05  # around the change that counts for neither side

SIGNS = (*ACCENTS[:-1], "harmony", "bass line", "all")
"""What speaks for a grid: accents, changes of the chord and of the bass, all onsets together."""
PLACES = (
    "downbeats, by the root of their rate",
    "answers",
    "off-beats",
    "beats",
    "between off-beats",
)


@dataclass(frozen=True)
class Grids:
    """All grids of one metre and tempo upon a pulse.

    Attributes:
        metre: the time signature.
        beat_ticks: length of a beat.
        offsets: ticks to the first downbeat [grid].
        bpm: beats per minute.
        signs: mean of each sign in each place [grid, sign, place].
    """

    metre: Metre
    beat_ticks: int
    offsets: FloatArray
    bpm: float
    signs: FloatArray

    def features(self) -> FloatArray:
        """What a grid is judged by [grid, feature]: signs by places, and what is usual."""
        bars_a_second = self.bpm / 60 / BEATS_PER_BAR[self.metre]
        octaves = np.log2(self.bpm / USUAL_BPM[self.metre]) / SPREAD_OCTAVES[self.metre]
        usual = [
            self.metre == "3/4",
            self.metre == "6/8",
            -(octaves**2),
            np.log(2 * bars_a_second),
            self.beat_ticks == TICKS,
        ]
        signs = self.signs.copy()
        signs[:, :, 0] *= np.sqrt(bars_a_second)  # as their evidence grows
        flat = signs.reshape(len(signs), -1)
        return np.concatenate([flat, np.tile(np.array(usual, float), (len(flat), 1))], axis=1)


def find_grid(hearing: Hearing, pulse: Pulse) -> BeatGrid | None:
    """Choose the beats and bars that the song's accents speak for.

    Args:
        hearing: the song.
        pulse: what to count along with.

    Returns:
        The beats, with the confidence that they are beats and not, say, every other one; None
        where the pulse is shorter than a bar.
    """
    grids = candidates(hearing, pulse)
    if not grids:
        return None
    features = np.concatenate([each.features() for each in grids]).astype(np.float32)
    (odds,) = open_session(NETWORK, 1).run([OUTPUT], {INPUT: features})
    sizes = [len(each.offsets) for each in grids]
    scores = np.split(np.asarray(odds, np.float64), np.cumsum(sizes)[:-1])
    best = max(range(len(grids)), key=lambda k: float(scores[k].max()))
    chosen, offset = grids[best], int(grids[best].offsets[scores[best].argmax()])
    first = offset % chosen.beat_ticks
    chances = scipy.special.softmax(np.concatenate(scores))
    alike = np.concatenate(
        [
            (each.beat_ticks == chosen.beat_ticks) & (each.offsets % each.beat_ticks == first)
            for each in grids
        ]
    )
    return BeatGrid(
        tuple(np.round(ticks_s(pulse)[first :: chosen.beat_ticks], 4).tolist()),
        offset // chosen.beat_ticks,
        chosen.metre,
        round(pulse.confidence * float(chances[alike].sum()), 3),
    )


def ticks_s(pulse: Pulse) -> FloatArray:
    """Times of the pulse and of the `TICKS` between its strokes."""
    strokes = len(pulse.times_s)
    places = np.arange((strokes - 1) * TICKS + 1) / TICKS
    return np.interp(places, np.arange(strokes), pulse.times_s)


def candidates(hearing: Hearing, pulse: Pulse) -> list[Grids]:
    """All grids that fit a pulse."""
    ticks = ticks_s(pulse)
    signs = _signs(hearing, ticks)
    stroke_s = float(np.mean(np.diff(pulse.times_s)))
    return [
        _grids(metre, beat, 60 * TICKS / (beat * stroke_s), signs)
        for metre, (slowest, fastest) in TEMPI_BPM.items()
        for beat in BEAT_TICKS
        if slowest <= 60 * TICKS / (beat * stroke_s) <= fastest
        and len(signs) >= beat * BEATS_PER_BAR[metre]
    ]


def _signs(hearing: Hearing, at_s: FloatArray) -> FloatArray:
    """What speaks for a grid, at some times [time, sign], each of mean 0 and variance 1."""
    onsets = np.stack([*hearing.accents[:-1], evened(hearing.strength, hearing.frame_rate)])
    reach = 2 * round(NEAR_S * hearing.frame_rate) + 1
    near = scipy.ndimage.maximum_filter1d(onsets, reach, axis=1)
    frames = np.round(at_s * hearing.frame_rate).astype(int).clip(max=near.shape[1] - 1)
    changes = [
        _change(pitches, at_s, around_s)
        for pitches, around_s in ((hearing.harmony, CHANGE_S), (hearing.bass, BASS_CHANGE_S))
    ]
    signs = np.stack([*near[:-1, frames], *changes, near[-1, frames]], axis=1)
    spread = signs.std(axis=0)
    return np.asarray((signs - signs.mean(axis=0)) / np.where(spread > 0, spread, 1))


def _change(pitches: PitchClasses, at_s: FloatArray, around_s: float) -> FloatArray:
    """How much the pitch classes after a time differ from those before, 0 to 1."""
    before = pitches.between(at_s - around_s, at_s - AT_S)
    after = pitches.between(at_s + AT_S, at_s + around_s)
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    return np.asarray(1 - (before * after).sum(axis=1) / np.maximum(lengths, 1e-9))


def _grids(metre: Metre, beat: int, bpm: float, signs: FloatArray) -> Grids:
    beats = BEATS_PER_BAR[metre]
    bar = beats * beat
    bars = len(signs) // bar
    profile = signs[: bars * bar].reshape(bars, bar, -1).mean(axis=0)
    ticks = np.arange(bar)
    offsets = ticks[(ticks % 4 == 0) | (ticks % 6 == 0)]

    def mean(places: Iterable[float]) -> FloatArray:
        """Of the signs at places in the bar, in beats [grid, sign]."""
        each = [profile[(offsets + round(place * beat)) % bar] for place in places]
        return np.asarray(np.mean(each, axis=0))

    def within(parts: Iterable[float]) -> list[float]:
        return [place + part for place in range(beats) for part in parts]

    places = [(0,), ANSWERS[metre], within(OFF_BEATS[metre]), range(beats), within(FINEST[metre])]
    return Grids(metre, beat, offsets, bpm, np.stack([mean(each) for each in places], axis=2))

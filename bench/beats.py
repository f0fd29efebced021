"""Tempo, beats, bars and metre of composed songs, beside librosa's beat tracker."""

from collections.abc import Sequence
from dataclasses import dataclass

import librosa
import mir_eval
import numpy as np
from train.synthesis.score import Plan

from bench.composed import LENGTH_S, SEEDS, Heard, heard_songs
from bench.results import Section, Target
from unbraid.analysis.beats import find_beats

SAME_TEMPO = 0.04
OCTAVES = (1 / 3, 1 / 2, 1, 2, 3)
LEAST = {"tempo": 0.95, "beats": 0.93, "downbeats": 0.85}


@dataclass(frozen=True)
class Outcome:
    """How right a song's beats are, each from 0 to 1.

    Attributes:
        tempo: whether it is within 4 %.
        tempo_or_multiple: whether it, its double, triple, half or third is.
        beats: F-measure, within 70 ms, from 5 s on.
        downbeats: likewise.
        metre: whether it is the song's.
    """

    tempo: float
    tempo_or_multiple: float
    beats: float
    downbeats: float
    metre: float


def bench() -> Section:
    """Find the beats of songs that nothing was tuned on."""
    songs = heard_songs()
    ours = [_ours(heard) for heard in songs]
    theirs = [_librosa(heard) for heard in songs]
    return Section(
        title="Beats",
        text=(
            f"{len(songs)} composed songs of {LENGTH_S:g} s, seeds {SEEDS[0]} to {SEEDS[-1]}, "
            f"stems separated by `lite`: {_metres(songs)}. Tempo within 4 %, or within 4 % of its "
            "half, third, double or triple; F-measures of beats and downbeats by mir_eval, within "
            "70 ms, from 5 s on; in 6/8 a beat is a dotted quarter. librosa's `beat_track` hears "
            "the mixture and knows no bars."
        ),
        header=("", "tempo", "or a multiple", "beats", "downbeats", "metre"),
        rows=[("Unbraid", *_means(ours)), ("librosa", *_means(theirs)[:3], "", "")],
        targets=[
            Target(f"{name} at least {least}", f"{(mean := _mean(ours, name)):.3f}", mean >= least)
            for name, least in LEAST.items()
        ],
    )


def _metres(songs: Sequence[Heard]) -> str:
    metres = [heard.score.plan.metre for heard in songs]
    return ", ".join(f"{metres.count(metre)} in {metre}" for metre in sorted(set(metres)))


def _mean(outcomes: Sequence[Outcome], name: str) -> float:
    return float(np.mean([getattr(outcome, name) for outcome in outcomes]))


def _means(outcomes: Sequence[Outcome]) -> list[str]:
    return [f"{_mean(outcomes, name):.3f}" for name in Outcome.__dataclass_fields__]


def _ours(heard: Heard) -> Outcome:
    rhythm, plan = find_beats(heard.hearing), heard.score.plan
    if rhythm.grid is None:
        return Outcome(0, 0, 0, 0, 0)
    return Outcome(
        *_tempo(rhythm.tempo.bpm or 0, plan),
        beats=_f_measure(plan.beats_s, rhythm.grid.beats_s),
        downbeats=_f_measure(plan.downbeats_s, rhythm.grid.downbeats_s),
        metre=float(rhythm.grid.metre == plan.metre),
    )


def _librosa(heard: Heard) -> Outcome:
    mixture, plan = heard.mixture, heard.score.plan
    bpm, beats_s = librosa.beat.beat_track(
        y=mixture.samples[0], sr=mixture.sample_rate, units="time"
    )
    tempo = _tempo(float(np.atleast_1d(bpm)[0]), plan)
    return Outcome(*tempo, beats=_f_measure(plan.beats_s, beats_s.tolist()), downbeats=0, metre=0)


def _tempo(bpm: float, plan: Plan) -> tuple[float, float]:
    near = [abs(bpm / plan.tempo_bpm / octave - 1) <= SAME_TEMPO for octave in OCTAVES]
    return float(near[OCTAVES.index(1)]), float(any(near))


def _f_measure(true_s: Sequence[float], found_s: Sequence[float]) -> float:
    true, found = (mir_eval.beat.trim_beats(np.array(each)) for each in (true_s, found_s))
    return float(mir_eval.beat.f_measure(true, found))

"""Fits the weights by which a song's beats and bars are chosen: python -m train.metre.

Each song is heard by its true stems and by those that the built-in model separates, some also as
they are; metronomes are heard too. Of the grids that fit a pulse, those nearest to the true
downbeats are to be the likeliest: McFadden, Conditional Logit Analysis of Qualitative Choice
Behavior (1974).
"""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from train.synthesis import STEMS, song
from unbraid.analysis.hearing import Hearing, hear
from unbraid.analysis.metre import PLACES, SIGNS, candidates, ticks_s
from unbraid.analysis.onsets import FloatArray
from unbraid.analysis.pulse import find_pulse
from unbraid.separation.separator import Separator
from unbraid.types import BEATS_PER_BAR, AudioSignal, Metre, Read, Samples, StemName

SEEDS, AS_THEY_ARE = range(2000, 2296), (*range(2000, 2060), *range(2100, 2130))
LENGTH_S = 40.0
SAMPLE_RATE = 44100
RESTRAINT = 8.0  # of the weights, squared, against the log-likelihood of the songs
NEAR_S = 0.07  # of a true downbeat, as mir_eval has it
SAME_TEMPO = 0.06  # as a part of it
FOUND = 0.8  # least F-measure of a grid that is the song's
FOLDS = 10
METRONOME_BPM = range(56, 204, 4)
METRONOME_S = 20.0
CLICK = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(1200) / SAMPLE_RATE) * np.hanning(2400)[1200:]


@dataclass(frozen=True)
class Case:
    """A song as it was heard.

    Attributes:
        seed: of the song.
        features: of each grid upon its pulse [grid, feature].
        agreement: F-measure of each grid's downbeats with the true ones [grid].
    """

    seed: int
    features: FloatArray
    agreement: FloatArray


def main() -> None:
    """Print how well weights do on songs that they were not fitted on, and those of all songs."""
    parser = argparse.ArgumentParser(prog="python -m train.metre", description=__doc__)
    parser.add_argument("--songs", type=int, default=len(SEEDS), help="how many to fit on")
    separator = Separator("lite")
    cases = [each for seed in SEEDS[: parser.parse_args().songs] for each in heard(seed, separator)]
    cases += metronomes()
    print(f"downbeat F-measure across {FOLDS} folds: {across(cases):.3f}")
    weights = fit(cases)
    signs = weights[: len(SIGNS) * len(PLACES)].reshape(len(SIGNS), len(PLACES))
    print(np.array2string(signs, precision=3, separator=", ", suppress_small=True))
    print(np.array2string(weights[signs.size :], precision=3, separator=", "))


def heard(seed: int, separator: Separator) -> list[Case]:
    """A song by its true stems, by separated ones and perhaps as it is, where it has a pulse."""
    made = song(seed, LENGTH_S)
    separated = separator.separate(AudioSignal(made.mixture, SAMPLE_RATE))
    ways: list[Mapping[StemName, Samples]] = [
        dict(zip(STEMS, made.stems, strict=True)),
        {name: stem.samples for name, stem in separated.items()},
    ]
    if seed in AS_THEY_ARE:
        ways.append({})
    plan = made.score.plan
    hearings = [_listen(made.mixture, stems) for stems in ways]
    cases = [
        case_of(seed, each, plan.metre, plan.tempo_bpm, [plan.downbeats_s]) for each in hearings
    ]
    return [case for case in cases if case]


def metronomes() -> list[Case]:
    """Clicks at many tempi, all alike: fours, wherever they begin."""
    cases = []
    for seed, bpm in enumerate(METRONOME_BPM):
        clicks_s = np.arange(0.3, METRONOME_S - 0.1, 60 / bpm)
        track = np.zeros((2, round(METRONOME_S * SAMPLE_RATE)), np.float32)
        for start in np.round(clicks_s * SAMPLE_RATE).astype(int):
            track[:, start : start + len(CLICK)] += CLICK
        truths = [clicks_s[first::4] for first in range(4)]
        cases.append(case_of(seed, _listen(track, {}), "4/4", bpm, truths))
    return [case for case in cases if case]


def _listen(mixture: Samples, stems: Mapping[StemName, Samples]) -> Hearing:
    def reader(samples: Samples) -> Read:
        return lambda start, stop: samples[:, start:stop]

    reads = {name: reader(samples) for name, samples in stems.items()}
    return hear(reader(mixture), reads, mixture.shape[1], SAMPLE_RATE)


def case_of(
    seed: int,
    hearing: Hearing,
    metre: Metre,
    tempo_bpm: float,
    truths: Iterable[Sequence[float] | FloatArray],
) -> Case | None:
    """What is to be learned from a song; None without a pulse.

    Args:
        seed: of the song.
        hearing: the song.
        metre: its own.
        tempo_bpm: its own.
        truths: downbeats in seconds; where they are a matter of taste, each possibility.
    """
    pulse = find_pulse(hearing.strength, hearing.frame_rate)
    if pulse is None:
        return None
    times_s = ticks_s(pulse)
    grids = candidates(hearing, pulse)
    agreement = [
        max(
            _f_measure(np.array(true_s), times_s[offset :: grid.beat_ticks * BEATS_PER_BAR[metre]])
            for true_s in truths
        )
        if grid.metre == metre and abs(np.log(grid.bpm / tempo_bpm)) < SAME_TEMPO
        else 0.0
        for grid in grids
        for offset in grid.offsets
    ]
    return Case(seed, np.concatenate([grid.features() for grid in grids]), np.array(agreement))


def _f_measure(true_s: FloatArray, found_s: FloatArray) -> float:
    apart_s = np.abs(true_s[:, np.newaxis] - found_s)
    hits = min((apart_s.min(axis=k) < NEAR_S).sum() for k in (0, 1))
    return float(2 * hits / (len(true_s) + len(found_s)))


def fit(cases: Iterable[Case]) -> FloatArray:
    """Weights of the features that make the songs' own grids likely."""
    taught = [case for case in cases if case.agreement.max() >= FOUND]
    features = np.concatenate([case.features for case in taught])
    spread = np.sqrt(np.mean([case.features.var(axis=0) for case in taught], axis=0)) + 1e-9
    features /= spread
    sizes = np.array([len(case.features) for case in taught])
    starts = np.cumsum(sizes) - sizes
    agreement = np.concatenate([case.agreement for case in taught])
    own = agreement >= np.repeat(np.maximum.reduceat(agreement, starts), sizes)

    def loss(weights: FloatArray) -> tuple[float, FloatArray]:
        """Negative log-likelihood of the own grids, and its gradient."""
        scores = features @ weights
        scores -= np.repeat(np.maximum.reduceat(scores, starts), sizes)
        odds = np.exp(scores)
        sums, own_sums = np.add.reduceat(odds, starts), np.add.reduceat(odds * own, starts)
        excess = odds / np.repeat(sums, sizes) - odds * own / np.repeat(own_sums, sizes)
        value = RESTRAINT * weights @ weights / 2 + np.log(sums / own_sums).sum()
        return value, RESTRAINT * weights + excess @ features

    found = scipy.optimize.minimize(loss, np.zeros(len(spread)), jac=True, method="L-BFGS-B")
    return np.asarray(found.x / spread)


def across(cases: Sequence[Case]) -> float:
    """Mean agreement of the grids chosen with weights that were fitted on other songs."""
    agreements: list[float] = []
    for fold in range(FOLDS):
        weights = fit(case for case in cases if case.seed % FOLDS != fold)
        agreements += [
            float(case.agreement[(case.features @ weights).argmax()])
            for case in cases
            if case.seed % FOLDS == fold
        ]
    return float(np.mean(agreements))


if __name__ == "__main__":
    main()

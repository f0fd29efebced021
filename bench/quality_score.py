"""How well the score without a reference ranks stems, beside their true quality.

python -m bench quality_score     judge the score as it stands
python -m bench.quality_score     fit its weights anew, and print them
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from zlib import crc32

import numpy as np
from scipy.optimize import nnls
from scipy.stats import spearmanr

from bench import recordings
from bench.estimates import FITTED, JUDGED, Estimate
from bench.results import Section, Target
from bench.songs import STEMS, song
from unbraid.audio import load
from unbraid.demo.room import RATE
from unbraid.inference import available_cores
from unbraid.scoring import sdr
from unbraid.separation.quality import Signs, measure, score
from unbraid.types import AudioSignal, Samples, StemName

FITTED_SEEDS = range(8)
JUDGED_SEEDS = range(200, 206)
UNSEEN = ("clipped", "gated", "MP3")  # kinds added after the signs had been chosen
LEAST_CORRELATION = 0.7
SDR_RANGE_DB = (-5.0, 20.0)  # the fit does not care what lies beyond


@dataclass(frozen=True)
class Case:
    """An estimate of a stem: what it is, how good it is, and what is said of it.

    Attributes:
        song: which one.
        kind: how the estimate was made.
        stem: which one.
        sdr_db: its true quality.
        signs: what the score is made of.
        apart: 1 - mean |correlation| with the other stems, the naive score.
    """

    song: str
    kind: str
    stem: StemName
    sdr_db: float
    signs: Signs
    apart: float


Ranking = Callable[[Case], float]

RANKINGS: Mapping[str, Ranking] = {
    "score": lambda case: score(case.signs.sdr_db),
    "1 - mean correlation with the other stems": lambda case: case.apart,
    "coherence alone": lambda case: case.signs.coherence_db,
    "purity alone": lambda case: case.signs.purity_db,
}


def bench() -> Section:
    """Rank stems of songs, and kinds of faults, that the weights were not fitted on."""
    cases = synthesised(JUDGED_SEEDS, JUDGED)
    real = excerpts(JUDGED)
    pooled = correlation(cases, RANKINGS["score"])
    naive = correlation(cases, RANKINGS["1 - mean correlation with the other stems"])
    on_real = correlation(real, RANKINGS["score"])
    unseen = correlation([case for case in cases if case.kind in UNSEEN], RANKINGS["score"])
    return Section(
        title="Quality score",
        text=(
            "Spearman's rank correlation of the score without a reference, and of simpler ones, "
            f"with SDR: {len(cases)} estimates of the stems of {len(JUDGED_SEEDS)} synthesised "
            f"songs ({'; '.join(JUDGED)}), pooled, by stem, in the mean within a song, and of the "
            "means over the stems of an estimate. The weights were fitted on other songs and other "
            f"kinds ({'; '.join(FITTED)}). Which signs to weigh was decided with all but the "
            f"last {len(UNSEEN)} of the judged kinds in sight, on other songs; on those "
            f"{len(UNSEEN)} alone the score reaches {unseen:.2f}. The last column is of "
            f"{len(real)} estimates of real excerpts, made in the same ways. "
            f"Mean guess against mean SDR, by kind: {'; '.join(_kinds(cases))}."
        ),
        header=("", "pooled", *STEMS, "within a song", "whole songs", "excerpts"),
        rows=[(name, *_correlations(cases, real, ranking)) for name, ranking in RANKINGS.items()],
        targets=[
            Target(
                f"correlation at least {LEAST_CORRELATION}",
                f"{pooled:.2f}",
                pooled >= LEAST_CORRELATION,
            ),
            Target("better than plain correlation", f"{pooled:.2f} to {naive:.2f}", pooled > naive),
            *(
                [
                    Target(
                        f"correlation on real excerpts at least {LEAST_CORRELATION}",
                        f"{on_real:.2f}",
                        on_real >= LEAST_CORRELATION,
                    )
                ]
                if real
                else []
            ),
        ],
    )


def correlation(cases: Iterable[Case], ranking: Ranking) -> float:
    """Spearman's, of a ranking with the SDR; NaN where there is nothing to rank."""
    pairs = np.array([(ranking(case), case.sdr_db) for case in cases])
    return float(spearmanr(pairs[:, 0], pairs[:, 1]).statistic) if len(pairs) > 2 else math.nan


def _correlations(cases: Sequence[Case], real: Sequence[Case], ranking: Ranking) -> list[str]:
    by_stem = [correlation([case for case in cases if case.stem == s], ranking) for s in STEMS]
    songs = {case.song for case in cases}
    within = [correlation([case for case in cases if case.song == s], ranking) for s in songs]
    figures = (
        correlation(cases, ranking),
        *by_stem,
        float(np.mean(within)),
        _of_wholes(cases, ranking),
        correlation(real, ranking),
    )
    return ["" if math.isnan(figure) else f"{figure:.2f}" for figure in figures]


def _of_wholes(cases: Iterable[Case], ranking: Ranking) -> float:
    """Correlation of the mean over the stems of an estimate with the mean SDR."""
    wholes: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for case in cases:
        pair = (ranking(case), float(np.clip(case.sdr_db, *SDR_RANGE_DB)))
        wholes.setdefault((case.song, case.kind), []).append(pair)
    means = np.array([np.mean(pairs, axis=0) for pairs in wholes.values()])
    return float(spearmanr(means[:, 0], means[:, 1]).statistic)


def _kinds(cases: Sequence[Case]) -> list[str]:
    lines = []
    for kind in dict.fromkeys(case.kind for case in cases):
        pairs = [(case.signs.sdr_db, case.sdr_db) for case in cases if case.kind == kind]
        guess_db, true_db = np.mean(np.clip(pairs, *SDR_RANGE_DB), axis=0)
        lines.append(f"{kind} {guess_db:.1f} against {true_db:.1f} dB")
    return lines


def synthesised(seeds: Iterable[int], kinds: Mapping[str, Estimate]) -> list[Case]:
    """Cases of songs, each in a process of its own."""
    with ProcessPoolExecutor(available_cores(), mp_context=get_context("spawn")) as pool:
        return [case for each in pool.map(partial(_song, tuple(kinds)), seeds) for case in each]


def excerpts(kinds: Mapping[str, Estimate]) -> list[Case]:
    """Cases of the real excerpts, where there are some."""
    found = recordings.excerpts()
    with ProcessPoolExecutor(available_cores(), mp_context=get_context("spawn")) as pool:
        jobs = pool.map(partial(_excerpt, tuple(kinds)), found, found.values())
        return [case for each in jobs for case in each]


def _song(kinds: Sequence[str], seed: int) -> list[Case]:
    return _cases(str(seed), song(seed), STEMS, kinds)


def _excerpt(kinds: Sequence[str], mixture: Path, stems: Mapping[StemName, Path]) -> list[Case]:
    """What is not among the true stems is taken for `other`, but not scored."""
    truth = np.zeros((len(STEMS), *load(mixture).samples.shape), np.float32)
    for name, file in stems.items():
        truth[STEMS.index(name)] = load(file).samples
    truth[STEMS.index("other")] += load(mixture).samples - truth.sum(axis=0)
    return _cases(mixture.stem, truth, tuple(stems), kinds)


def _cases(
    name: str, truth: Samples, stems: Sequence[StemName], kinds: Sequence[str]
) -> list[Case]:
    """Estimate the stems of a song in all ways, and measure them."""
    cases = []
    for kind in kinds:
        rng = np.random.default_rng([crc32(name.encode()), crc32(kind.encode())])
        estimate = {**FITTED, **JUDGED}[kind](truth, rng).astype(np.float32)
        if rng.random() < 0.5:  # what is left of the song goes into the stems again
            estimate += (truth.sum(axis=0) - estimate.sum(axis=0)) / len(estimate)
        signs = measure(
            partial(_cut, truth.sum(axis=0)),
            {each: partial(_cut, part) for each, part in zip(STEMS, estimate, strict=True)},
            truth.shape[-1],
            RATE,
            threads=1,
        )
        apart = _apart(estimate)
        for stem in stems:
            k, found = STEMS.index(stem), signs[stem]
            true_db = sdr(AudioSignal(truth[k], RATE), AudioSignal(estimate[k], RATE))
            if found:
                cases.append(Case(name, kind, stem, true_db, found, apart[k]))
    return cases


def _cut(samples: Samples, start: int, stop: int) -> Samples:
    return samples[:, start:stop]


def _apart(stems: Samples) -> list[float]:
    flat = stems.reshape(len(stems), -1)
    with np.errstate(invalid="ignore", divide="ignore"):  # silence correlates with nothing
        cosines = np.abs(np.nan_to_num(np.corrcoef(flat)))
    return [1 - float((row.sum() - 1) / (len(stems) - 1)) for row in cosines]


def fit(cases: Sequence[Case]) -> tuple[list[float], float]:
    """Weights of the signs, none negative, and the offset, by least squares."""
    signs = np.array([case.signs.bounded for case in cases])
    sdr_db = np.clip([case.sdr_db for case in cases], *SDR_RANGE_DB)
    weights, _ = nnls(signs - signs.mean(axis=0), sdr_db - sdr_db.mean())
    return list(weights), float(sdr_db.mean() - signs.mean(axis=0) @ weights)


def main() -> None:
    """Fit the weights and print them as they stand in unbraid.separation.quality."""
    cases = synthesised(FITTED_SEEDS, FITTED)
    weights, offset_db = fit(cases)
    print(f"WEIGHTS = ({', '.join(f'{each:.3g}' for each in weights)})")
    print(f"OFFSET_DB = {offset_db:.3g}")


if __name__ == "__main__":
    main()

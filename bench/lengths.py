"""What the length of segments, their overlap and averaging are worth to the built-in separator."""

import statistics
import time

import numpy as np

from bench import recordings
from bench.results import Section
from unbraid.audio import load
from unbraid.scoring import sdr
from unbraid.separation import Separator

ROUNDS = 3
USUAL = "as it is: 11.9 s, 12.5 % shared"
WAYS = {
    USUAL: Separator(),
    "3 s, 25 % shared": Separator(segment_s=3, overlap=0.25),
    "6 s, 12.5 % shared": Separator(segment_s=6, overlap=0.125),
    "6 s, 25 % shared": Separator(segment_s=6, overlap=0.25),
    "6 s, 50 % shared": Separator(segment_s=6, overlap=0.5),
    "11.9 s, 6 % shared": Separator(overlap=0.0625),
    "11.9 s, 25 % shared": Separator(overlap=0.25),
    "11.9 s, 50 % shared": Separator(overlap=0.5),
    "23.8 s, 12.5 % shared": Separator(segment_s=23.8, overlap=0.125),
    "mean of 2 shifts": Separator(shifts=2),
    "mean of 4 shifts": Separator(shifts=4),
}


def bench() -> Section:
    """Separate the excerpts in every way, in turns."""
    excerpts = recordings.excerpts()
    times: dict[str, list[float]] = {label: [] for label in WAYS}
    scores: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for label, separator in WAYS.items():
            began = time.perf_counter()
            found = [separator.separate(excerpt) for excerpt in excerpts]
            times[label].append(time.perf_counter() - began)
            scores[label] = [
                sdr(load(file), stems[name])
                for stems, truth in zip(found, excerpts.values(), strict=True)
                for name, file in truth.items()
            ]
    usual_s, usual_db = statistics.median(times[USUAL]), float(np.mean(scores[USUAL]))
    return Section(
        title="Segments of the built-in separator",
        text=(
            "Mean signal-to-distortion ratio of all stems of the excerpts that UNBRAID_EVAL_AUDIO "
            "names, and time, in turns: other lengths of segments, other shares that neighbours "
            "have in common, and the mean of several runs on the shifted song. None is worth it."
        ),
        header=("", "mean", "change", "largest change of a stem", "time ratio"),
        rows=[
            (
                label,
                f"{np.mean(each):.2f} dB",
                f"{np.mean(each) - usual_db:+.3f} dB",
                f"{np.abs(np.subtract(each, scores[USUAL])).max():.3f} dB",
                f"{statistics.median(times[label]) / usual_s:.2f}",
            )
            for label, each in scores.items()
        ],
        targets=[],
    )

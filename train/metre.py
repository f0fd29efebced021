"""Fits the network that chooses a song's beats and bars: python -m train.metre [-o FILE].

Each song is heard by the stems that the built-in model separates, some also by their true ones or
as they are; metronomes are heard too. Of the grids that fit a pulse, those nearest to the true
downbeats are to be the likeliest: McFadden, Conditional Logit Analysis of Qualitative Choice
Behavior (1974), with layers of units beside the linear part.
"""

import argparse
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from train.synthesis import STEMS, song
from unbraid.analysis.hearing import Hearing, hear
from unbraid.analysis.metre import INPUT, NETWORK, OUTPUT, candidates, ticks_s
from unbraid.analysis.onsets import FloatArray
from unbraid.analysis.pulse import find_pulse
from unbraid.separation.separator import Separator
from unbraid.types import BEATS_PER_BAR, AudioSignal, Metre, Read, Samples, StemName

SEEDS, AS_THEY_ARE = range(2000, 3000), range(2000, 2090)
LENGTH_S = 40.0
SAMPLE_RATE = 44100
NEAR_S = 0.07  # of a true downbeat, as mir_eval has it
SAME_TEMPO = 0.06  # as a part of it
FOUND = 0.8  # least F-measure of a grid that is the song's
FOLDS = 4
UNITS, DROPOUT = 64, 0.5
SPREAD = 0.05  # of a feature within a song, below which differences hardly count
NETWORKS = 4  # whose mean is written
EPOCHS, BATCH = 40, 16
RATE, DECAY = 3e-3, 0.01
OPSET = 17
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
    """Print how well networks do on songs that they were not fitted on, and write one of all."""
    parser = argparse.ArgumentParser(prog="python -m train.metre", description=__doc__)
    parser.add_argument("-o", "--out", type=Path, default=Path("out", NETWORK.name))
    file: Path = parser.parse_args().out
    separator = Separator("lite")
    cases = [each for seed in SEEDS for each in heard(seed, separator)]
    print(f"downbeat F-measure across {FOLDS} folds: {across(cases):.3f}")
    file.parent.mkdir(parents=True, exist_ok=True)
    export(fit([*cases, *metronomes()]), file)


def heard(seed: int, separator: Separator) -> list[Case]:
    """A song by separated stems, perhaps by its true ones and as it is, where it has a pulse."""
    made = song(seed, LENGTH_S)
    separated = separator.separate(AudioSignal(made.mixture, SAMPLE_RATE))
    ways: list[Mapping[StemName, Samples]] = [
        {name: stem.samples for name, stem in separated.items()}
    ]
    if seed in AS_THEY_ARE:
        ways += [dict(zip(STEMS, made.stems, strict=True)), {}]
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


class Network(nn.Module):
    """Says how likely grids are, in themselves and beside the others of their song."""

    mean: Tensor
    scale: Tensor

    def __init__(self, features: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", features.mean(0))
        self.register_buffer("scale", features.std(0) + 1e-3)
        count = features.shape[1]
        self.linear = nn.Linear(2 * count, 1)
        self.hidden = nn.Sequential(
            *(nn.Linear(2 * count, UNITS), nn.ReLU(), nn.Dropout(DROPOUT)),
            *(nn.Linear(UNITS, UNITS), nn.ReLU(), nn.Dropout(DROPOUT)),
            nn.Linear(UNITS, 1),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Logarithmic odds of the grids of one song [grid]."""
        seen = self.seen(features)
        odds: Tensor = self.linear(seen) + self.hidden(seen)
        return odds[:, 0]

    def seen(self, features: Tensor) -> Tensor:
        """The grids of one song beside those of all songs and beside each other."""
        alike = (features - self.mean) / self.scale
        apart = (features - features.mean(0)) / (features.std(0, correction=0) + SPREAD)
        return torch.cat([alike, apart], 1)


class Mean(nn.Module):
    """What several networks say on average."""

    def __init__(self, networks: Sequence[Network]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, features: Tensor) -> Tensor:
        """Logarithmic odds [grid]."""
        return torch.stack([network(features) for network in self.networks]).mean(0)


def fit(cases: Sequence[Case], networks: int = NETWORKS) -> Mean:
    """Networks that make the songs' own grids likely."""
    taught = [case for case in cases if case.agreement.max() >= FOUND]
    features = [torch.from_numpy(case.features.astype(np.float32)) for case in taught]
    own = [torch.from_numpy(case.agreement >= case.agreement.max()) for case in taught]
    fitted = []
    for seed in range(networks):
        torch.manual_seed(seed)
        network = Network(torch.cat(features))
        optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
        schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, EPOCHS)
        for _ in range(EPOCHS):
            for batch in torch.randperm(len(taught)).split(BATCH):
                songs = batch.tolist()
                scores = [network(features[k]) for k in songs]
                loss = torch.stack(
                    [
                        part.logsumexp(0) - part[own[k]].logsumexp(0)
                        for k, part in zip(songs, scores, strict=True)
                    ]
                ).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            schedule.step()
        fitted.append(network)
    return Mean(fitted).eval()


def across(cases: Sequence[Case]) -> float:
    """Mean agreement of the grids chosen by networks that were fitted on other songs."""
    agreements: list[float] = []
    for fold in range(FOLDS):
        network = fit([case for case in cases if case.seed % FOLDS != fold], networks=1)
        for case in cases:
            if case.seed % FOLDS == fold:
                with torch.no_grad():
                    scores = network(torch.from_numpy(case.features.astype(np.float32)))
                agreements.append(float(case.agreement[int(scores.argmax())]))
    return float(np.mean(agreements))


def export(network: Mean, file: Path) -> None:
    """Write a network as ONNX, for any number of grids."""
    count = len(network.networks[0].mean)  # type: ignore[arg-type]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's
        torch.onnx.export(
            network,
            (torch.zeros(2, count),),
            str(file),
            dynamo=False,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={INPUT: {0: "grid"}, OUTPUT: {0: "grid"}},
            opset_version=OPSET,
        )


if __name__ == "__main__":
    main()

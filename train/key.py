"""Fits the network that hears the key in a progression: python -m train.key [-o FILE].

Progressions are composed as for songs; their chords are then taken for others about as often, and
for the same ones, as when chords are found in separated stems.
"""

import argparse
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from train.synthesis.harmony import MODES, draw_chords, draw_mode
from train.synthesis.score import Chord as Written
from unbraid.analysis.chords import QUALITIES
from unbraid.analysis.progressions import INPUT, NETWORK, OUTPUT, Chord, features

PROGRESSIONS, TESTED = 10_000, 1_000
SECTION_BARS = (4, 8, 8, 8, 16)
BARS = (8, 30)
UNITS, DROPOUT = 48, 0.3
EPOCHS, BATCH = 20, 64
RATE, DECAY = 3e-3, 0.01
OPSET = 17

HEARD: Mapping[str, Mapping[tuple[int, str] | None, float]] = {
    "maj": {(0, "7"): 0.06, (0, "maj7"): 0.05, (9, "min7"): 0.04, (7, "maj"): 0.02, None: 0.02},
    "min": {(0, "min7"): 0.08, (0, "maj"): 0.08, (0, "7"): 0.03, (5, "7"): 0.01, None: 0.02},
    "7": {(0, "maj"): 0.2, (9, "min7"): 0.02, (0, "maj7"): 0.02, (7, "7"): 0.02, None: 0.02},
    "maj7": {(0, "maj"): 0.34, (9, "min7"): 0.02, (7, "maj"): 0.02, (4, "min"): 0.02, None: 0.02},
    "min7": {(0, "min"): 0.23, (0, "7"): 0.07, (0, "maj"): 0.06, (8, "maj7"): 0.02, None: 0.02},
    "sus2": {(0, "maj"): 0.38, (7, "sus4"): 0.13, (0, "min"): 0.08, (7, "maj"): 0.04},
    "sus4": {(0, "maj"): 0.24, (0, "min"): 0.08, (5, "maj"): 0.05, (7, "min7"): 0.04},
    "dim": {(0, "min"): 0.33, (0, "maj"): 0.11, (8, "7"): 0.08, (0, "min7"): 0.06, None: 0.1},
    "hdim7": {(0, "maj"): 0.15, (3, "min"): 0.1, (10, "min7"): 0.1, (8, "7"): 0.05},
}
"""What chords are taken for, by semitones above their root; mostly they are found."""
ELSEWHERE = 0.1  # are taken for any chord
CARE = 0.4  # up to so many chords of a song are never mistaken
LATE = 0.3  # of the songs are heard from somewhere in their first third
STEADY = 0.6  # of the songs have the same mistake wherever a chord comes again


def main() -> None:
    """Print how often the network is right on other progressions, and write it."""
    parser = argparse.ArgumentParser(prog="python -m train.key", description=__doc__)
    parser.add_argument("-o", "--out", type=Path, default=Path("out", NETWORK.name))
    file: Path = parser.parse_args().out
    network = fit(*material(np.random.default_rng(0), PROGRESSIONS))
    seen, keys = material(np.random.default_rng(1), TESTED)
    with torch.no_grad():
        right = network(seen).argmax(1) == keys
    print(f"right about {right.float().mean():.3f} of {TESTED} other progressions")
    file.parent.mkdir(parents=True, exist_ok=True)
    export(network, file)


def material(rng: np.random.Generator, count: int) -> tuple[Tensor, Tensor]:
    """Progressions as they are heard [progression, tonic, feature], and their keys."""
    seen, keys = [], []
    for _ in range(count):
        mode, tonic = draw_mode(rng), int(rng.integers(12))
        bars = int(rng.integers(*BARS))
        sections: list[int] = []
        while sum(sections) < bars:
            sections.append(int(rng.choice(SECTION_BARS)))
        written = draw_chords(mode, tonic, sections, rng)[:bars]
        seen.append(features(heard(written, rng)))
        keys.append(tonic if 4 in MODES[mode] else 12 + tonic)
    return torch.from_numpy(np.stack(seen)), torch.tensor(keys)


def heard(written: tuple[Written, ...], rng: np.random.Generator) -> list[Chord]:
    """Chords of a bar each, some of them taken for others."""
    steady = rng.random() < STEADY
    care = rng.uniform(0, CARE)  # songs are heard well or badly
    known: dict[tuple[int, str], Chord | None] = {}
    found = []
    for chord in written:
        name = chord.root % 12, chord.quality
        if not (steady and name in known):
            known[name] = (*name, 1.0) if rng.random() < care else _mistaken(*name, rng)
        if taken := known[name]:
            found.append(taken)
    if rng.random() < LATE:
        found = found[int(rng.integers(1 + len(found) // 3)) :]
    return found or [(written[0].root % 12, written[0].quality, 1.0)]


def _mistaken(root: int, quality: str, rng: np.random.Generator) -> Chord | None:
    if rng.random() < ELSEWHERE:
        return int(rng.integers(12)), str(rng.choice(list(QUALITIES))), 1.0
    taken = HEARD[quality]
    chosen = rng.random() - np.cumsum(list(taken.values()))
    if chosen[-1] >= 0:
        return root, quality, 1.0
    as_what = list(taken)[int(np.argmax(chosen < 0))]
    return as_what and ((root + as_what[0]) % 12, as_what[1], 1.0)


class Network(nn.Module):
    """Says how likely the major and the minor key upon each tonic are."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.linear = nn.Linear(count, 2)
        self.hidden = nn.Sequential(
            nn.Linear(count, UNITS), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(UNITS, 2)
        )

    def forward(self, seen: Tensor) -> Tensor:
        """Logarithmic odds [progression, key], majors first."""
        odds: Tensor = self.linear(seen) + self.hidden(seen)
        return odds.transpose(1, 2).flatten(1)


def fit(seen: Tensor, keys: Tensor) -> Network:
    """A network that finds these keys."""
    torch.manual_seed(0)
    network = Network(seen.shape[2])
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, EPOCHS)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(seen)).split(BATCH):
            loss = nn.functional.cross_entropy(network(seen[batch]), keys[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    return network.eval()


def export(network: Network, file: Path) -> None:
    """Write a network as ONNX, for any number of progressions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's
        torch.onnx.export(
            network,
            (torch.zeros(2, 12, network.linear.in_features),),
            str(file),
            dynamo=False,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={INPUT: {0: "progression"}, OUTPUT: {0: "progression"}},
            opset_version=OPSET,
        )


if __name__ == "__main__":
    main()

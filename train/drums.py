"""Fits the networks that recognise drum strokes: python -m train.drums [-o FOLDER] [--material …].

They hear composed songs: the true drum stem, and the one that the built-in separator makes.
"""

import argparse
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from train.synthesis import Song, song
from train.synthesis.score import STEMS
from unbraid.demo.room import RATE
from unbraid.separation import Separator
from unbraid.transcription import groove
from unbraid.transcription.drum_patches import STEM_FEATURES, Moments, band_levels
from unbraid.transcription.drums import GROOVE, INPUT, KINDS, OUTPUT, SOUND
from unbraid.types import AudioSignal

SONGS = {**dict.fromkeys(range(3032, 3092), 36.0), **dict.fromkeys(range(3200, 3620), 12.0)}
"""Seeds and lengths in seconds; other seeds are left for tests and benches."""
SAMPLED = range(3500, 3620)  # seeds of those that are played on material

FARTHEST_S = 0.035  # a stroke belongs to the nearest moment, if that is no farther
SOUND_UNITS, GROOVE_UNITS = 64, 32
SOUND_DROPOUT, GROOVE_DROPOUT = 0.3, 0.1
EPOCHS, BATCH = 20, 512
OPSET = 17

WORDS = {  # what the words of a kit's part mean
    "kick": ("kick",),
    "snare": ("snare",),
    "clap": ("snare",),
    "rim": ("snare", "side stick"),
    "hat": ("hi-hat",),
    "open hat": ("hi-hat", "open hi-hat"),
    "low tom": ("tom", "low tom"),
    "tom": ("tom", "mid tom"),
    "high tom": ("tom", "high tom"),
    "ride": ("ride",),
    "crash": ("crash",),
}


@dataclass(frozen=True)
class Example:
    """A drum stem whose strokes are known.

    Attributes:
        moments: of the stem.
        truth: float32 [moment, kind], what is struck.
    """

    moments: Moments
    truth: groove.Chances


def examples(seed: int, folder: Path, separator: Separator, material: Path | None) -> list[Example]:
    """The true drum stem and the separated one of a song, whose levels are kept in a folder."""
    file = folder / f"{seed}.npz"
    if not file.exists():
        played = song(seed, SONGS[seed], material if seed in SAMPLED else None)
        np.savez(file, **levels(played, separator))  # type: ignore[arg-type]  # its other options
    with np.load(file) as kept:
        both = [Moments(kept[stem], kept["song"]) for stem in ("true", "separated")]
        times_s, words = kept["times_s"].tolist(), kept["words"].tolist()
    return [Example(each, _truth(each, times_s, words)) for each in both if len(each)]


def levels(played: Song, separator: Separator) -> dict[str, npt.NDArray[Any]]:
    """Levels of the true drum stem, of the separated one and of the song, and the strokes."""
    kit = [part for part in played.score.parts if part.role == "kit"]
    separated = separator.separate(AudioSignal(played.mixture, RATE))["drums"].samples
    return {
        "true": band_levels([played.stems[STEMS.index("drums")]], RATE),
        "separated": band_levels([separated], RATE),
        "song": band_levels([played.mixture], RATE),
        "times_s": np.array([note.start_s for part in kit for note in part.notes]),
        "words": np.array([word for part in kit for word in part.words], dtype=str),
    }


def _truth(
    moments: Moments, times_s: Sequence[float], words: Sequence[str]
) -> npt.NDArray[np.float32]:
    """What is struck at each moment [moment, kind]."""
    truth = np.zeros((len(moments), len(KINDS)), np.float32)
    for time_s, word in zip(times_s, words, strict=True):
        distance_s = np.abs(moments.times_s - time_s)
        nearest = int(np.argmin(distance_s))
        if distance_s[nearest] < FARTHEST_S:
            truth[nearest, [KINDS.index(kind) for kind in WORDS.get(word, ())]] = 1
    return truth


class Network(nn.Module):
    """What is shown, made alike in all features, through one layer of units."""

    mean: Tensor
    scale: Tensor

    def __init__(self, shown: Tensor, units: int, dropout: float) -> None:
        super().__init__()
        self.register_buffer("mean", shown.mean(0))
        self.register_buffer("scale", shown.std(0) + 0.1)
        self.hidden = nn.Sequential(
            nn.Linear(shown.shape[1], units), nn.ReLU(), nn.Dropout(dropout)
        )
        self.answer = nn.Linear(units, len(KINDS))

    def forward(self, shown: Tensor) -> Tensor:
        """Logits [moment, kind]; noise while training stands for songs that are not there."""
        alike = (shown - self.mean) / self.scale
        if self.training:
            louder = 0.15 * torch.randn(len(shown), 1)
            alike = alike + louder + 0.1 * torch.randn_like(alike)
        logits: Tensor = self.answer(self.hidden(alike))
        return logits


def fit(
    shown: Sequence[npt.NDArray[np.float32]],
    truth: Sequence[npt.NDArray[np.float32]],
    units: int,
    dropout: float,
) -> Network:
    """Fit a network to what is true of what it is shown."""
    torch.manual_seed(0)
    inputs, targets = (torch.from_numpy(np.concatenate(each)) for each in (shown, truth))
    network = Network(inputs, units, dropout)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.03)
    steps = EPOCHS * -(-len(inputs) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(inputs)).split(BATCH):
            loss = nn.functional.binary_cross_entropy_with_logits(
                network(inputs[batch]), targets[batch]
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def answers(network: Network, shown: npt.NDArray[np.float32]) -> groove.Chances:
    """What a network says [moment, kind], 0 to 1."""
    with torch.no_grad():
        return np.asarray(torch.sigmoid(network(torch.from_numpy(shown))))


def decide(
    network: Network, shown: Sequence[groove.Chances], truth: Sequence[groove.Chances]
) -> None:
    """Move the answers of a network so that what is struck is best told at a half."""
    chances, true = answers(network, np.concatenate(shown)), np.concatenate(truth)
    for kind in range(len(KINDS)):
        least = max(
            np.arange(0.1, 0.9, 0.02).tolist(),
            key=lambda least: _f1(chances[:, kind] >= least, true[:, kind]),
        )
        network.answer.bias.data[kind] -= math.log(least / (1 - least))


def _f1(found: npt.NDArray[np.bool_], true: npt.NDArray[np.float32]) -> float:
    return float(2 * true[found].sum() / (found.sum() + true.sum() + 1e-9))


def look(example: Example, network: Network) -> npt.NDArray[np.float32]:
    """What the second network is shown of an example by the first."""
    chances, alike = [], []
    for passage in groove.passages(example.moments.frames):
        patches = example.moments.patches(passage.part)
        chances.append(answers(network, patches))
        alike.append(groove.likes(patches[:, :STEM_FEATURES], chances[-1]))
    frames = example.moments.frames
    return groove.view(frames, np.concatenate(chances), np.concatenate(alike))


def export(network: Network, file: Path) -> None:
    """Write a network as ONNX, for any number of moments."""
    model = nn.Sequential(network, nn.Sigmoid()).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's, about the noise that is only for training
        torch.onnx.export(
            model,
            (torch.zeros(2, len(network.mean)),),
            str(file),
            dynamo=False,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={INPUT: {0: "moment"}, OUTPUT: {0: "moment"}},
            opset_version=OPSET,
        )


def main() -> None:
    """Hear the songs, fit both networks and write them."""
    parser = argparse.ArgumentParser(prog="python -m train.drums", description=__doc__)
    parser.add_argument("-o", "--folder", type=Path, default=Path("out/drums"))
    parser.add_argument("--material", type=Path, help="what train.fetch_material has fetched")
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    separator = Separator("lite", ("drums",))
    songs = [examples(seed, folder, separator, arguments.material) for seed in SONGS]
    halves = [[each for song in songs[k::2] for each in song] for k in (0, 1)]
    views: list[npt.NDArray[np.float32]] = []
    for own, other in (halves, halves[::-1]):
        sound = _fit_sound(other)
        views += [look(each, sound) for each in own]
    both = [*halves[0], *halves[1]]
    truth = [each.truth for each in both]
    second = fit(views, truth, GROOVE_UNITS, GROOVE_DROPOUT)
    decide(second, views, truth)
    export(_fit_sound(both), folder / SOUND.name)
    export(second, folder / GROOVE.name)


def _fit_sound(heard: Sequence[Example]) -> Network:
    patches = [each.moments.patches(slice(None)) for each in heard]
    return fit(patches, [each.truth for each in heard], SOUND_UNITS, SOUND_DROPOUT)


if __name__ == "__main__":
    main()

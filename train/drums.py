"""Fits the networks that recognise drum strokes: python -m train.drums [-o FOLDER] [--material …].

They hear composed songs, each as its true drum stem and as the one that the built-in separator
makes, and kits alone, with what a song adds to them.
"""

import argparse
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from train.synthesis import song
from train.synthesis.composer import compose
from train.synthesis.renderer import render
from train.synthesis.score import STEMS, Score
from unbraid.demo.room import RATE
from unbraid.separation import Separator
from unbraid.transcription import groove
from unbraid.transcription.drum_patches import (
    COARSE_BANDS,
    COARSE_RANGE_HZ,
    FINE_BANDS,
    FINE_RANGE_HZ,
    STEM_FEATURES,
    Levels,
    Moments,
    band_levels,
)
from unbraid.transcription.drums import GROOVE, INPUT, KINDS, OTHERS, OUTPUT, SOUND
from unbraid.types import AudioSignal, Samples

SONGS = {
    **dict.fromkeys(range(3032, 3068), 36.0),
    **dict.fromkeys((*range(3200, 3380), *range(3500, 3570)), 12.0),
}
"""Seeds and lengths in seconds; other seeds are left for tests and benches."""
SAMPLED = range(3500, 3570)  # seeds of those that are played on material
KITS, KIT_LENGTH_S = range(10_000, 11_200), 8.0  # every other one on material
SONG_TAKES, KIT_TAKES = 3, 3  # each in another tone; of a kit, with what another song adds to it
TONE_DECADES, TONE_POINTS = 0.25, 7  # how far tones differ, and at how many places
DULL, LEAST_FINE = 0.3, 7  # share of kits that end in a high band, as lossy files do; the lowest
FLOOR = -12.0  # decades, below which levels do not fall
ADDED_DECADES = 0.6  # by which that is louder or softer which a song adds to a kit

DRUMS = STEMS.index("drums")
FARTHEST_S = 0.035  # a stroke belongs to the nearest moment, if that is no farther
SOUND_UNITS, GROOVE_UNITS = 192, 64
SOUND_DROPOUT, GROOVE_DROPOUT = 0.3, 0.1
EPOCHS, BATCH = 8, 1024
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
    **{other: (other,) for other in OTHERS},
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


@dataclass(frozen=True)
class Heard:
    """The levels of a song, or of a kit alone.

    Attributes:
        true: of the true drum stem.
        separated: of the one that the separator makes; of a kit alone, the true one.
        song: of the mixture; of a kit alone, the true stem.
        times_s: when something is struck [stroke].
        words: what [stroke].
    """

    true: Levels
    separated: Levels
    song: Levels
    times_s: npt.NDArray[np.float64]
    words: npt.NDArray[np.str_]

    @classmethod
    def of(cls, score: Score, true: Samples, separated: Samples, song: Samples) -> "Heard":
        """Measure three signals."""
        kits = [part for part in score.parts if part.role == "kit"]
        return cls(
            band_levels([true], RATE),
            band_levels([separated], RATE),
            band_levels([song], RATE),
            times_s=np.array([note.start_s for kit in kits for note in kit.notes]),
            words=np.array([word for kit in kits for word in kit.words], dtype=str),
        )

    def example(self, stem: Levels, song: Levels) -> Example:
        """What is true of a stem in which these strokes sound."""
        moments = Moments(stem, song)
        return Example(moments, _truth(moments, self.times_s.tolist(), self.words.tolist()))

    def in_another_tone(self, rng: np.random.Generator) -> "Heard":
        """The same through an equaliser, whose curve is smooth over pitch."""
        points = rng.normal(0, TONE_DECADES, TONE_POINTS)
        coarse_hz, fine_hz = (
            np.sqrt(edges[1:] * edges[:-1])
            for edges in (
                np.geomspace(*COARSE_RANGE_HZ, COARSE_BANDS + 1),
                np.linspace(*FINE_RANGE_HZ, FINE_BANDS + 1),
            )
        )
        places = np.geomspace(coarse_hz[0], coarse_hz[-1], TONE_POINTS)
        curve = np.interp(np.log([*coarse_hz, *fine_hz]), np.log(places), points)
        true, separated, song = (
            np.maximum(levels + curve, FLOOR).astype(np.float16)
            for levels in (self.true, self.separated, self.song)
        )
        return replace(self, true=true, separated=separated, song=song)

    def with_added(self, other: "Heard", rng: np.random.Generator) -> Example:
        """The strokes of a kit, with what another song adds to its drum stem and to its drums."""
        start = int(rng.integers(max(1, len(other.true) - len(self.true))))
        length = min(len(self.true), len(other.true))
        own, true, separated, song = (
            np.power(10, levels[at : at + length], dtype=np.float32)
            for levels, at in (
                (self.true, 0),
                (other.true, start),
                (other.separated, start),
                (other.song, start),
            )
        )
        gain = np.float32(10 ** rng.uniform(-ADDED_DECADES, ADDED_DECADES))
        stem, mixture = (own + gain * (all_ - true).clip(0) for all_ in (separated, song))
        if rng.random() < DULL:
            dull = COARSE_BANDS + int(rng.integers(LEAST_FINE, FINE_BANDS))
            stem[:, dull:], mixture[:, dull:] = 0, 0
        return self.example(
            *(np.log10(power + 10**FLOOR).astype(np.float16) for power in (stem, mixture))
        )


def hear_song(seed: int, separator: Separator, material: Path | None) -> Heard:
    """Compose, play and separate a song."""
    played = song(seed, SONGS[seed], material if seed in SAMPLED else None)
    separated = separator.separate(AudioSignal(played.mixture, RATE))["drums"].samples
    return Heard.of(played.score, played.stems[DRUMS], separated, played.mixture)


def hear_kit(seed: int, material: Path | None) -> Heard:
    """Compose a song and play nothing but its drums."""
    composing, playing = np.random.default_rng(seed).spawn(2)
    score = compose(composing, KIT_LENGTH_S)
    score = replace(score, parts=tuple(part for part in score.parts if part.role == "kit"))
    stem = render(score, playing, material if seed % 2 else None)[DRUMS]
    return Heard.of(score, stem, stem, stem)


def kept(file: Path, hear: Callable[[], Heard]) -> Heard:
    """What was heard before, or is now."""
    if not file.exists():
        unfinished = file.with_suffix(".tmp.npz")
        np.savez(unfinished, **vars(hear()))
        unfinished.replace(file)
    with np.load(file) as arrays:
        return Heard(**arrays)


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
        """Logits [moment, kind]; while training, all is a little louder or softer."""
        alike = (shown - self.mean) / self.scale
        if self.training:
            alike = alike + 0.15 * torch.randn(len(shown), 1)
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
    separator, material = Separator("lite", ("drums",)), arguments.material
    songs = [
        kept(folder / f"{seed}.npz", partial(hear_song, seed, separator, material))
        for seed in SONGS
    ]
    kits = [kept(folder / f"{seed}.npz", partial(hear_kit, seed, material)) for seed in KITS]
    rng = np.random.default_rng(0)
    groups = [_examples(song, rng) for song in songs]
    groups += [
        [
            kit.in_another_tone(rng).with_added(songs[int(rng.integers(len(songs)))], rng)
            for _ in range(KIT_TAKES)
        ]
        for kit in kits
        if len(kit.words)
    ]
    halves = [
        [each for group in groups[k::2] for each in group if len(each.moments)] for k in (0, 1)
    ]
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


def _examples(song: Heard, rng: np.random.Generator) -> list[Example]:
    """A song's true stem and the separated one, and that in other tones."""
    toned = [song.in_another_tone(rng) for _ in range(SONG_TAKES)]
    return [
        song.example(song.true, song.song),
        *(each.example(each.separated, each.song) for each in (song, *toned)),
    ]


def _fit_sound(heard: Sequence[Example]) -> Network:
    patches = [each.moments.patches(slice(None)) for each in heard]
    return fit(patches, [each.truth for each in heard], SOUND_UNITS, SOUND_DROPOUT)


if __name__ == "__main__":
    main()

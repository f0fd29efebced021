"""A network and songs that are small enough to train in a test."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from train.options import (
    AugmentationOptions,
    DataOptions,
    NetworkOptions,
    OptimiserOptions,
    Options,
    RunOptions,
)

from unbraid.types import Samples

RATE = 44_100
NETWORK = NetworkOptions(
    channels=4,
    bottleneck=8,
    dilations=(1, 2),
    bottleneck_dilations=((1, 3),),
    prior=0.0,
    reluctance=0.0,
)
OFF = AugmentationOptions(
    gain_db=0,
    polarity=0,
    swap=0,
    width=0,
    equaliser=0,
    drop=(0, 0, 0, 0),
    solo=0,
    master_equaliser=0,
    compression=0,
    band_limit=0,
    level_db=0,
)


def options(steps: int = 6) -> Options:
    return Options(
        network=NETWORK,
        data=DataOptions(workers=0, pool_songs=3, batch_size=2, excerpt_frames=8),
        augmentation=AugmentationOptions(),
        optimiser=OptimiserOptions(steps=steps, learning_rate=1e-2, warmup_steps=2),
        run=RunOptions(bf16=False, report_steps=2),
    )


def song(seed: int) -> Samples:
    """Tones at 900 Hz, noise, 60 Hz, and 5 kHz, a second of them."""
    rng = np.random.default_rng(seed)
    time = np.arange(RATE) / RATE
    stems = np.empty((4, 2, RATE), np.float32)
    for stem, frequency in ((0, 900), (2, 60), (3, 5000)):
        stems[stem] = 0.2 * np.sin(2 * np.pi * frequency * time + rng.uniform(0, 6, (2, 1)))
    stems[1] = rng.normal(0, 0.05, (2, RATE))
    return stems


@dataclass(frozen=True)
class Song:
    stems: Samples


def compose(seed: int, length_s: float, material: Path | None) -> Song:
    """As `train.synthesis.song` does."""
    return Song(song(seed)[..., : round(length_s * RATE)])

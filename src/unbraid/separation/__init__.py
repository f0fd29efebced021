"""Separation of a mixture into stems."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from unbraid.audio import load
from unbraid.separation.choice import ModelChoice, choose_models
from unbraid.separation.loading import load_separator
from unbraid.separation.mixture import Mixture, MixtureArray, MixtureFile, MixtureStatistics
from unbraid.separation.separator import Separator
from unbraid.types import AudioSignal, StemName, Stems

__all__ = [
    "Mixture",
    "MixtureArray",
    "MixtureFile",
    "MixtureStatistics",
    "ModelChoice",
    "Separator",
    "choose_models",
    "load_separator",
    "separate",
]


def separate(
    song: AudioSignal | Path | str,
    model: str = "lite",
    stems: Sequence[StemName] | None = None,
    threads: int | None = None,
) -> Stems:
    """Separate a song in memory.

    Args:
        song: a signal of any rate and number of channels, or the path of a recording.
        model: name of a separation model.
        stems: stems to compute; None for all, which then sum to the song.
        threads: threads of the network; None for the cores this process may use.

    Returns:
        The stems: stereo, as long as the song, at the model's sample rate.

    Raises:
        AudioError: the recording is missing or unreadable.
        ModelError: the model is unknown, missing or damaged.
        InputError: the model has no such stem.
    """
    separator = load_separator(model, stems, threads)
    rate = separator.choice.sample_rate
    mixture = MixtureArray(song if isinstance(song, AudioSignal) else load(Path(song)), rate)
    samples = np.zeros((len(separator.stems), 2, mixture.length), np.float32)
    written = 0
    for finished in separator.stretches(mixture):
        samples[..., written : written + finished.shape[-1]] = finished
        written += finished.shape[-1]
    return {
        name: AudioSignal(stem, rate) for name, stem in zip(separator.stems, samples, strict=True)
    }

"""Separation of a mixture into stems."""

from collections.abc import Sequence
from pathlib import Path

from unbraid.separation.choice import ModelChoice, choose_models
from unbraid.separation.live import LiveSeparator
from unbraid.separation.loaded import LoadedModel
from unbraid.separation.loading import load_separator
from unbraid.separation.mixture import Mixture, MixtureArray, MixtureFile, MixtureStatistics
from unbraid.separation.separator import Separator
from unbraid.types import AudioSignal, StemName, Stems

__all__ = [
    "LiveSeparator",
    "LoadedModel",
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
    """Separate a song in memory; `Separator` does several with one model.

    Args:
        song: a signal of any rate and number of channels, or the path of a recording.
        model: name of a separation model.
        stems: stems to compute; None for all, which then sum to the song.
        threads: threads of the network; None for the cores this process may use.

    Returns:
        The stems: stereo, as long as the song, at the model's sample rate.

    Raises:
        AudioError: the recording is missing or unreadable, or holds no samples.
        ModelError: the model is unknown, missing or damaged.
        InputError: the model has no such stem.
    """
    return Separator(model, stems, threads=threads).separate(song)

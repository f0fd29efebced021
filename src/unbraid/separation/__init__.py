"""Separation of a mixture into stems."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unbraid.audio import load
from unbraid.errors import InputError
from unbraid.inference import available_cores
from unbraid.separation.ensemble import Pass, blend
from unbraid.separation.mixture import Mixture, MixtureArray, MixtureFile, MixtureStatistics
from unbraid.types import AudioSignal, Samples, StemName, Stems
from unbraid.weights import ModelEntry, find_model

__all__ = [
    "Mixture",
    "MixtureArray",
    "MixtureFile",
    "MixtureStatistics",
    "Separator",
    "choose_stems",
    "load_separator",
    "separate",
]


@dataclass(frozen=True)
class Separator:
    """A model ready to separate; the same song gives the same stems, bit by bit.

    Attributes:
        entry: the model.
        stems: the stems it makes, in this order.
        passes: its ways through the song, of which the average is taken.
        threads: threads it computes with, on which the last bits depend.
    """

    entry: ModelEntry
    stems: tuple[StemName, ...]
    passes: tuple[Pass, ...]
    threads: int

    def stretches(self, mixture: Mixture, written: int = 0) -> Iterator[Samples]:
        """Separate a song segment by segment, in the memory of one segment.

        Args:
            mixture: the song, at the model's rate.
            written: samples that exist from an earlier run; those yielded follow them.

        Yields:
            float32 [stem, 2, time]: consecutive stretches, final as they are.
        """
        return blend(self.passes, self.stems, mixture, written)


def load_separator(
    name: str, stems: Sequence[StemName] | None = None, threads: int | None = None
) -> Separator:
    """Load a model.

    Args:
        name: as `unbraid models list` shows it.
        stems: stems to compute; None for all.
        threads: threads to compute with; None for the cores this process may use.

    Raises:
        ModelError: the model is unknown, missing or damaged.
        InputError: the model has no such stem.
    """
    entry = find_model(name)
    wanted = choose_stems(entry, stems)
    cores = threads or available_cores()
    from unbraid.separation.lite import LiteNetwork

    network = LiteNetwork(entry, wanted, cores)
    return Separator(entry, wanted, (Pass(network, (1.0,) * len(wanted)),), cores)


def choose_stems(entry: ModelEntry, stems: Sequence[StemName] | None) -> tuple[StemName, ...]:
    """The wanted stems in the order of the model.

    Raises:
        InputError: the model has no such stem.
    """
    if stems is None:
        return entry.stems
    unknown = [stem for stem in stems if stem not in entry.stems]
    if unknown or not stems:
        raise InputError(
            f"the model {entry.name} has no stem {', '.join(unknown) or '(none named)'}; "
            f"it has: {', '.join(entry.stems)}"
        )
    return tuple(stem for stem in entry.stems if stem in stems)


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
    rate = separator.entry.sample_rate
    mixture = MixtureArray(song if isinstance(song, AudioSignal) else load(Path(song)), rate)
    samples = np.zeros((len(separator.stems), 2, mixture.length), np.float32)
    written = 0
    for finished in separator.stretches(mixture):
        samples[..., written : written + finished.shape[-1]] = finished
        written += finished.shape[-1]
    return {
        name: AudioSignal(stem, rate) for name, stem in zip(separator.stems, samples, strict=True)
    }

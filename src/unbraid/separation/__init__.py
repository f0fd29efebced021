"""Separation of a mixture into stems."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from unbraid.audio import load
from unbraid.errors import InputError
from unbraid.inference import available_cores
from unbraid.separation.mixture import Mixture, MixtureArray, MixtureFile, MixtureStatistics
from unbraid.separation.segments import Segment, plan, stitch
from unbraid.types import AudioSignal, Samples, StemName, Stems
from unbraid.weights import ModelEntry, find_model

__all__ = [
    "Mixture",
    "MixtureArray",
    "MixtureFile",
    "MixtureStatistics",
    "Segment",
    "Separator",
    "choose_stems",
    "load_separator",
    "separate",
    "separate_mixture",
]


class Separator(Protocol):
    """A loaded model. `run` is pure: the same segment gives the same stems, bit by bit."""

    @property
    def entry(self) -> ModelEntry:
        """The model it runs."""

    @property
    def stems(self) -> tuple[StemName, ...]:
        """The stems it returns, in this order."""

    @property
    def segment_samples(self) -> int:
        """Samples of a segment."""

    @property
    def overlap_samples(self) -> int:
        """Samples that neighbouring segments share."""

    @property
    def threads(self) -> int:
        """Threads it computes with, on which the last bit of its result depends."""

    def run(self, mixture: Samples, statistics: MixtureStatistics) -> Samples:
        """Separate float32 [2, time] into float32 [stem, 2, time]."""


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
    from unbraid.separation.lite import LiteSeparator

    return LiteSeparator(entry, wanted, threads or available_cores())


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
    for finished in separate_mixture(separator, mixture):
        samples[..., written : written + finished.shape[-1]] = finished
        written += finished.shape[-1]
    return {
        name: AudioSignal(stem, rate) for name, stem in zip(separator.stems, samples, strict=True)
    }


def separate_mixture(separator: Separator, mixture: Mixture, written: int = 0) -> Iterator[Samples]:
    """Separate a song segment by segment, in the memory of one segment.

    Args:
        separator: the model.
        mixture: the song, at the model's rate.
        written: samples that exist from an earlier run; those yielded follow them.

    Yields:
        float32 [stem, 2, time]: consecutive stretches, final as they are.
    """
    length = separator.segment_samples
    segments = plan(mixture.length, length, separator.overlap_samples)

    def run(segment: Segment) -> Samples:
        # The last segment may be short: it is computed with the real samples before it.
        start = max(0, min(segment.start, segment.stop - length))
        samples = separator.run(mixture.read(start, segment.stop), mixture.statistics)
        return samples[..., segment.start - start :]

    return stitch(segments, run, written)

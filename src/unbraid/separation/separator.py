"""A model kept ready to separate songs in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from unbraid.audio import load
from unbraid.errors import AudioError, InputError
from unbraid.inference import available_cores
from unbraid.separation.choice import choose_models
from unbraid.separation.loaded import LoadedModel
from unbraid.separation.loading import fetch_models, load_models, way_of
from unbraid.separation.machine import read_machine
from unbraid.separation.mixture import MixtureArray
from unbraid.separation.runtime import check_device
from unbraid.separation.way import Way
from unbraid.types import (
    AudioSignal,
    Device,
    OnProgress,
    Precision,
    Progress,
    Samples,
    SeparationOptions,
    StemName,
    Stems,
)
from unbraid.weights import ModelStore, OnTransfer, Transfer


@dataclass(frozen=True)
class _Loaded:
    """A model, and the way in which it computes."""

    model: LoadedModel
    way: Way


class Separator:
    """Separates songs in memory with a model that is loaded once, for the first of them.

    Any number of threads may use one, at the same time. `close`, or the end of a `with` block,
    gives back the memory of the networks.

    >>> song = AudioSignal(np.zeros((2, 48_000), np.float32), sample_rate=48_000)
    >>> with Separator("lite", stems=["vocals", "bass"]) as separator:
    ...     stems = separator.separate(song)
    >>> stems["bass"].samples.shape, stems["bass"].sample_rate
    ((2, 44100), 44100)

    Attributes:
        stems: the stems it makes, in the order of the model.
        sample_rate: of the stems, in Hz.
    """

    def __init__(
        self,
        model: str = "lite",
        stems: Sequence[StemName] | None = None,
        *,
        shifts: int = 0,
        seed: int = 0,
        weights: Mapping[StemName, tuple[float, ...]] | None = None,
        device: Device = "auto",
        precision: Precision = "exact",
        segment_s: float | None = None,
        overlap: float | None = None,
        threads: int | None = None,
        models_dir: Path | str | None = None,
        offline: bool = False,
    ) -> None:
        """Choose a model; nothing is pulled or loaded yet.

        Args:
            model: name of a separation model, or a folder that holds one; several are joined by +.
            stems: stems to make; None for all. Networks for others are neither pulled nor loaded.
            shifts: times that a song is separated, each time shifted, for the mean of all.
            seed: of the shifts.
            weights: of several models in the mean of a stem, a number for each.
            device: where the networks compute; `auto` takes a GPU that is large enough.
            precision: `exact` computes in float32, `fast` in shorter numbers where that is faster.
            segment_s: seconds of a segment; None takes what suits the model and the device.
            overlap: share of a segment that neighbours share; None takes what suits the model.
            threads: threads of the networks; None for the cores this process may use.
            models_dir: where models lie; None for the user's cache folder.
            offline: never ask the network.

        Raises:
            ModelError: the model is unknown.
            InputError: the model has no such stem, the device is not there, or another option has
                no meaning.
        """
        self._options = SeparationOptions(
            shifts, seed, weights or {}, device, precision, segment_s, overlap
        )
        check_device(device, read_machine())
        self._store = ModelStore(Path(models_dir) if models_dir else None, offline=offline)
        self._choice = choose_models(model, stems, self._options.weights, self._store)
        self._threads = threads or available_cores()
        self._way: Way | None = None
        self._loaded: _Loaded | None = None
        self._loading = Lock()
        self.stems = self._choice.stems
        self.sample_rate = self._choice.sample_rate

    def separate(
        self,
        song: AudioSignal | Path | str | npt.NDArray[Any],
        sample_rate: int | None = None,
        *,
        on_progress: OnProgress | None = None,
    ) -> Stems:
        """Separate a song, whatever its sample rate, length and number of channels.

        All stems of the model `lite` sum to the song, once that is stereo and at the model's rate,
        but for the rounding of float32. The stems of other models do so nearly; what they leave is
        the song minus their sum. Nothing is clipped: a stem may exceed full scale.

        Args:
            song: a signal, the path of a recording, or samples: floating point, [channel, time] or
                [time], full scale 1.0.
            sample_rate: of samples that come without.
            on_progress: called while the model is pulled and after each segment; may raise
                `Cancelled` to stop.

        Returns:
            The stems: float32 [2, time], also of a mono song, as long as the song, at
            `self.sample_rate`.

        Raises:
            AudioError: the recording is missing or unreadable, or holds no samples.
            InputError: the samples are not floating point, or have no sample rate.
            ModelError: the model cannot be pulled or is damaged.
            MissingExtraError: a package that the model needs is not installed.
            ResourceError: the memory does not suffice, in whatever way the model computes.
        """
        mixture = MixtureArray(_signal(song, sample_rate), self.sample_rate)
        if not mixture.length:
            raise AudioError(f"the song is shorter than a sample at {self.sample_rate} Hz")
        samples = None
        while samples is None:
            samples = self._try(mixture, on_progress)
        return {
            name: AudioSignal(stem, self.sample_rate)
            for name, stem in zip(self.stems, samples, strict=True)
        }

    def close(self) -> None:
        """Give back the memory of the networks; another song loads them again."""
        with self._loading:
            self._way = self._loaded = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _try(self, mixture: MixtureArray, on_progress: OnProgress | None) -> Samples | None:
        """The stems of a song; None where another way to compute them is to be tried now.

        By then the networks that failed are given back: the memory may not suffice for both.
        """
        loaded = self._load(on_progress)
        try:
            return self._run(loaded.model, mixture, on_progress)
        except Exception as error:
            other = loaded.way.after(error)
            if other is None:
                raise
        with self._loading:
            if self._loaded is loaded:  # no other thread has changed it
                self._way, self._loaded = other, None
        return None

    def _run(
        self, model: LoadedModel, mixture: MixtureArray, on_progress: OnProgress | None
    ) -> Samples:
        """The stems of a song, float32 [stem, 2, time]."""
        samples = np.zeros((len(self.stems), 2, mixture.length), np.float32)
        written = 0

        def report() -> None:
            if on_progress:
                done_s, total_s = written / self.sample_rate, mixture.length / self.sample_rate
                on_progress(Progress("separate", done_s, total_s, done_s / total_s))

        report()
        for finished in model.stretches(mixture):
            samples[..., written : written + finished.shape[-1]] = finished
            written += finished.shape[-1]
            report()
        return samples

    def _load(self, on_progress: OnProgress | None) -> _Loaded:
        """The model, loaded by the first thread that needs it."""
        with self._loading:
            while self._loaded is None:
                pulling = _pulling(on_progress)
                fetched = fetch_models(self._choice, self._store, pulling)
                way = self._way = self._way or way_of(fetched, self._options)
                try:
                    model = load_models(
                        self._choice,
                        self._threads,
                        self._options,
                        store=self._store,
                        runtimes=way.runtimes,
                        on_transfer=pulling,
                    )
                except Exception as error:
                    self._way = way.after(error)
                    if self._way is None:
                        raise
                else:
                    self._loaded = _Loaded(model, way)
            return self._loaded


def _pulling(on_progress: OnProgress | None) -> OnTransfer | None:
    """Reports how far a model's files have come."""
    if on_progress is None:
        return None

    def report(transfer: Transfer) -> None:
        fraction = transfer.done / transfer.total if transfer.total else None
        on_progress(Progress("pull", 0.0, None, fraction))

    return report


def _signal(
    song: AudioSignal | Path | str | npt.NDArray[Any], sample_rate: int | None
) -> AudioSignal:
    """A song as a signal that can be separated."""
    if isinstance(song, Path | str):
        return load(Path(song))
    if not isinstance(song, AudioSignal):
        song = np.asarray(song)
        if song.dtype.kind != "f":
            raise InputError(
                f"samples must be floating point with full scale 1.0, got {song.dtype}; "
                "divide whole numbers by their full scale"
            )
        if not sample_rate:
            raise InputError("samples need their sample_rate, in Hz")
        song = AudioSignal(np.atleast_2d(song).astype(np.float32, copy=False), sample_rate)
    if not song.samples.size:
        raise AudioError("the song holds no samples")
    if not np.isfinite(song.samples).all():
        raise AudioError("the song holds samples that are not numbers, or infinite")
    return song

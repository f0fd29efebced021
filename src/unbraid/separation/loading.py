"""A model's name turned into a separator: its files fetched, its networks loaded."""

import importlib.util
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from filelock import FileLock

from unbraid.errors import MissingExtraError, ModelError
from unbraid.inference import available_cores
from unbraid.separation.choice import ModelChoice, Part, choose_models
from unbraid.separation.demucs import DemucsNetwork, has_fixed_window, load_module
from unbraid.separation.ensemble import Pass
from unbraid.separation.htdemucs import OVERLAP, HTDemucsNetwork
from unbraid.separation.lite import LITE, MaskNetwork, MaskTraits
from unbraid.separation.loaded import LoadedModel
from unbraid.separation.machine import read_machine
from unbraid.separation.memory import Needs
from unbraid.separation.network import Network
from unbraid.separation.openunmix import SEGMENT_S as OPENUNMIX_SEGMENT_S
from unbraid.separation.openunmix import OpenUnmixNetwork
from unbraid.separation.runtime import Runtime
from unbraid.separation.way import Way, choose_way
from unbraid.types import SeparationOptions, StemName
from unbraid.weights import LocalModel, ModelEntry, ModelStore, OnTransfer
from unbraid.weights.custom import read_onnx_model
from unbraid.weights.entries import Member
from unbraid.weights.header import read_header

CORE_VERSION = 4  # of exported networks; a new one exports them again
MAX_SHIFT_S = 0.5
TRANSFORMER_SEGMENT_S, DEMUCS_SEGMENT_S = 7.8, 10.0  # where a model's description names none
EXPORTERS = ("torch", "demucs", "onnx")  # packages that exporting takes


def load_separator(
    name: str,
    stems: Sequence[StemName] | None = None,
    threads: int | None = None,
    *,
    options: SeparationOptions = SeparationOptions(),  # noqa: B008  it is frozen
    store: ModelStore | None = None,
    on_transfer: OnTransfer | None = None,
) -> LoadedModel:
    """Load a model, pulling its files if they are not here.

    Args:
        name: as `unbraid models list` shows it, or a folder with a model, or several joined by +.
        stems: stems to compute; None for all. Networks that have no part in them are not loaded.
        threads: threads to compute with; None for the cores this process may use.
        options: how the song is gone through.
        store: where models lie; None for the user's cache folder.
        on_transfer: called while files are pulled.

    Raises:
        ModelError: the model is unknown, cannot be pulled or is damaged.
        MissingExtraError: a package that the model needs is not installed.
        InputError: the model has no such stem, or not such weights, or not such segments, or the
            device is not there.
        ResourceError: the memory does not suffice.
    """
    store = store or ModelStore()
    choice = choose_models(name, stems, options.weights, store)
    return load_models(
        choice, threads or available_cores(), options, store=store, on_transfer=on_transfer
    )


def load_models(
    choice: ModelChoice,
    threads: int,
    options: SeparationOptions,
    *,
    store: ModelStore,
    runtimes: Mapping[str, Runtime] | None = None,
    on_transfer: OnTransfer | None = None,
) -> LoadedModel:
    """Load the networks of chosen models, as `load_separator` does.

    Args:
        choice: the models.
        threads: threads to compute with.
        options: how the song is gone through.
        store: where models lie.
        runtimes: where and how each model computes; None chooses by the options and the machine.
        on_transfer: called while files are pulled.
    """
    fetched = fetch_models(choice, store, on_transfer)
    runtimes = runtimes or way_of(fetched, options).runtimes
    shifts = _shifts(options, choice.sample_rate)
    return LoadedModel(
        choice=choice,
        weights=digests(fetched),
        passes=tuple(
            Pass(network, weights, shift)
            for local, part in zip(fetched, choice.parts, strict=True)
            for network, weights in _Loader(
                local, part, threads, runtimes[part.entry.name], store.cores(part.entry)
            ).networks()
            for shift in shifts
        ),
        threads=threads,
        runtimes=runtimes,
    )


def fetch_models(
    choice: ModelChoice, store: ModelStore, on_transfer: OnTransfer | None
) -> tuple[LocalModel, ...]:
    """The verified files of the networks that take part, pulled if they are not here.

    Raises:
        ModelError: a model cannot be pulled or is damaged, or its licence is not confirmed.
    """
    return tuple(
        store.fetch(
            part.entry,
            None if part.entry.engine == "openunmix" else part.stems,  # it compares all stems
            on_transfer,
        )
        for part in choice.parts
    )


def way_of(fetched: Sequence[LocalModel], options: SeparationOptions) -> Way:
    """How models compute on this machine.

    Raises:
        InputError: the device that is asked for is not there.
        ResourceError: the memory does not suffice.
    """
    needs = {local.entry.name: needs_of(local.entry, local.files) for local in fetched}
    return choose_way(options, needs, read_machine())


def needs_of(entry: ModelEntry, files: Mapping[str, Path]) -> Needs:
    """What the memory of a model depends on.

    Args:
        entry: the model.
        files: of its networks that take part, by their names.
    """
    paths = files.values()
    networks, size = len(paths), sum(path.stat().st_size for path in paths)
    match entry.engine:
        case "lite" | "onnx":
            traits = LITE if entry.engine == "lite" else _described(entry)
            return Needs("mask", networks, size, traits.segment_samples / entry.sample_rate)
        case "openunmix":
            return Needs("openunmix", networks, size, OPENUNMIX_SEGMENT_S)
        case "demucs":
            if {read_header(path).network for path in paths} == {"demucs.htdemucs.HTDemucs"}:
                return Needs("htdemucs", networks, size, TRANSFORMER_SEGMENT_S)
            return Needs("demucs", networks, size, entry.segment_s or DEMUCS_SEGMENT_S)


def digests(fetched: Sequence[LocalModel]) -> dict[str, str]:
    """SHA-256 of the weights of each network, by its name; among several models by both names."""
    if len(fetched) == 1:
        return dict(fetched[0].sha256)
    return {
        f"{local.entry.name}/{network}": sha256
        for local in fetched
        for network, sha256 in local.sha256.items()
    }


def _shifts(options: SeparationOptions, sample_rate: int) -> list[int]:
    """Samples of silence before the song, for each time that it is gone through."""
    if not options.shifts:
        return [0]
    rng = np.random.default_rng(options.seed)
    return [int(rng.integers(round(MAX_SHIFT_S * sample_rate))) for _ in range(options.shifts)]


def _described(entry: ModelEntry) -> MaskTraits:
    """What the `model.toml` of a folder says of its network."""
    assert entry.folder, "only a folder describes a network of its own"
    model = read_onnx_model(entry.folder)
    segment = round(model.segment_s * model.sample_rate)
    return MaskTraits(
        n_fft=model.stft.n_fft,
        hop_length=model.stft.hop_length,
        bins=model.stft.bins,
        segment_samples=segment,
        overlap_samples=min(round(model.overlap_s * model.sample_rate), segment // 2),
        sums_to_one=False,
    )


def _in_segments(traits: MaskTraits, runtime: Runtime, sample_rate: int) -> MaskTraits:
    """A masking network in segments of whole hops, of the length that was asked for."""
    segment, overlap, hop = traits.segment_samples, traits.overlap_samples, traits.hop_length
    share = overlap / segment if runtime.overlap is None else runtime.overlap
    if runtime.segment_s is not None:
        segment = max(1, round(runtime.segment_s * sample_rate / hop)) * hop
    if (runtime.segment_s, runtime.overlap) != (None, None):
        overlap = int(share * segment)
    return replace(traits, segment_samples=segment, overlap_samples=overlap)


@dataclass(frozen=True)
class _Loader:
    """Loads the networks of a model, each with its shares of its stems."""

    local: LocalModel
    part: Part
    threads: int
    runtime: Runtime
    cores: Path

    def networks(self) -> list[tuple[Network, tuple[float, ...]]]:
        match self.part.entry.engine:
            case "lite":
                return self._masking(LITE)
            case "onnx":
                return self._masking(_described(self.part.entry))
            case "demucs":
                return self._demucs()
            case "openunmix":
                return self._openunmix()

    def _masking(self, traits: MaskTraits) -> list[tuple[Network, tuple[float, ...]]]:
        (file,) = self.local.files.values()
        part = self.part
        traits = _in_segments(traits, self.runtime, part.entry.sample_rate)
        network = MaskNetwork(file, part.entry.stems, part.stems, self.threads, traits)
        return [(network, tuple(part.shares.values()))]

    def _openunmix(self) -> list[tuple[Network, tuple[float, ...]]]:
        network = OpenUnmixNetwork(
            self.local.files,
            self.part.stems,
            segment_s=self.runtime.segment_s,
            overlap=self.runtime.overlap,
            threads=self.threads,
            device=self.runtime.device,
        )
        return [(network, tuple(self.part.shares.values()))]

    def _demucs(self) -> list[tuple[Network, tuple[float, ...]]]:
        entry, shares = self.part.entry, self.part.shares
        columns = zip(*(member.weights for member in entry.members), strict=True)
        totals = dict(zip(entry.stems, map(sum, columns), strict=True))
        networks = []
        for member in entry.members_for(shares):
            weights = dict(zip(entry.stems, member.weights, strict=True))
            stems = tuple(stem for stem in shares if weights[stem])
            network = self._member(member, stems)
            networks.append(
                (network, tuple(shares[stem] * weights[stem] / totals[stem] for stem in stems))
            )
        return networks

    def _member(self, member: Member, stems: tuple[StemName, ...]) -> Network:
        """The core of an HTDemucs on the CPU, any other network over torch."""
        weights, runtime, entry = self.local.files[member.name], self.runtime, self.part.entry
        if runtime.provider == "torch":
            module = load_module(weights, self.threads)
            usual_s = None if has_fixed_window(module) else entry.segment_s
            return DemucsNetwork(
                module,
                stems,
                segment_s=runtime.segment_s or usual_s,
                overlap=runtime.overlap,
                device=runtime.device,
                arithmetic=runtime.arithmetic,
                batch=runtime.batch,
            )
        assert runtime.arithmetic != "float16", "cores compute on the CPU"
        return HTDemucsNetwork(
            self._core(member),
            stems,
            self.threads,
            runtime.provider,
            runtime.arithmetic,
            overlap=OVERLAP if runtime.overlap is None else runtime.overlap,
            segment_s=runtime.segment_s,
            sample_rate=entry.sample_rate,
        )

    def _core(self, member: Member) -> Path:
        """The exported core of a network, made in a process of its own at the first time.

        It makes the stems that the network has a part in, of which the user may want some.
        """
        weights = zip(self.part.entry.stems, member.weights, strict=True)
        stems = [stem for stem, weight in weights if weight]
        sha256 = self.local.sha256[member.name]
        folder = self.cores / "-".join([sha256[:32], str(CORE_VERSION), *stems])
        core = folder / "core.onnx"
        if core.exists():
            return core
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "core.lock"):
            if not core.exists():
                unfinished = core.with_suffix(".partial")
                _export(self.local.files[member.name], unfinished, stems)
                unfinished.replace(core)
        return core


def _export(weights: Path, core: Path, stems: Sequence[StemName]) -> None:
    """Export in another process, whose memory goes with it, and which Ctrl-C does not reach."""
    if not all(map(importlib.util.find_spec, EXPORTERS)):
        raise MissingExtraError(
            "Demucs models need the extra `demucs`: pip install 'unbraid[demucs]'"
        )
    module = "unbraid.separation.exporting"
    command = [sys.executable, "-m", module, str(weights), str(core), *stems]
    run = subprocess.run(
        command, capture_output=True, text=True, check=False, start_new_session=True
    )
    if run.returncode:
        reason = (run.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ModelError(f"{weights.name} cannot be exported to ONNX: {reason}")

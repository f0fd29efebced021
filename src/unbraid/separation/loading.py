"""A model's name turned into a separator: its files fetched, its networks loaded."""

import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from filelock import FileLock

from unbraid.errors import InputError, MissingExtraError, ModelError
from unbraid.inference import available_cores
from unbraid.separation.demucs import DemucsNetwork, has_fixed_window, load_module
from unbraid.separation.ensemble import Pass
from unbraid.separation.htdemucs import OVERLAP, HTDemucsNetwork
from unbraid.separation.lite import LITE, MaskNetwork, MaskTraits
from unbraid.separation.machine import read_machine
from unbraid.separation.network import Network
from unbraid.separation.runtime import Architecture, Runtime, choose_runtime
from unbraid.separation.separator import Separator
from unbraid.types import SeparationOptions, StemName
from unbraid.weights import LocalModel, ModelEntry, ModelStore, OnTransfer
from unbraid.weights.custom import read_onnx_model
from unbraid.weights.header import read_header

CORE_VERSION = 1  # of exported networks; a new one exports them again
MAX_SHIFT_S = 0.5
EXPORTERS = ("torch", "demucs", "onnx")  # packages that exporting takes


def load_separator(
    name: str,
    stems: Sequence[StemName] | None = None,
    threads: int | None = None,
    *,
    options: SeparationOptions = SeparationOptions(),  # noqa: B008  it is frozen
    runtime: Runtime | None = None,
    store: ModelStore | None = None,
    on_transfer: OnTransfer | None = None,
) -> Separator:
    """Load a model, pulling its files if they are not here.

    Args:
        name: as `unbraid models list` shows it, or a folder with a model.
        stems: stems to compute; None for all. Networks that have no part in them are not loaded.
        threads: threads to compute with; None for the cores this process may use.
        options: how the song is gone through.
        runtime: where and how the networks compute; None chooses by the options and the machine.
        store: where models lie; None for the user's cache folder.
        on_transfer: called while files are pulled.

    Raises:
        ModelError: the model is unknown, cannot be pulled or is damaged.
        MissingExtraError: a package that the model needs is not installed.
        InputError: the model has no such stem, the device is not there, or the segment too long.
    """
    store = store or ModelStore()
    entry = store.find(name)
    wanted = choose_stems(entry, stems)
    local = fetch_weights(name, stems, store, on_transfer)
    runtime = runtime or choose_runtime(options, architecture(local), read_machine())
    loader = _Loader(local, wanted, threads or available_cores(), runtime, store.folder / ".cores")
    shifts = _shifts(options, entry.sample_rate)
    return Separator(
        entry=entry,
        weights=local.sha256,
        stems=wanted,
        passes=tuple(
            Pass(network, weights, shift)
            for network, weights in loader.networks()
            for shift in shifts
        ),
        threads=loader.threads,
        runtime=runtime,
    )


def fetch_weights(
    name: str, stems: Sequence[StemName] | None, store: ModelStore, on_transfer: OnTransfer | None
) -> LocalModel:
    """The verified files of the networks that some stems need, pulled if they are not here.

    Raises:
        ModelError: the model is unknown, cannot be pulled or is damaged.
        InputError: the model has no such stem.
    """
    entry = store.find(name)
    wanted = choose_stems(entry, stems)
    needed = None if entry.engine == "openunmix" else wanted  # its filter compares all stems
    return store.fetch(entry, needed, on_transfer)


def architecture(local: LocalModel) -> Architecture:
    """What the networks of a model are, by their files."""
    match local.entry.engine:
        case "lite" | "onnx":
            return "mask"
        case "openunmix":
            return "openunmix"
        case "demucs":
            return "htdemucs" if all(map(_is_htdemucs, local.files.values())) else "demucs"


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
    """Loads the networks of a model, each with its weights in the average."""

    local: LocalModel
    stems: tuple[StemName, ...]
    threads: int
    runtime: Runtime
    cores: Path

    def networks(self) -> list[tuple[Network, tuple[float, ...]]]:
        match self.local.entry.engine:
            case "lite":
                return self._masking(LITE)
            case "onnx":
                return self._masking(_described(self.local.entry))
            case "demucs":
                return self._demucs()
            case "openunmix":
                return self._openunmix()

    def _masking(self, traits: MaskTraits) -> list[tuple[Network, tuple[float, ...]]]:
        (file,) = self.local.files.values()
        traits = _in_segments(traits, self.runtime, self.local.entry.sample_rate)
        network = MaskNetwork(file, self.local.entry.stems, self.stems, self.threads, traits)
        return [(network, (1.0,) * len(self.stems))]

    def _openunmix(self) -> list[tuple[Network, tuple[float, ...]]]:
        from unbraid.separation.openunmix import OpenUnmixNetwork

        network = OpenUnmixNetwork(
            self.local.files,
            self.stems,
            segment_s=self.runtime.segment_s,
            overlap=self.runtime.overlap,
            threads=self.threads,
            device=self.runtime.device,
        )
        return [(network, (1.0,) * len(self.stems))]

    def _demucs(self) -> list[tuple[Network, tuple[float, ...]]]:
        entry = self.local.entry
        if entry.requires and not importlib.util.find_spec(entry.requires):
            raise MissingExtraError(
                f"{entry.name} needs the package {entry.requires}: pip install {entry.requires}"
            )
        networks = []
        for member in entry.members_for(self.stems):
            shares = dict(zip(entry.stems, member.weights, strict=True))
            stems = tuple(stem for stem in self.stems if shares[stem])
            network = self._member(member.name, stems)
            networks.append((network, tuple(shares[stem] for stem in stems)))
        return networks

    def _member(self, name: str, stems: tuple[StemName, ...]) -> Network:
        """The core of an HTDemucs on the CPU, any other network over torch."""
        weights, runtime, entry = self.local.files[name], self.runtime, self.local.entry
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
            )
        assert runtime.arithmetic != "float16", "cores compute on the CPU"
        return HTDemucsNetwork(
            self._core(weights, self.local.sha256[name]),
            stems,
            self.threads,
            runtime.provider,
            runtime.arithmetic,
            overlap=OVERLAP if runtime.overlap is None else runtime.overlap,
            segment_s=runtime.segment_s,
            sample_rate=entry.sample_rate,
        )

    def _core(self, weights: Path, sha256: str) -> Path:
        """The exported core of some weights, made in a process of its own at the first time."""
        core = self.cores / f"{sha256[:32]}-{CORE_VERSION}.onnx"
        if core.exists():
            return core
        self.cores.mkdir(parents=True, exist_ok=True)
        with FileLock(core.with_suffix(".lock")):
            if not core.exists():
                unfinished = core.with_suffix(".partial")
                _export(weights, unfinished)
                unfinished.replace(core)
        return core


def _is_htdemucs(weights: Path) -> bool:
    """Whether a file says that it holds an HTDemucs; a legacy one says nothing before it is run."""
    return weights.suffix == ".safetensors" and read_header(weights).network.endswith(".HTDemucs")


def _export(weights: Path, core: Path) -> None:
    """Export in another process, whose memory goes with it, and which Ctrl-C does not reach."""
    if not all(map(importlib.util.find_spec, EXPORTERS)):
        raise MissingExtraError(
            "Demucs models need the extra `demucs`: pip install 'unbraid[demucs]'"
        )
    command = [sys.executable, "-m", "unbraid.separation.demucs", str(weights), str(core)]
    run = subprocess.run(
        command, capture_output=True, text=True, check=False, start_new_session=True
    )
    if run.returncode:
        reason = (run.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ModelError(f"{weights.name} cannot be exported to ONNX: {reason}")

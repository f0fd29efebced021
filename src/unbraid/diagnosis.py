"""What Unbraid finds on this machine, and whether a model can run on it."""

import importlib.metadata
import importlib.util
import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from unbraid import __version__
from unbraid.errors import MissingExtraError, ModelError, UnbraidError
from unbraid.separation.choice import choose_models
from unbraid.separation.loading import TRANSFORMER_SEGMENT_S, needs_of
from unbraid.separation.machine import MachineFacts, read_machine
from unbraid.separation.memory import Needs
from unbraid.separation.openunmix import SEGMENT_S as OPENUNMIX_S
from unbraid.separation.runtime import Runtime
from unbraid.separation.way import choose_way
from unbraid.types import SeparationOptions
from unbraid.weights import ModelEntry, ModelStore

PACKAGES = ("numpy", "onnxruntime", "openvino", "torch", "demucs", "onnx")
TYPICAL_BYTES = 170_000_000  # of a network that is not here
NEEDED = {"demucs": ("torch", "demucs", "onnx"), "openunmix": ("torch",)}


@dataclass(frozen=True)
class ModelDiagnosis:
    """How a model would run.

    Attributes:
        name: that was asked about.
        here: whether all its files are.
        runtimes: where and how each model of that name would compute, and why.
        estimated_bytes: peak memory of that; None if it is not known.
        warnings: in what that is less than the best.
        problem: why the model cannot run, and what to do; None if it can.
        problem_kind: the kind of error that this would be.
    """

    name: str
    here: bool = False
    runtimes: Mapping[str, Runtime] = field(default_factory=dict)
    estimated_bytes: int | None = None
    warnings: tuple[str, ...] = ()
    problem: str | None = None
    problem_kind: str | None = None


@dataclass(frozen=True)
class Diagnosis:
    """What there is, and how a model would use it.

    Attributes:
        unbraid: version of the program.
        python: version of the interpreter.
        system: the operating system and the kind of processor.
        machine: what there is to compute with.
        packages: versions of the libraries that compute; None for those that are not installed.
        ffmpeg: path of the program; None if it is not installed.
        models_dir: where models lie.
        models_free_bytes: of its disk.
        cache_dir: where results are kept.
        offline: whether the network is never asked.
        model: how it would run.
    """

    unbraid: str
    python: str
    system: str
    machine: MachineFacts
    packages: Mapping[str, str | None]
    ffmpeg: str | None
    models_dir: Path
    models_free_bytes: int
    cache_dir: Path
    offline: bool
    model: ModelDiagnosis


def diagnose(
    model: str,
    options: SeparationOptions,
    store: ModelStore,
    cache_dir: Path,
    *,
    offline: bool = False,
) -> Diagnosis:
    """Look at this machine, and at a model on it; nothing is pulled or loaded.

    Args:
        model: as for `process`.
        options: how it should go through a song.
        store: where models lie.
        cache_dir: where results are kept.
        offline: whether the store never asks the network.
    """
    facts = read_machine()
    return Diagnosis(
        unbraid=__version__,
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        machine=facts,
        packages={name: _version(name) for name in PACKAGES},
        ffmpeg=shutil.which("ffmpeg"),
        models_dir=store.folder,
        models_free_bytes=shutil.disk_usage(_existing(store.folder)).free,
        cache_dir=cache_dir,
        offline=offline,
        model=diagnose_model(model, options, store, facts, offline=offline),
    )


def diagnose_model(
    name: str,
    options: SeparationOptions,
    store: ModelStore,
    facts: MachineFacts,
    *,
    offline: bool = False,
) -> ModelDiagnosis:
    """Find out how a model would run on a machine."""
    try:
        entries = [part.entry for part in choose_models(name, None, {}, store).parts]
        files = {entry.name: _files(entry, store) for entry in entries}
        here = all(len(files[entry.name]) == len(entry.members) for entry in entries)
        for entry in entries:
            _check(entry, store, here or not offline)
        needs = {entry.name: _needs(entry, files[entry.name]) for entry in entries}
        way = choose_way(options, needs, facts)
    except UnbraidError as error:
        return ModelDiagnosis(name, problem=str(error), problem_kind=type(error).__name__)
    return ModelDiagnosis(name, here, way.runtimes, way.estimated_bytes, way.warnings)


def _files(entry: ModelEntry, store: ModelStore) -> dict[str, Path]:
    """The files of a model that are here, by its networks."""
    paths = {
        member.name: [store.path(entry) / file.name for file in member.files]
        for member in store.present(entry)
    }
    return {name: next(filter(Path.is_file, files)) for name, files in paths.items()}


def _check(entry: ModelEntry, store: ModelStore, can_be_had: bool) -> None:
    """Refuse a model that lacks a package, a confirmation or files."""
    missing = [name for name in NEEDED.get(entry.engine, ()) if not importlib.util.find_spec(name)]
    if missing:
        raise MissingExtraError(
            f"{entry.name} needs {', '.join(missing)}: pip install 'unbraid[demucs]'"
        )
    if entry.non_commercial and not store.accepted(entry):
        raise ModelError(
            f"the licence of {entry.name} ({entry.licence}) is not confirmed: "
            f"unbraid models pull {entry.name}"
        )
    if not can_be_had:
        raise ModelError(
            f"{entry.name} is not complete and Unbraid works offline; go online and run: "
            f"unbraid models pull {entry.name}"
        )


def _needs(entry: ModelEntry, files: Mapping[str, Path]) -> Needs:
    """What the memory of a model depends on; guessed for one that is not here."""
    if len(files) == len(entry.members):
        return needs_of(entry, files)
    networks = len(entry.members)
    match entry.engine, entry.segment_s:
        case "openunmix", _:
            return Needs("openunmix", networks, networks * TYPICAL_BYTES // 2, OPENUNMIX_S)
        case _, None:
            return Needs("htdemucs", networks, networks * TYPICAL_BYTES, TRANSFORMER_SEGMENT_S)
        case _, segment_s:
            return Needs("demucs", networks, networks * TYPICAL_BYTES, segment_s)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that exists."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())

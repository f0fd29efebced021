"""Models of the user's own: the entry of a folder with a network.

Three kinds of folders are known, by the file that describes them:
`NAME.yaml` as in Demucs's repositories, `separator.json` as Open-Unmix's training writes it,
`model.toml` for an ONNX network that masks a spectrum.
"""

import json
import re
import tomllib
from pathlib import Path

from unbraid.errors import MissingExtraError, ModelError
from unbraid.types import STEM_NAMES, StemName
from unbraid.weights.descriptions import Bag, OnnxModel, OpenUnmixTransform, parsed
from unbraid.weights.entries import Engine, Member, ModelEntry, WeightsFile
from unbraid.weights.header import read_header


def read_folder(folder: Path) -> ModelEntry:
    """The entry of the model that lies in a folder.

    Raises:
        ModelError: no model lies there, or its description does not hold.
        MissingExtraError: a Demucs model needs the extra `demucs` to be read.
    """
    if (folder / "model.toml").exists():
        return _onnx_entry(folder)
    if (folder / "separator.json").exists():
        return _open_unmix_entry(folder)
    if bags := sorted(folder.glob("*.yaml")):
        return _demucs_entry(folder, bags)
    raise ModelError(
        f"there is no model in {folder}; it should hold NAME.yaml (Demucs), separator.json "
        "(Open-Unmix) or model.toml (an ONNX network)"
    )


def read_onnx_model(folder: Path) -> OnnxModel:
    """What the `model.toml` of a folder says.

    Raises:
        ModelError: it does not hold.
    """
    file = folder / "model.toml"
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} cannot be read: {error}") from error
    return parsed(OnnxModel, table, file)


def _onnx_entry(folder: Path) -> ModelEntry:
    model = read_onnx_model(folder)
    weights = WeightsFile(model.file, model.sha256 or "")
    return _entry(
        folder,
        name=folder.resolve().name,
        engine="onnx",
        stems=model.stems,
        sample_rate=model.sample_rate,
        members=(Member(weights.name, (weights,), (1.0,) * len(model.stems)),),
        segment_s=model.segment_s,
        licence=model.licence,
    )


def _open_unmix_entry(folder: Path) -> ModelEntry:
    targets = {
        file.stem: weights
        for file in folder.glob("*.json")
        if (weights := _weights_file(folder, file.stem, ".pth"))
    }
    if not targets:
        raise ModelError(f"{folder} has no <target>.json with <target>.pth beside it")
    stems = tuple(sorted(targets, key=_usual_order))
    return _entry(
        folder,
        name=folder.resolve().name,
        engine="openunmix",
        stems=stems,
        sample_rate=_read_transform(folder / "separator.json").sample_rate,
        members=tuple(
            Member(target, (targets[target],), tuple(float(stem == target) for stem in stems))
            for target in stems
        ),
    )


def _read_transform(file: Path) -> OpenUnmixTransform:
    try:
        table = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} cannot be read: {error}") from error
    return parsed(OpenUnmixTransform, table, file)


def _weights_file(folder: Path, name: str, suffix: str) -> WeightsFile | None:
    """<name><suffix>, or <name>-<first digits of its SHA-256><suffix>."""
    if (folder / f"{name}{suffix}").exists():
        return WeightsFile(f"{name}{suffix}")
    for file in sorted(folder.glob(f"{name}-*{suffix}")):
        if sha256 := re.fullmatch(r"[0-9a-f]{8,64}", file.stem.removeprefix(f"{name}-")):
            return WeightsFile(file.name, sha256[0])
    return None


def _usual_order(stem: StemName) -> tuple[int, str]:
    return (STEM_NAMES.index(stem) if stem in STEM_NAMES else len(STEM_NAMES), stem)


def _demucs_entry(folder: Path, bags: list[Path]) -> ModelEntry:
    file = next((bag for bag in bags if bag.stem == folder.resolve().name), bags[0])
    bag = _read_bag(file)
    files = [_network_file(folder, signature) for signature in bag.models]
    first = read_header(folder / files[0].name)
    weights = bag.weights or ((1.0,) * len(first.stems),) * len(bag.models)
    if [len(row) for row in weights] != [len(first.stems)] * len(bag.models):
        raise ModelError(
            f"{file} should have {len(bag.models)} rows of {len(first.stems)} weights, "
            f"one for each network and each of {', '.join(first.stems)}"
        )
    return _entry(
        folder,
        name=file.stem,
        engine="demucs",
        stems=first.stems,
        sample_rate=first.sample_rate,
        members=tuple(
            Member(signature, (weights_file,), row)
            for signature, weights_file, row in zip(bag.models, files, weights, strict=True)
        ),
        segment_s=bag.segment,
    )


def _network_file(folder: Path, signature: str) -> WeightsFile:
    """A network as the hub holds it, or as the folders of `demucs --repo` do."""
    hub = WeightsFile(f"{signature}.safetensors")
    legacy = None if (folder / hub.name).exists() else _weights_file(folder, signature, ".th")
    return legacy or hub


def _read_bag(file: Path) -> Bag:
    try:
        import yaml  # type: ignore[import-untyped]  # its types are another package
    except ImportError as error:
        raise MissingExtraError(
            "to read a Demucs model's folder, install the extra: pip install 'unbraid[demucs]'"
        ) from error
    try:
        table = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ModelError(f"{file} cannot be read: {error}") from error
    return parsed(Bag, table, file)


def _entry(
    folder: Path,
    *,
    name: str,
    engine: Engine,
    stems: tuple[StemName, ...],
    sample_rate: int,
    members: tuple[Member, ...],
    segment_s: float | None = None,
    licence: str = "unknown",
) -> ModelEntry:
    return ModelEntry(
        name=name,
        engine=engine,
        stems=stems,
        sample_rate=sample_rate,
        licence=licence,
        source=str(folder),
        summary="A model of your own.",
        members=members,
        segment_s=segment_s,
        folder=folder,
    )

"""Weights of a network in a .safetensors file, with the sizes that they belong to."""

import re
from pathlib import Path

from pydantic import TypeAdapter
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from train.model import MaskingNetwork
from train.options import NetworkOptions
from unbraid.errors import ModelError
from unbraid.export.folder import writing

FIRST = NetworkOptions(cues=False, prior=0, reluctance=0)
"""Sizes of the first network, which says nothing of itself."""

_SIZES = TypeAdapter(NetworkOptions)


def save_weights(network: MaskingNetwork, file: Path) -> None:
    """Write the weights of a network."""
    metadata = {"network": _SIZES.dump_json(network.options).decode()}
    weights = {name: weight.contiguous() for name, weight in network.state_dict().items()}
    with writing(file, file.parent) as unfinished:
        save_file(weights, unfinished, metadata)


def read_network(file: Path) -> MaskingNetwork:
    """A network with the weights of a file and the sizes that stand there.

    Raises:
        ModelError: the file cannot be read, or holds no such network.
    """
    try:
        with safe_open(file, "pt") as content:
            sizes = (content.metadata() or {}).get("network")
        network = MaskingNetwork(_SIZES.validate_json(sizes) if sizes else FIRST)
    except (OSError, SafetensorError, ValueError) as error:
        raise ModelError(f"{file} cannot be read: {error}") from error
    load_weights(network, file)
    return network


def load_weights(network: MaskingNetwork, file: Path) -> None:
    """Take over weights of the same sizes, also those of a network that was told no cues.

    Raises:
        ModelError: the file cannot be read, or its network has other sizes.
    """
    try:
        weights = {_today(name): weight for name, weight in load_file(file).items()}
        new = {name: w for name, w in network.state_dict().items() if name.startswith("cue_")}
        network.load_state_dict(new | weights)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{file} cannot be read: {error}") from error
    except RuntimeError as error:
        reason = str(error).splitlines()[1].strip()
        raise ModelError(f"{file} does not fit a network of these sizes: {reason}") from error


_FIRST_NAMES = {
    "enc": "encoder",
    "dec": "decoder",
    "bl": "blocks",
    "n0": "encoder_norm",
    "n1": "decoder_norm",
    "pos": "position",
    "pre": "widen",
    "dw": "depthwise",
    "n": "norm",
    "ns": "norms",
    "cv": "convolutions",
    "a": "widen",  # of a local block
    "b": "narrow",
    "i": "narrow",  # of a global block
    "o": "widen",
    "g": "scale",
    "w": "weight",
}


def _today(name: str) -> str:
    """The name of a weight, of which the first network's had shorter ones."""
    parts = re.sub(r"\.b$", ".bias", name).split(".")
    return ".".join(_FIRST_NAMES.get(part, part) for part in parts)

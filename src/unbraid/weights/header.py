"""What the header of a Demucs network's safetensors file says, read without torch.

The format: 8 bytes with the header's length, then the header as JSON, then the tensors. Demucs
keeps the network's class and its arguments in the header's metadata.
"""

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unbraid.errors import ModelError
from unbraid.types import StemName

MAX_BYTES = 2**24  # a network of a thousand tensors takes 0.1 MB
NETWORKS = ("demucs.htdemucs.HTDemucs", "demucs.hdemucs.HDemucs", "demucs.demucs.Demucs")
SAMPLE_RATE = 44100  # of a network that was made without naming another


@dataclass(frozen=True)
class NetworkHeader:
    """What a network is.

    Attributes:
        network: its class, one of Demucs's own.
        stems: in the order of its output.
        sample_rate: samples per second.
    """

    network: str
    stems: tuple[StemName, ...]
    sample_rate: int


def read_header(path: Path) -> NetworkHeader:
    """Read what network a file holds.

    Args:
        path: a .safetensors file as Demucs's hub repositories hold them.

    Raises:
        ModelError: it is damaged, or names a class that is not one of Demucs's networks.
    """
    try:
        metadata = _metadata(path)
        network = metadata["klass"]
        arguments, options = json.loads(metadata["args"]), json.loads(metadata["kwargs"])
        stems = options.get("sources") or arguments[0]
        sample_rate = options.get("samplerate", SAMPLE_RATE)
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror})") from error
    except (
        ValueError,
        KeyError,
        IndexError,
        AttributeError,
        TypeError,
        RecursionError,
        struct.error,
    ) as error:
        raise ModelError(
            f"{path} has no header of a Demucs network; is it a .safetensors file of its hub?"
        ) from error
    if network not in NETWORKS:
        raise ModelError(f"{path} names {network!r}, which is none of {', '.join(NETWORKS)}")
    return NetworkHeader(network, tuple(str(stem) for stem in stems), int(sample_rate))


def _metadata(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > MAX_BYTES:
            raise ValueError(f"a header of {length} bytes")
        metadata: dict[str, Any] = json.loads(file.read(length))["__metadata__"]
    return metadata

"""What the file of a Demucs network says of it, read without torch and without its weights.

A .safetensors file: 8 bytes with the header's length, then the header as JSON, then the tensors;
Demucs keeps the network's class and its arguments in the header's metadata. A legacy .th file: a
ZIP archive with the same in a pickle, of which nothing is called here.
"""

import json
import pickle
import struct
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Self

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
        path: a .safetensors file as Demucs's hub repositories hold them, or a legacy .th file.

    Raises:
        ModelError: it is damaged, or names a class that is not one of Demucs's networks.
    """
    try:
        read = _read_legacy if path.suffix == ".th" else _read_metadata
        network, arguments, options = read(path)
        stems = options.get("sources") or arguments[0]
        sample_rate = options.get("samplerate", SAMPLE_RATE)
        header = NetworkHeader(network, tuple(map(str, stems)), int(sample_rate))
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror})") from error
    except (
        ValueError,
        KeyError,
        IndexError,
        AttributeError,
        TypeError,
        EOFError,
        RecursionError,
        struct.error,
        pickle.UnpicklingError,
        zipfile.BadZipFile,
    ) as error:
        raise ModelError(
            f"{path} has no header of a Demucs network; is it a .safetensors file of its hub, "
            "or a .th file?"
        ) from error
    if network not in NETWORKS:
        raise ModelError(f"{path} names {network!r}, which is none of {', '.join(NETWORKS)}")
    return header


Making = tuple[str, list[Any], dict[str, Any]]
"""Name of a class, with the positional and the named arguments."""


def _read_metadata(path: Path) -> Making:
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > MAX_BYTES:
            raise ValueError(f"a header of {length} bytes")
        metadata = json.loads(file.read(length))["__metadata__"]
    return metadata["klass"], json.loads(metadata["args"]), json.loads(metadata["kwargs"])


def _read_legacy(path: Path) -> Making:
    with zipfile.ZipFile(path) as archive:
        (info,) = (each for each in archive.infolist() if each.filename.endswith("/data.pkl"))
        if info.file_size > MAX_BYTES:
            raise ValueError(f"a header of {info.file_size} bytes")
        package = _Names(BytesIO(archive.read(info))).load()
    return package["klass"].name, package["args"], package["kwargs"]


class _Named:
    """Stands for whatever a pickle names, and for all that comes of calling it."""

    name = ""

    def __new__(cls, *arguments: object) -> Self:
        return super().__new__(cls)

    def __setitem__(self, key: object, value: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


class _Names(pickle.Unpickler):
    """Reads a pickle without its tensors, and without importing or calling what it names."""

    def find_class(self, module_name: str, global_name: str, /) -> type[_Named]:
        return type("_Named", (_Named,), {"name": f"{module_name}.{global_name}"})

    def persistent_load(self, pid: object) -> None:
        """A tensor's content, which lies elsewhere in the archive."""

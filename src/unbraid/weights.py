"""Model names turned into verified local files."""

import functools
import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

from unbraid.errors import ModelError
from unbraid.types import StemName

PACKAGE = Path(__file__).parent
DATA = PACKAGE / "data"


@dataclass(frozen=True)
class ModelEntry:
    """What `models.toml` says of a separation model.

    Attributes:
        name: what users type.
        engine: the module of `unbraid.separation` that runs it.
        stems: in the order of the network's output.
        sample_rate: samples per second of its input and output.
        file: file name of the weights.
        sha256: of that file.
        licence: of the weights.
        source: where the weights come from.
        summary: one line for a list.
    """

    name: str
    engine: str
    stems: tuple[StemName, ...]
    sample_rate: int
    file: str
    sha256: str
    licence: str
    source: str
    summary: str

    @property
    def path(self) -> Path:
        """Where the weights lie."""
        return DATA / self.file


@functools.cache
def models() -> dict[str, ModelEntry]:
    """All known models by name."""
    table = tomllib.loads((PACKAGE / "models.toml").read_text("utf-8"))
    return {
        name: ModelEntry(name=name, **{**entry, "stems": tuple(entry["stems"])})
        for name, entry in table.items()
    }


def find_model(name: str) -> ModelEntry:
    """The entry of a model.

    Raises:
        ModelError: there is no model of that name.
    """
    try:
        return models()[name]
    except KeyError:
        known = ", ".join(models())
        raise ModelError(
            f"there is no model {name!r}; choose one of: {known} (`unbraid models list`)"
        ) from None


@functools.cache
def verified(path: Path, sha256: str) -> Path:
    """The path of a weight file whose checksum holds.

    Raises:
        ModelError: the file is missing or is not the one the checksum names.
    """
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(
            f"the weights {path.name} cannot be read ({error.strerror}); install Unbraid again"
        ) from error
    if digest != sha256:
        raise ModelError(
            f"the weights {path.name} are damaged: SHA-256 {digest[:16]}…, "
            f"expected {sha256[:16]}…; install Unbraid again"
        )
    return path

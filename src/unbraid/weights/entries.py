"""What is known of each separation model: `models.toml`."""

import functools
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from unbraid.errors import ModelError
from unbraid.types import StemName

PACKAGE = Path(__file__).parent.parent
DATA = PACKAGE / "data"

Engine = Literal["lite", "demucs", "openunmix", "onnx"]


@dataclass(frozen=True)
class WeightsFile:
    """A file of weights.

    Attributes:
        name: in the model's folder.
        sha256: its digest in hex, or the first digits as they were published; empty where only
            the hub that hands it out states it.
        url: where it is published; None for a file that lies in the model's own folder.
    """

    name: str
    sha256: str = ""
    url: str | None = None

    @property
    def is_exact(self) -> bool:
        """Whether the whole digest is known."""
        return len(self.sha256) == 64


@dataclass(frozen=True)
class Member:
    """One network of a model.

    Attributes:
        name: Demucs's signature, Open-Unmix's target.
        files: the same weights in one or more forms, the preferred one first.
        weights: its share of each of the model's stems, in their order.
    """

    name: str
    files: tuple[WeightsFile, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True)
class ModelEntry:
    """A separation model.

    Attributes:
        name: what users type.
        engine: the module of `unbraid.separation` that runs it.
        stems: in the order of the network's output.
        sample_rate: samples per second of its input and output.
        licence: of the weights.
        source: where the weights come from.
        summary: one line for a list.
        members: its networks; each stem is their weighted mean.
        non_commercial: whether the licence must be confirmed first.
        segment_s: seconds of a segment; None leaves it to the network.
        folder: where its files lie, if that is not the store: built in, or a folder of the user's.
    """

    name: str
    engine: Engine
    stems: tuple[StemName, ...]
    sample_rate: int
    licence: str
    source: str
    summary: str
    members: tuple[Member, ...]
    non_commercial: bool = False
    segment_s: float | None = None
    folder: Path | None = None

    def members_for(self, stems: Collection[StemName] | None) -> tuple[Member, ...]:
        """The networks that have a share of any of these stems; None stands for all."""
        wanted = [stems is None or stem in stems for stem in self.stems]
        return tuple(
            member
            for member in self.members
            if any(weight and want for weight, want in zip(member.weights, wanted, strict=True))
        )


@functools.cache
def models() -> dict[str, ModelEntry]:
    """All known models by name."""
    table = tomllib.loads((PACKAGE / "models.toml").read_text("utf-8"))
    return {name: _entry(name, **facts) for name, facts in table.items()}


def _entry(
    name: str,
    *,
    stems: list[StemName],
    published: str,
    members: dict[str, str],
    hub: str | None = None,
    weights: list[list[float]] | None = None,
    **facts: Any,
) -> ModelEntry:
    shares = weights or [[1.0] * len(stems)] * len(members)
    return ModelEntry(
        name=name,
        stems=tuple(stems),
        members=tuple(
            Member(member, _files(hub, published, member, sha256), tuple(map(float, share)))
            for (member, sha256), share in zip(members.items(), shares, strict=True)
        ),
        folder=None if "://" in published else DATA,
        **facts,
    )


def _files(hub: str | None, published: str, member: str, sha256: str) -> tuple[WeightsFile, ...]:
    """The hub's form of a member first, then the one whose checksum is published."""
    files = [_file(hub.format(member=member), "")] if hub else []
    return (*files, _file(published.format(member=member, sha256=sha256), sha256))


def _file(address: str, sha256: str) -> WeightsFile:
    return WeightsFile(
        name=address.rsplit("/", 1)[-1],
        sha256=sha256,
        url=address if "://" in address else None,
    )


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
            f"there is no model {name!r}; choose one of: {known} (`unbraid models list`), "
            "or give a folder with a model of your own"
        ) from None

"""What the files of a result are."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from unbraid.export.manifest import Manifest

PartKind = Literal["stem", "residual", "analysis", "midi", "raw midi", "export", "manifest"]


@dataclass(frozen=True)
class Part:
    """A file of a result.

    Attributes:
        file: its name, with its folder.
        kind: what it is.
        of: of which stem, or which export; `all` of the MIDI file with all stems.
    """

    file: str
    kind: PartKind
    of: str | None = None


def parts_of(manifest: Manifest) -> Iterator[Part]:
    """The files of a result, the manifest last."""
    for name, stem in manifest.stems.items():
        yield Part(stem.file, "stem", name)
    if manifest.audio.residual:
        yield Part(manifest.audio.residual, "residual")
    if manifest.analysis:
        yield Part(manifest.analysis, "analysis")
    if manifest.midi:
        for name, file in manifest.midi.files.items():
            yield Part(file, "midi", name)
        for name, file in manifest.midi.raw.items():
            yield Part(file, "raw midi", name)
    for name, files in manifest.exports.items():
        for file in files:
            yield Part(file, "export", name)
    yield Part("manifest.json", "manifest")

"""The digests of a model's files, kept beside them in `SHA256SUMS` as `sha256sum` writes it."""

import os
from pathlib import Path

from unbraid.errors import ModelError

PINS = "SHA256SUMS"


def read_pins(folder: Path) -> dict[str, str]:
    """The digests of the files of a folder, by name.

    Raises:
        ModelError: its `SHA256SUMS` has a line that is none of `sha256sum`'s.
    """
    file = folder / PINS
    if not file.exists():
        return {}
    pins = {}
    for line in file.read_text("utf-8").splitlines():
        digest, _, name = line.partition(" ")
        if len(digest) != 64 or not name:
            raise ModelError(f"{file} has a line that is not '<sha256>  <file>': {line[:80]!r}")
        pins[name[1:]] = digest.lower()  # a space or a star stands before the name
    return pins


def pin(folder: Path, name: str, sha256: str) -> None:
    """Keep the digest of a file."""
    pins = read_pins(folder) | {name: sha256}
    unfinished = folder / f".{PINS}.{os.getpid()}"
    unfinished.write_text("".join(f"{pins[each]}  {each}\n" for each in sorted(pins)), "utf-8")
    unfinished.replace(folder / PINS)

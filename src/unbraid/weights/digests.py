"""The SHA-256 of files, remembered for as long as a file stays the same.

FOLDER/<hash of a file's path>   "<SHA-256>  <size, times and inode when it was computed>"

A model's weights take hundreds of megabytes; to hash them at each start would cost seconds. Nothing
is remembered where the folder cannot be written.
"""

import hashlib
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

from unbraid.errors import ModelError

LARGE = 2**24  # bytes; smaller files are hashed in no time
SETTLED_NS = 2 * 10**9  # a younger file may change again without a later time, as FAT counts it


class Digests:
    """Computes digests of files, or remembers them; for any number of threads and processes."""

    def __init__(self, folder: Path) -> None:
        """Name the folder of what is remembered; it is made when there is something."""
        self._folder = folder

    def sha256(self, path: Path, *, anew: bool = False) -> str:
        """The digest of a file in hex.

        Args:
            path: the file.
            anew: read the file, whatever is remembered of it.

        Raises:
            ModelError: the file cannot be read.
        """
        record = self._folder / hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:32]
        try:
            with path.open("rb") as file:
                seen = os.fstat(file.fileno())
                if not anew and (known := _remembered(record, seen)):
                    return known
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ModelError(f"the weights {path} cannot be read ({error.strerror})") from error
        if seen.st_size >= LARGE and time.time_ns() - seen.st_mtime_ns >= SETTLED_NS:
            _remember(record, digest, seen)
        return digest


def _look(seen: os.stat_result) -> str:
    """What changes with the content of a file, also when another takes its place."""
    return f"{seen.st_size} {seen.st_mtime_ns} {seen.st_ctime_ns} {seen.st_ino}"


def _remembered(record: Path, seen: os.stat_result) -> str | None:
    try:
        digest, _, look = record.read_text("utf-8", "replace").partition("  ")
    except OSError:
        return None
    return digest if look == _look(seen) else None


def _remember(record: Path, digest: str, seen: os.stat_result) -> None:
    unfinished = record.with_name(f".{record.name}.{os.getpid()}.{threading.get_ident()}")
    with suppress(OSError):  # where nothing can be kept, the file is hashed again
        record.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(f"{digest}  {_look(seen)}", "utf-8")
        unfinished.replace(record)

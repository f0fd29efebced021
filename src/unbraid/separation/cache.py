"""Files kept by the hash of what they were made of, so that the same work is done once.

    FOLDER/<key>/index.json     {"stems/vocals.wav": "<SHA-256>", …}
    FOLDER/<key>/<SHA-256>      the content of a file

An entry appears whole, by a rename, and is copied out again, never linked: a user may edit a
result in place. What comes out is what went in: every file is checked against its name. The entry
that was not used for longest goes first when room is needed.
"""

import hashlib
import json
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import platformdirs
from filelock import FileLock
from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

LIMIT_BYTES = 10 * 10**9
COPY_BYTES = 1 << 30  # asked of the kernel at once
INDEX = "index.json"

_INDEX = TypeAdapter(dict[str, str])

log = logging.getLogger(__name__)


def cache_key(recipe: object) -> str:
    """The key of what a recipe makes: the SHA-256 of its canonical JSON.

    Args:
        recipe: a dataclass of all that the bytes depend on.
    """
    plain = to_jsonable_python(recipe, bytes_mode="base64")
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class CacheInfo:
    """What a cache holds.

    Attributes:
        folder: where it lies.
        entries: number of them.
        size_bytes: that they take.
        limit_bytes: that they may take.
    """

    folder: Path
    entries: int
    size_bytes: int
    limit_bytes: int


@dataclass(frozen=True)
class _Entry:
    """A folder of the cache: a finished entry, or what a process writes or left behind."""

    path: Path
    size_bytes: int
    used_ns: int


class FileCache:
    """Keeps files by key, for any number of threads and processes.

    Attributes:
        folder: where the entries lie.
        limit_bytes: that they may take together.
    """

    def __init__(self, folder: Path | None = None, limit_bytes: int = LIMIT_BYTES) -> None:
        """Name a cache; its folder is made when something is kept.

        Args:
            folder: None for the user's.
            limit_bytes: that the entries may take together.
        """
        self.folder = folder or platformdirs.user_cache_path("unbraid") / "results"
        self.limit_bytes = limit_bytes

    @contextmanager
    def opened(self, key: str) -> Iterator[dict[str, FileIO]]:
        """Open the files of an entry for reading, by name; none if there is no such entry.

        A damaged entry counts as none, until `put` replaces it. An entry that is evicted meanwhile
        stays readable.
        """
        with ExitStack() as stack:
            yield self._open(key, stack)

    def _open(self, key: str, stack: ExitStack) -> dict[str, FileIO]:
        entry = self.folder / key
        try:
            index = _INDEX.validate_json((entry / INDEX).read_bytes())
            files = {name: stack.enter_context(FileIO(entry / index[name])) for name in index}
            if any(_sha256(file) != index[name] for name, file in files.items()):
                return {}
        except (OSError, ValueError):
            return {}
        with suppress(OSError):  # a cache that cannot be written still serves
            os.utime(entry)
        return files

    def put(self, key: str, files: Mapping[str, Path]) -> None:
        """Keep copies of files; an earlier entry of that key is replaced.

        Work is never lost for its copy: if the cache cannot be written, a warning is logged.

        Args:
            key: by `cache_key`.
            files: those to keep, by the name that `opened` gives them.
        """
        try:
            if sum(file.stat().st_size for file in files.values()) > self.limit_bytes:
                return
            self.folder.mkdir(parents=True, exist_ok=True)
            scratch = Path(tempfile.mkdtemp(prefix=".", dir=self.folder))
            try:
                _fill(scratch, files)
                self._install(scratch, self.folder / key)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
        except OSError as error:
            log.warning("the result was not cached: %s", error)

    def _install(self, scratch: Path, entry: Path) -> None:
        """Turn a filled folder into an entry, and make room for it."""
        with self._locked():
            shutil.rmtree(entry, ignore_errors=True)
            scratch.rename(entry)
            excess = self.info().size_bytes - self.limit_bytes
            for oldest in sorted(self._entries(), key=lambda each: each.used_ns):
                if excess <= 0:
                    break
                shutil.rmtree(oldest.path, ignore_errors=True)
                excess -= oldest.size_bytes

    def info(self) -> CacheInfo:
        """What the cache holds."""
        entries = self._entries()
        size = sum(entry.size_bytes for entry in entries)
        return CacheInfo(self.folder, len(entries), size, self.limit_bytes)

    def clear(self) -> CacheInfo:
        """Remove all entries; returns what there was."""
        before = self.info()
        if before.entries:
            with self._locked():
                for entry in self._entries():
                    shutil.rmtree(entry.path, ignore_errors=True)
        return before

    def _entries(self) -> list[_Entry]:
        entries = []
        for path in self.folder.glob("*/"):
            with suppress(FileNotFoundError):  # another process has just removed it
                size = sum(file.stat().st_size for file in path.iterdir())
                entries.append(_Entry(path, size, path.stat().st_mtime_ns))
        return entries

    def _locked(self) -> FileLock:
        """Keeps others from changing which entries there are."""
        return FileLock(self.folder / ".lock")


def copy_to(source: FileIO, target: Path) -> None:
    """Copy an open file, sharing its blocks where the file system can."""
    with target.open("wb") as copy:
        if sys.platform == "linux":
            with suppress(OSError):  # not on this file system: the next line copies what is left
                while os.copy_file_range(source.fileno(), copy.fileno(), COPY_BYTES):
                    pass
        shutil.copyfileobj(source, copy)


def _fill(entry: Path, files: Mapping[str, Path]) -> None:
    """Copy files into the folder of an entry, and write its index."""
    index = {}
    for name, path in files.items():
        with FileIO(path) as file:
            index[name] = _sha256(file)
            copy_to(file, entry / index[name])
    (entry / INDEX).write_bytes(_INDEX.dump_json(index))


def _sha256(file: FileIO) -> str:
    """The hash of an open file, which is wound back to its beginning."""
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    return digest

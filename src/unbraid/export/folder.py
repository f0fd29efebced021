"""The result folder of a song, and its files that appear only when they are complete.

OUT/<track>/stems/    extra/    midi/    manifest.json
OUT/<track>/.partial/  what is unfinished; it goes when the manifest is written
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from filelock import FileLock, Timeout

from unbraid.export.manifest import read_manifest, read_reproduce


@contextmanager
def writing(file: Path, scratch: Path) -> Iterator[Path]:
    """Give a path in `scratch` to write to; it becomes `file` once the block has ended well."""
    unfinished = scratch / f".{os.urandom(4).hex()}{file.suffix}"
    try:
        yield unfinished
        with unfinished.open("rb") as written:
            os.fsync(written.fileno())
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


@dataclass(frozen=True)
class ResultFolder:
    """Where the files of one song lie."""

    path: Path

    @property
    def manifest(self) -> Path:
        """The file that says what this folder holds; the last to appear."""
        return self.path / "manifest.json"

    @property
    def partial(self) -> Path:
        """Unfinished work, from which a later run goes on."""
        return self.path / ".partial"

    @property
    def state(self) -> Path:
        """What the unfinished work is made of."""
        return self.partial / "reproduce.json"

    @property
    def lock(self) -> Path:
        """Held by the process that works on this folder."""
        return self.partial / ".lock"

    def belongs_to(self, input_sha256: str) -> bool:
        """Whether this folder is new, or holds work on the recording of that hash."""
        if manifest := read_manifest(self.manifest):
            return manifest.input.sha256 == input_sha256
        if state := read_reproduce(self.state):
            return state.input_sha256 == input_sha256
        return not self.path.exists() or all(file == self.partial for file in self.path.iterdir())

    def relative(self, file: Path) -> str:
        """The path of a file of this folder, as the manifest names it."""
        return file.relative_to(self.path).as_posix()

    @contextmanager
    def writing(self, file: Path) -> Iterator[Path]:
        """Give a path to write to; it becomes `file` once the block has ended well."""
        self.partial.mkdir(parents=True, exist_ok=True)
        file.parent.mkdir(parents=True, exist_ok=True)
        with writing(file, self.partial) as unfinished:
            yield unfinished

    @contextmanager
    def held(self) -> Iterator[bool]:
        """Keep others from working on the folder; gives whether nobody else does."""
        self.partial.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.lock)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()
            if not self.state.exists():
                self.discard_partial()

    def clear_partial(self) -> None:
        """Remove unfinished work, and keep the claim on the folder."""
        for file in self.partial.iterdir():
            if file != self.lock:
                file.unlink()

    def discard_partial(self) -> None:
        """Remove unfinished work, and the folder itself if nothing else is in it."""
        shutil.rmtree(self.partial, ignore_errors=True)
        if self.path.is_dir() and not any(self.path.iterdir()):
            self.path.rmdir()


@contextmanager
def claim(out: Path, track: str, input_sha256: str) -> Iterator[ResultFolder]:
    """Find the folder of a song in `out` and keep others from working on it.

    It is `track`, or the first of `track (2)`, `track (3)`, … that does not hold the result of
    another recording and is not being worked on.

    Args:
        out: folder of results.
        track: safe file name of the song.
        input_sha256: hash of the recording's samples.
    """
    for number in count(1):
        folder = ResultFolder(out / (track if number == 1 else f"{track} ({number})"))
        if not folder.belongs_to(input_sha256):
            continue
        with folder.held() as ours:
            if ours:
                yield folder
                return

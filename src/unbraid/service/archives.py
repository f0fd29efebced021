"""Recordings in a ZIP archive that somebody has sent: nothing in it is trusted.

Names become recordings' names, never paths. What an archive says of itself is held against limits
before anything is unpacked, and no more is unpacked than it said.
"""

import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from unbraid.batch import SUFFIXES
from unbraid.errors import InputError

MAX_RECORDINGS = 200
MAX_INDEX_BYTES = 1 << 20  # of the archive's list of files
MAX_RATIO = 100  # of what is unpacked to the archive
TAIL_BYTES = (1 << 16) + 22  # in which the end of the list is
END, END_64 = b"PK\x05\x06", b"PK\x06\x07"
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


@dataclass(frozen=True)
class Archive:
    """An archive, open for reading.

    Attributes:
        recordings: names of the recordings, as they are unpacked.
        skipped: names of what else there is.
        open: opens the recording of that number.
    """

    recordings: tuple[str, ...]
    skipped: tuple[str, ...]
    open: Callable[[int], BinaryIO]


@contextmanager
def open_archive(path: Path, max_bytes: int) -> Iterator[Archive]:
    """Open a ZIP archive; what turns out to be damaged in the block is refused as well.

    Args:
        path: the archive.
        max_bytes: of all recordings once they are unpacked.

    Raises:
        InputError: it is no archive, is damaged, or holds too much or no recording.
    """
    _check_index(path)
    try:
        with zipfile.ZipFile(path) as archive:
            files = [each for each in archive.infolist() if not each.is_dir()]
            chosen = sorted(filter(_is_recording, files), key=lambda each: each.filename)
            _check(chosen, path.stat().st_size, max_bytes)
            yield Archive(
                recordings=tuple(map(_name, chosen)),
                skipped=tuple(_name(each) for each in files if not _is_recording(each)),
                open=lambda number: archive.open(chosen[number]),  # type: ignore[arg-type,return-value]
            )
    except DAMAGED as error:
        raise InputError(f"the archive cannot be unpacked ({error}); make it again") from error


def _check_index(path: Path) -> None:
    """Refuse a list of files that would fill the memory when it is read."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - TAIL_BYTES))
        tail = file.read()
    end = tail.rfind(END)
    if end < 0 or len(tail) < end + 22:
        raise InputError("this is no ZIP archive; pack the recordings with a program for ZIP")
    index_bytes = int.from_bytes(tail[end + 12 : end + 16], "little")
    if index_bytes > MAX_INDEX_BYTES or END_64 in tail[max(0, end - 20) : end]:
        raise InputError(f"the archive holds too many files; {MAX_RECORDINGS} are allowed")


def _check(chosen: list[zipfile.ZipInfo], packed: int, max_bytes: int) -> None:
    size = sum(each.file_size for each in chosen)
    if not chosen:
        raise InputError(f"the archive holds no recordings, such as {', '.join(sorted(SUFFIXES))}")
    if len(chosen) > MAX_RECORDINGS:
        raise InputError(f"the archive holds {len(chosen)} recordings; {MAX_RECORDINGS} at most")
    if size > max_bytes or size > MAX_RATIO * packed:
        raise InputError(f"the archive unpacks to {size / 1e6:.0f} MB; send it in parts")
    if any(each.flag_bits & 1 for each in chosen):
        raise InputError("the archive is encrypted; pack it without a password")


def _is_recording(file: zipfile.ZipInfo) -> bool:
    hidden = _name(file).startswith(".") or file.filename.startswith("__MACOSX/")
    return not hidden and PurePosixPath(_name(file)).suffix.lower() in SUFFIXES


def _name(file: zipfile.ZipInfo) -> str:
    return PurePosixPath(file.filename.replace("\\", "/")).name[-255:]

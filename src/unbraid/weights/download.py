"""A file from the web, whole and checked or not there at all.

What has come of it is kept in `.partial` beside it, with the server's ETag, so that a later run
takes only the rest (RFC 9110, section 14: range requests).
"""

import errno
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from unbraid.errors import ModelError, ResourceError
from unbraid.weights.http import CHUNK, Answer, Passing, ask

RETRIES = 4  # after the first try
FIRST_PAUSE_S = 1.0  # each pause is twice the one before
MAX_BYTES = 4 * 2**30


@dataclass(frozen=True)
class Transfer:
    """How far a download has come.

    Attributes:
        file: its name.
        done: bytes that are there.
        total: bytes of the whole file, if known.
    """

    file: str
    done: int
    total: int | None


OnTransfer = Callable[[Transfer], None]


@dataclass(frozen=True)
class _Received:
    sha256: str
    expected: str  # or its first digits


def download(
    url: str,
    target: Path,
    sha256: str = "",
    on_progress: OnTransfer | None = None,
    first_pause_s: float = FIRST_PAUSE_S,
) -> str:
    """Fetch a file, going on with what an earlier try has left.

    Args:
        url: its address.
        target: where it is to lie; it appears there only when it is complete and right.
        sha256: its digest in hex, or the first digits; empty for the one that the server states.
        on_progress: called with how far it has come; what it raises ends the download, which a
            later one goes on with.
        first_pause_s: seconds before the second try.

    Returns:
        Its SHA-256 in hex.

    Raises:
        ModelError: it cannot be had, or is not what its checksum says; the message has no cure.
        ResourceError: the disk is full or not writable.
    """
    with _disk(target.parent):
        part = target.parent / ".partial" / target.name
        part.parent.mkdir(parents=True, exist_ok=True)
        received = _persist(lambda: _receive(url, part, sha256, on_progress), first_pause_s)
        try:
            _check(url, received)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
            _validator_file(part).unlink(missing_ok=True)
    return received.sha256


def _persist(receive: Callable[[], _Received], pause_s: float) -> _Received:
    """Try again, after longer and longer pauses, as long as the failure may pass."""
    for _ in range(RETRIES):
        try:
            return receive()
        except Passing:
            time.sleep(pause_s)
            pause_s *= 2
    try:
        return receive()
    except Passing as error:
        raise ModelError(f"{error}, {RETRIES + 1} times") from error


def _receive(url: str, part: Path, sha256: str, on_progress: OnTransfer | None) -> _Received:
    """Take what is missing of a file whose digest is known, or stated by the server."""
    kept = _validator_file(part)
    start = part.stat().st_size if part.exists() else 0
    with (
        ask(url, start, kept.read_text("utf-8") if kept.exists() else None) as answer,
        part.open("r+b" if part.exists() else "w+b") as file,
    ):
        expected = sha256 or answer.sha256
        if not expected:
            raise ModelError(f"{url} comes without a SHA-256, so it cannot be checked")
        _check_room(url, answer, part.parent)
        file.truncate(answer.start)  # before the validator changes: never new beside old
        kept.write_text(answer.validator or "", "utf-8")
        digest = _digest_so_far(file)
        done = answer.start
        for chunk in answer.chunks():
            file.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            if done > MAX_BYTES:
                raise ModelError(f"{url} is larger than any model is")
            if on_progress:
                on_progress(Transfer(part.name, done, answer.total))
        file.flush()
        os.fsync(file.fileno())
    return _Received(digest.hexdigest(), expected)


def _check(url: str, received: _Received) -> None:
    if not received.sha256.startswith(received.expected):
        raise ModelError(
            f"{url} is not the file it should be: SHA-256 {received.sha256[:16]}…, "
            f"expected {received.expected[:16]}…"
        )


def _validator_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.etag")


def _digest_so_far(file: BinaryIO) -> "hashlib._Hash":
    digest = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    return digest


def _check_room(url: str, answer: Answer, folder: Path) -> None:
    if answer.total is None:
        return
    if answer.total > MAX_BYTES:
        raise ModelError(f"{url} is larger than any model is: {answer.total / 1e9:.1f} GB")
    needed, free = answer.total - answer.start, shutil.disk_usage(folder).free
    if needed > free:
        raise ResourceError(
            f"{url} needs {needed / 1e6:.0f} MB of disk, {free / 1e6:.0f} MB are free; "
            "free some space or choose another folder with --models-dir"
        )


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    """Say what an error of the disk means to a user."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        reason = "the disk is full" if full else f"it cannot be written ({error.strerror})"
        raise ResourceError(
            f"no model can be put into {folder}: {reason}; "
            "free some space or choose another folder with --models-dir"
        ) from error

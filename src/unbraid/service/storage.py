"""Where recordings and results lie: a folder, or a bucket of an object store.

Keys are made of ids and numbers alone; the names that users gave are kept in the database.
"""

import hashlib
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from obstore import open_writer_async, sign
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, LocalStore, S3Store, from_url

from unbraid.errors import InputError, ResourceError

if TYPE_CHECKING:
    from obstore import Attributes

CHUNK_BYTES = 1 << 20


class TooLargeError(ResourceError):
    """What is being stored has more bytes than allowed."""


@dataclass(frozen=True)
class Stored:
    """What was stored.

    Attributes:
        size_bytes: how much.
        sha256: its hash in hex.
    """

    size_bytes: int
    sha256: str


def new_id() -> str:
    """An id that nobody can guess."""
    return secrets.token_urlsafe(15)


def upload_key(upload_id: str) -> str:
    """Where the bytes of an upload lie."""
    return f"uploads/{upload_id}"


def result_key(job_id: str, number: int) -> str:
    """Where a file of a result lies."""
    return f"results/{job_id}/{number}"


def task_key(job_id: str, task_id: str, number: int) -> str:
    """Where a file of a result lies that a task has made."""
    return f"results/{job_id}/{task_id}-{number}"


def peaks_key(job_id: str) -> str:
    """Where the peaks of a result lie."""
    return f"results/{job_id}/peaks"


class Storage:
    """Keeps bytes by key."""

    def __init__(self, folder: Path, url: str | None = None) -> None:
        """Open a store.

        Args:
            folder: for the bytes, made if needed, unless there is a `url`.
            url: a bucket such as `s3://name`, with what it needs in the environment.
        """
        if url is None:
            folder.mkdir(parents=True, exist_ok=True)
        self._store = from_url(url) if url else LocalStore(folder)
        self._folder = None if url else folder

    async def receive(self, key: str, chunks: AsyncIterator[bytes], max_bytes: int) -> Stored:
        """Store a stream; nothing is kept unless it ends well.

        Raises:
            TooLargeError: it has more than `max_bytes`.
            ResourceError: the store does not take it.
        """
        try:
            return await self._receive(key, chunks, max_bytes)
        except (BaseError, OSError) as error:
            raise ResourceError("the storage does not take the recording now") from error

    async def _receive(self, key: str, chunks: AsyncIterator[bytes], max_bytes: int) -> Stored:
        size, digest = 0, hashlib.sha256()
        writer = open_writer_async(self._store, key, buffer_size=CHUNK_BYTES * 8)
        try:
            async for chunk in chunks:
                size += len(chunk)
                if size > max_bytes:
                    raise TooLargeError(f"a recording may have {max_bytes / 1e6:g} MB at most")
                digest.update(chunk)
                await writer.write(chunk)
        except BaseException:
            await writer.close()
            self.delete([key])
            raise
        await writer.close()
        return Stored(size, digest.hexdigest())

    def place(self, key: str, file: Path) -> None:
        """Let a file be what is stored, which must not be written to; it may be a link."""
        file.parent.mkdir(parents=True, exist_ok=True)
        if self._folder:
            file.symlink_to(self._folder.resolve() / key)
        else:
            self.fetch(key, file)

    def put(self, key: str, file: Path, attributes: "Attributes | None" = None) -> int:
        """Store a file; gives its size in bytes.

        Args:
            key: of it.
            file: what to store.
            attributes: headers that a bucket gives with the file to those who have a signed link.
        """
        self._store.put(key, file, attributes=None if self._folder else attributes)
        return file.stat().st_size

    def link(self, key: str, lasts_s: float) -> str | None:
        """An address at which anyone can read what is stored for a while; None of a folder."""
        if self._folder:
            return None
        url: str = sign(self._signer(), "GET", key, timedelta(seconds=lasts_s))
        return url

    def _signer(self) -> S3Store | GCSStore | AzureStore:
        """The bucket.

        Raises:
            InputError: it is of a kind that signs nothing.
        """
        if not isinstance(self._store, (S3Store, GCSStore, AzureStore)):
            raise InputError("this storage has no links; send the file on yourself")
        return self._store

    def load(self, key: str) -> bytes:
        """All that is stored, where that is little."""
        return bytes(self._store.get(key).bytes())

    def fetch(self, key: str, file: Path) -> None:
        """Write what is stored to a file, which appears when it is complete."""
        unfinished = file.with_name(f".{secrets.token_hex(4)}")
        with unfinished.open("wb") as target:
            for chunk in self._store.get(key).stream(min_chunk_size=CHUNK_BYTES):
                target.write(chunk)
        unfinished.replace(file)

    @contextmanager
    def borrowed(self, key: str, scratch: Path) -> Iterator[Path]:
        """A file with what is stored, to be read only; where need be, a copy in `scratch`."""
        if self._folder:
            yield self._folder / key
            return
        copy = scratch / f".{secrets.token_hex(8)}"
        try:
            self.fetch(key, copy)
            yield copy
        finally:
            copy.unlink(missing_ok=True)

    async def read(self, key: str, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes [start, stop)."""
        while start < stop:
            end = min(stop, start + CHUNK_BYTES)
            yield bytes(await self._store.get_range_async(key, start=start, end=end))
            start = end

    def delete(self, keys: Sequence[str]) -> None:
        """Forget some keys, which need not exist."""
        for key in keys:
            try:
                self._store.delete(key)
            except FileNotFoundError:
                continue

    def check(self) -> None:
        """Raise what keeps the store from being read.

        Raises:
            ResourceError: it cannot be reached.
        """
        try:
            next(iter(self._store.list("uploads", chunk_size=1)), None)
        except (BaseError, OSError) as error:
            raise ResourceError("the storage cannot be read") from error

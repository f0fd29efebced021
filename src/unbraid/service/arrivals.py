"""Recordings that arrive in parts: what has come lies in a file, whose length is the offset.

So a client goes on after a lost connection or a restart of the server; whoever sends last has the
word, for a connection that broke may seem open for long.
"""

import asyncio
import base64
import binascii
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from unbraid.errors import InputError, ResourceError
from unbraid.service.db import Arrival, Database, Upload
from unbraid.service.jobs import Conflict, NotFound, QueueFull
from unbraid.service.storage import CHUNK_BYTES, Storage, TooLargeError, new_id, upload_key

KEPT_S = 86_400.0  # since the last part came
GONE = "there is no such upload, or it was given up; begin it again"
MAX_OPEN = 1_000  # of an owner


@dataclass
class _Desk:
    """Where the parts of a recording are taken, one after another."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    sender: object = None


class Arrivals:
    """Takes recordings in parts."""

    def __init__(self, database: Database, storage: Storage, folder: Path) -> None:
        """Take recordings.

        Args:
            database: knows what is to come.
            storage: for those that have come whole.
            folder: for what has come of others.
        """
        self._database, self._storage, self._folder = database, storage, folder
        self._desks: dict[str, _Desk] = {}

    def begin(self, owner: str, file_name: str, size_bytes: int) -> Arrival:
        """Expect a recording.

        Raises:
            QueueFull: the owner has begun too many.
        """
        self._folder.mkdir(exist_ok=True)
        arrival = Arrival(id=new_id(), owner=owner, file_name=file_name, size_bytes=size_bytes)
        own = sa.select(sa.func.count()).select_from(Arrival).where(Arrival.owner == owner)
        with self._database.write() as session:
            if (session.scalar(own) or 0) >= MAX_OPEN:
                raise QueueFull(f"{MAX_OPEN} uploads are unfinished; end or delete some first")
            session.add(arrival)
            self._file(arrival).touch()
        return arrival

    def get(self, owner: str, upload_id: str) -> Arrival:
        """A recording that is expected, or one that has come.

        Raises:
            NotFound: there is none of that id.
        """
        with self._database.read() as session:
            expected, upload = session.get(Arrival, upload_id), session.get(Upload, upload_id)
        if upload and upload.owner == owner:
            return _whole(upload)
        if expected and expected.owner == owner:
            return expected
        raise NotFound(GONE)

    async def offset(self, arrival: Arrival) -> int:
        """Bytes that have come; a recording that is whole is put into the storage.

        Raises:
            ResourceError: the storage does not take it.
        """
        async with self._desk(arrival).lock:
            return await self._settle(arrival)

    async def append(self, arrival: Arrival, offset: int, chunks: AsyncIterator[bytes]) -> int:
        """Take a part; gives how many bytes there are then. What comes before an error is kept.

        Raises:
            Conflict: the part does not begin where the last one ended, or another one came.
            TooLargeError: more comes than was said.
            ResourceError: the disk is full, or the storage does not take the recording.
        """
        desk = self._desk(arrival)
        desk.sender = sender = object()
        async with desk.lock:
            there = await self._settle(arrival)
        if there != offset:
            raise Conflict(f"{there} bytes are there; go on from that offset")
        async for chunk in chunks:
            async with desk.lock:
                if desk.sender is not sender:
                    raise Conflict("this upload goes on by another request")
                there += len(chunk)
                if there > arrival.size_bytes:
                    raise TooLargeError(f"the upload has {arrival.size_bytes} bytes, as was said")
                await asyncio.to_thread(self._write, arrival, chunk)
        return await self.offset(arrival)

    def drop(self, arrival: Arrival) -> None:
        """Forget a recording that has not come whole."""
        self._delete(arrival.id)

    def tidy(self) -> None:
        """Forget recordings of which nothing has come for long."""
        before = time.time() - KEPT_S
        for file in self._folder.iterdir() if self._folder.is_dir() else ():
            if file.stat().st_mtime < before:
                self._delete(file.name)

    def _desk(self, arrival: Arrival) -> _Desk:
        return self._desks.setdefault(arrival.id, _Desk())

    def _file(self, arrival: Arrival) -> Path:
        return self._folder / arrival.id

    def _delete(self, upload_id: str) -> None:
        with self._database.write() as session:
            session.execute(sa.delete(Arrival).where(Arrival.id == upload_id))
        self._forget(upload_id)

    def _forget(self, upload_id: str) -> None:
        (self._folder / upload_id).unlink(missing_ok=True)
        self._desks.pop(upload_id, None)

    def _write(self, arrival: Arrival, chunk: bytes) -> None:
        try:
            with self._file(arrival).open("ab") as file:
                file.write(chunk)
        except OSError as error:
            raise ResourceError("the disk of the server takes no more now") from error

    async def _settle(self, arrival: Arrival) -> int:
        file = self._file(arrival)
        if not file.exists():
            await asyncio.to_thread(self._check_arrived, arrival)
            return arrival.size_bytes
        if file.stat().st_size < arrival.size_bytes:
            return file.stat().st_size
        key = upload_key(arrival.id)
        stored = await self._storage.receive(key, _read(file), arrival.size_bytes)
        upload = Upload(
            id=arrival.id,
            owner=arrival.owner,
            file_name=arrival.file_name,
            key=key,
            size_bytes=stored.size_bytes,
            sha256=stored.sha256,
            created=time.time(),
        )
        await asyncio.to_thread(self._arrived, upload)
        return upload.size_bytes

    def _check_arrived(self, arrival: Arrival) -> None:
        with self._database.read() as session:
            if session.get(Upload, arrival.id) is None:
                raise NotFound(GONE)

    def _arrived(self, upload: Upload) -> None:
        with self._database.write() as session:
            session.add(upload)
            session.execute(sa.delete(Arrival).where(Arrival.id == upload.id))
        self._forget(upload.id)


def parse_metadata(header: str) -> dict[str, str]:
    """The names and values that tus sends in Upload-Metadata.

    Raises:
        InputError: it is none.

    Example:
        >>> parse_metadata("filename c29uZy5tcDM=,private")
        {'filename': 'song.mp3', 'private': ''}
    """
    found = {}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        name, _, value = pair.partition(" ")
        try:
            found[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise InputError(
                "Upload-Metadata must be names, each with a text in base64 after a space"
            ) from error
    return found


def _whole(upload: Upload) -> Arrival:
    """A recording that has come, as one that is expected."""
    return Arrival(
        id=upload.id,
        owner=upload.owner,
        file_name=upload.file_name,
        size_bytes=upload.size_bytes,
    )


async def _read(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as source:
        while chunk := await asyncio.to_thread(source.read, CHUNK_BYTES):
            yield chunk

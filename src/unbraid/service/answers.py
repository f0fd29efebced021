"""Stored files as HTTP answers: whole, in part (RFC 9110 ranges), or many as a ZIP."""

import re
import time
import zipfile
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from io import RawIOBase

from fastapi.responses import StreamingResponse
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from typing_extensions import Buffer

from unbraid.service.downloads import disposition
from unbraid.service.storage import Storage

RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True)
class StoredFile:
    """A file whose bytes never change; another may take its place.

    Attributes:
        key: of its bytes.
        name: for a download.
        content_type: media type.
        size_bytes: length.
        etag: what tells it from any other.
        start: where it begins in what lies under its key, in bytes.
    """

    key: str
    name: str
    content_type: str
    size_bytes: int
    etag: str
    start: int = 0


def file_answer(storage: Storage, file: StoredFile, headers: Headers) -> Response:
    """A file, or the part of it that is asked for.

    Raises:
        HTTPException: 416, where the part lies outside of the file.
    """
    about = {
        "ETag": file.etag,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": disposition(file.name),
    }
    if file.etag in re.split(r"\s*,\s*", headers.get("if-none-match", "")):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=about)
    asked = headers.get("range") if headers.get("if-range", file.etag) == file.etag else None
    part = part_of(asked, file.size_bytes)
    start, stop = part or (0, file.size_bytes)
    about["Content-Length"] = str(stop - start)
    if part:
        about["Content-Range"] = f"bytes {start}-{stop - 1}/{file.size_bytes}"
    return StreamingResponse(
        storage.read(file.key, file.start + start, file.start + stop),
        HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK,
        about,
        file.content_type,
    )


def part_of(asked: str | None, size: int) -> tuple[int, int] | None:
    """The part [start, stop) that a Range asks for; None for all, also where it asks for several.

    Raises:
        HTTPException: 416, where the part lies outside.

    Example:
        >>> part_of("bytes=-10", 100), part_of("bytes=90-", 100), part_of("bytes=0-999", 100)
        ((90, 100), (90, 100), (0, 100))
    """
    match = RANGE.fullmatch(asked or "")
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if first and last and int(first) > int(last):
        return None  # not a range
    start = int(first) if first else max(0, size - int(last))
    stop = min(size, int(last) + 1) if first and last else size
    if start >= stop:
        raise HTTPException(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            f"the file has {size} bytes",
            {"Content-Range": f"bytes */{size}"},
        )
    return start, stop


def zip_answer(
    storage: Storage, name: str, files: Iterable[tuple[str, StoredFile]], made: float
) -> Response:
    """Several files, with their paths in the archive, as a ZIP that is made while it is sent."""
    return StreamingResponse(
        _zipped(storage, files, time.gmtime(made)[:6]),
        headers={"Content-Disposition": disposition(name)},
        media_type="application/zip",
    )


class _Outlet(RawIOBase):
    """A file that only grows, whose bytes are taken away as they come."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, part: Buffer, /) -> int:
        self._parts.append(bytes(part))
        return len(self._parts[-1])

    def take(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken


async def _zipped(
    storage: Storage,
    files: Iterable[tuple[str, StoredFile]],
    made: tuple[int, ...],
) -> AsyncIterator[bytes]:
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w") as archive:  # stored: recordings do not get smaller
        for path, file in files:
            entry = zipfile.ZipInfo(path, (made[0], made[1], made[2], made[3], made[4], made[5]))
            entry.external_attr = 0o644 << 16
            with archive.open(entry, "w", force_zip64=True) as target:
                async for chunk in storage.read(file.key, file.start, file.start + file.size_bytes):
                    target.write(chunk)
                    yield outlet.take()
    yield outlet.take()

"""Recordings that come in: kept in the storage, and known to the database."""

import time
from collections.abc import AsyncIterator

from fastapi import UploadFile
from fastapi.concurrency import run_in_threadpool

from unbraid.service.db import Upload
from unbraid.service.house import House
from unbraid.service.storage import CHUNK_BYTES, new_id, upload_key

MAX_NAME = 255


async def keep(house: House, owner: str, file_name: str, chunks: AsyncIterator[bytes]) -> Upload:
    """Store a recording as it comes.

    Raises:
        TooLargeError: it has more bytes than are allowed.
        ResourceError: there is no room for it.
    """
    await run_in_threadpool(house.check_room, owner)
    upload_id = new_id()
    key = upload_key(upload_id)
    stored = await house.storage.receive(key, chunks, house.settings.max_upload_bytes)
    upload = Upload(
        id=upload_id,
        owner=owner,
        file_name=file_name[-MAX_NAME:],
        key=key,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        created=time.time(),
    )
    await run_in_threadpool(house.jobs.add_upload, upload)
    return upload


async def keep_form(house: House, owner: str, file: UploadFile) -> Upload:
    """Store a recording that was sent as a form.

    Raises:
        TooLargeError: it has more bytes than are allowed.
        ResourceError: there is no room for it.
    """

    async def chunks() -> AsyncIterator[bytes]:
        while chunk := await file.read(CHUNK_BYTES):
            yield chunk

    return await keep(house, owner, file.filename or "recording", chunks())

"""Recordings that are sent."""

import functools
import io
import time
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated

import soundfile
from fastapi import APIRouter, Path, Request, UploadFile
from fastapi.concurrency import run_in_threadpool

from unbraid.demo import demo_song
from unbraid.service.db import Upload
from unbraid.service.house import AtHouse, House, Owner
from unbraid.service.schemas import UploadView
from unbraid.service.storage import CHUNK_BYTES, new_id, upload_key

router = APIRouter(prefix="/uploads", tags=["uploads"])

FileName = Annotated[str, Path(max_length=255, examples=["song.mp3"])]


@router.post("", status_code=HTTPStatus.CREATED)
async def send_form(file: UploadFile, house: AtHouse, owner: Owner) -> UploadView:
    """Send a recording as a form, in the field `file`."""

    async def chunks() -> AsyncIterator[bytes]:
        while chunk := await file.read(CHUNK_BYTES):
            yield chunk

    return await _keep(house, owner, file.filename or "recording", chunks())


@router.post("/demo", status_code=HTTPStatus.CREATED)
async def send_demo(house: AtHouse, owner: Owner) -> UploadView:
    """Have the demonstration song, half a minute of original music, as if it were sent."""

    async def chunks() -> AsyncIterator[bytes]:
        yield await run_in_threadpool(_demo)

    return await _keep(house, owner, "demo.flac", chunks())


@router.put(
    "/{file_name}",
    status_code=HTTPStatus.CREATED,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
            },
        }
    },
)
async def send_bytes(
    file_name: FileName, request: Request, house: AtHouse, owner: Owner
) -> UploadView:
    """Send a recording as it is: `curl -T song.mp3 …/api/v1/uploads/`."""
    return await _keep(house, owner, file_name, request.stream())


@router.get("/{upload_id}")
def get_upload(upload_id: str, house: AtHouse, owner: Owner) -> UploadView:
    """Say what a recording is that was sent."""
    return UploadView.of(house.jobs.upload(owner, upload_id))


@functools.cache
def _demo() -> bytes:
    """The demonstration song as FLAC."""
    song, file = demo_song().mixture, io.BytesIO()
    soundfile.write(file, song.samples.T, song.sample_rate, "PCM_16", format="FLAC")
    return file.getvalue()


async def _keep(
    house: House, owner: str, file_name: str, chunks: AsyncIterator[bytes]
) -> UploadView:
    await run_in_threadpool(house.check_room)
    upload_id = new_id()
    key = upload_key(upload_id)
    stored = await house.storage.receive(key, chunks, house.settings.max_upload_bytes)
    upload = Upload(
        id=upload_id,
        owner=owner,
        file_name=file_name[-255:],
        key=key,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        created=time.time(),
    )
    await run_in_threadpool(house.jobs.add_upload, upload)
    return UploadView.of(upload)

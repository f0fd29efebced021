"""Recordings that are sent."""

import functools
import subprocess
import sys
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Request, UploadFile
from fastapi.concurrency import run_in_threadpool

from unbraid.service.house import AtHouse, Owner
from unbraid.service.recordings import MAX_NAME, keep, keep_form
from unbraid.service.schemas import UploadView

router = APIRouter(prefix="/uploads", tags=["uploads"])

FileName = Annotated[str, Path(max_length=MAX_NAME, examples=["song.mp3"])]


@router.post("", status_code=HTTPStatus.CREATED)
async def send_form(file: UploadFile, house: AtHouse, owner: Owner) -> UploadView:
    """Send a recording as a form, in the field `file`."""
    return UploadView.of(await keep_form(house, owner, file))


@router.post("/demo", status_code=HTTPStatus.CREATED)
async def send_demo(house: AtHouse, owner: Owner) -> UploadView:
    """Have the demonstration song, half a minute of original music, as if it were sent."""

    async def chunks() -> AsyncIterator[bytes]:
        yield await run_in_threadpool(_demo)

    return UploadView.of(await keep(house, owner, "demo.flac", chunks()))


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
    return UploadView.of(await keep(house, owner, file_name, request.stream()))


@router.get("/{upload_id}")
def get_upload(upload_id: str, house: AtHouse, owner: Owner) -> UploadView:
    """Say what a recording is that was sent."""
    return UploadView.of(house.jobs.upload(owner, upload_id))


@functools.cache
def _demo() -> bytes:
    """The demonstration song as FLAC."""
    command = [sys.executable, "-m", "unbraid.service.demo_child"]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout

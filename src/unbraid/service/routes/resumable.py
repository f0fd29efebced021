"""Recordings that are sent in parts, by tus 1.0.0 (tus.io) with creation, expiration, termination.

Clients such as tus-js-client send to it; with curl, it is a POST and a PATCH from an offset on.
"""

import datetime
import time
from email.utils import format_datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from unbraid.service.arrivals import KEPT_S, parse_metadata
from unbraid.service.db import Arrival
from unbraid.service.house import AtHouse, Owner
from unbraid.service.storage import TooLargeError

VERSION = "1.0.0"
PART = "application/offset+octet-stream"


def speak_tus(
    response: Response,
    version: Annotated[
        str | None, Header(alias="Tus-Resumable", description="1.0.0", examples=[VERSION])
    ] = None,
) -> None:
    """Agree on the version of the protocol."""
    if version not in (None, VERSION):
        detail = f"this server speaks tus {VERSION}; send it as Tus-Resumable"
        raise HTTPException(HTTPStatus.PRECONDITION_FAILED, detail, {"Tus-Version": VERSION})
    response.headers["Tus-Resumable"] = VERSION


def own_arrival(upload_id: str, house: AtHouse, owner: Owner) -> Arrival:
    """The upload that a request names."""
    return house.arrivals.get(owner, upload_id)


OwnArrival = Annotated[Arrival, Depends(own_arrival)]

router = APIRouter(prefix="/uploads/resumable", tags=["uploads"], dependencies=[Depends(speak_tus)])


@router.options("", status_code=HTTPStatus.NO_CONTENT)
def abilities(house: AtHouse, response: Response) -> None:
    """Say what the server speaks."""
    response.headers["Tus-Version"] = VERSION
    response.headers["Tus-Extension"] = "creation,expiration,termination"
    response.headers["Tus-Max-Size"] = str(house.settings.max_upload_bytes)


@router.post("", status_code=HTTPStatus.CREATED)
async def begin(
    house: AtHouse,
    owner: Owner,
    response: Response,
    length: Annotated[int, Header(alias="Upload-Length", ge=1, description="bytes of the whole")],
    metadata: Annotated[
        str, Header(alias="Upload-Metadata", description="with `filename`, in base64")
    ] = "",
) -> None:
    """Begin to send a recording; its address is in `Location`, and ends in the `upload_id`."""
    if length > house.settings.max_upload_bytes:
        raise TooLargeError(f"a recording may have {house.settings.max_upload_mb:g} MB at most")
    name = parse_metadata(metadata).get("filename") or "recording"
    await run_in_threadpool(house.check_room, owner)
    arrival = await run_in_threadpool(house.arrivals.begin, owner, name[-255:], length)
    response.headers["Location"] = f"/api/v1/uploads/resumable/{arrival.id}"
    _tell(response, arrival, 0)


@router.head("/{upload_id}")
async def offset(arrival: OwnArrival, house: AtHouse, response: Response) -> None:
    """Say how many bytes have come, in `Upload-Offset`."""
    _tell(response, arrival, await house.arrivals.offset(arrival))


@router.patch(
    "/{upload_id}",
    status_code=HTTPStatus.NO_CONTENT,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {PART: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def append(
    arrival: OwnArrival,
    house: AtHouse,
    request: Request,
    response: Response,
    start: Annotated[int, Header(alias="Upload-Offset", ge=0, description="where it begins")],
) -> None:
    """Send a part from an offset on; what comes before the connection breaks is kept."""
    if request.headers.get("content-type") != PART:
        detail = f"a part is sent with the Content-Type {PART}"
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)
    _tell(response, arrival, await house.arrivals.append(arrival, start, request.stream()))


@router.delete("/{upload_id}", status_code=HTTPStatus.NO_CONTENT)
def give_up(arrival: OwnArrival, house: AtHouse) -> None:
    """Give an upload up that has not come whole."""
    house.arrivals.drop(arrival)


def _tell(response: Response, arrival: Arrival, there: int) -> None:
    response.headers["Upload-Offset"] = str(there)
    response.headers["Upload-Length"] = str(arrival.size_bytes)
    if there < arrival.size_bytes:
        until = datetime.datetime.fromtimestamp(time.time() + KEPT_S, datetime.UTC)
        response.headers["Upload-Expires"] = format_datetime(until, usegmt=True)

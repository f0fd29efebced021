"""The routes of a separation gateway: songs taken apart under ids of the client's."""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Path, Response, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from unbraid.service.compat.orders import submit_form
from unbraid.service.db import Job
from unbraid.service.house import AtHouse, House, Owner
from unbraid.service.jobs import Conflict, NotFound
from unbraid.service.problems import problem
from unbraid.types import ProcessOptions

STEMS = ProcessOptions(residual="off", midi=False, analysis=False)
MAX_ID = 150

RequestId = Annotated[str, Path(max_length=MAX_ID, examples=["a-17"])]
NewRequestId = Annotated[
    str,
    Form(
        min_length=1,
        max_length=MAX_ID,
        pattern=r"^[^/\x00-\x1f]+$",
        description="by which the request is asked after; each is taken once",
    ),
]

router = APIRouter(prefix="/api", tags=["separation gateway"])


class Standing(BaseModel):
    """How far a request is."""

    status: Literal["pending", "done", "cancelled"]


@router.post("/alert")
async def alert(
    request_id: NewRequestId, file: UploadFile, house: AtHouse, owner: Owner
) -> Standing:
    """Queue a song, in the field `file`, under the id `request_id`."""
    if await run_in_threadpool(house.jobs.find, owner, key_of(request_id)):
        raise Conflict("this request_id was used before; take a new one")
    await submit_form(house, owner, file, STEMS, key_of(request_id))
    return Standing(status="pending")


@router.get(
    "/status/{request_id}",
    response_model=Standing,
    responses={
        HTTPStatus.CREATED: {"description": "The result is there.", "model": Standing},
        HTTPStatus.INTERNAL_SERVER_ERROR: {"description": "The request failed; it says why."},
    },
)
def status(request_id: RequestId, house: AtHouse, owner: Owner) -> Response:
    """Say how far a request is: 200 until it is done, 201 then, 500 if it failed."""
    job = _requested(house, owner, request_id)
    if job.error:
        error = job.error
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, error["detail"], error["type"])
    if job.state == "done":
        return JSONResponse({"status": "done"}, HTTPStatus.CREATED)
    if job.cancel_asked or job.state == "cancelled":
        raise NotFound("this request was cancelled")
    return JSONResponse({"status": "pending"})


@router.post("/cancel/{request_id}")
def cancel(request_id: RequestId, house: AtHouse, owner: Owner) -> Standing:
    """Stop a request, unless it is done."""
    job = house.jobs.cancel(owner, _requested(house, owner, request_id).id)
    house.queue.cancel(job.id)
    return Standing(status="cancelled" if job.state != "done" else "done")


def key_of(request_id: str) -> str:
    """The key of a request's job."""
    return f"request/{request_id}"


def _requested(house: House, owner: str, request_id: str) -> Job:
    job = house.jobs.find(owner, key_of(request_id))
    if job is None:
        raise NotFound("there is no such request")
    return job

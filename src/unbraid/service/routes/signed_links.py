"""Links to results, for those who have no account."""

import datetime
import time
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from unbraid.service.gate import LINKS, AtGate, AtTrail
from unbraid.service.house import AtHouse, OwnJob
from unbraid.service.jobs import NotFound
from unbraid.service.routes.results import FILE_ANSWERS, finished, get_file, get_zip

router = APIRouter(tags=["results"])

ZIP = "result.zip"  # all files, which is the name of none
MAX_S = 7 * 86_400  # as buckets allow


class LinkRequest(BaseModel):
    """A link to make."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[
        str | None,
        Field(
            description="a file of the result; null for a ZIP of all", examples=["stems/bass.wav"]
        ),
    ] = None
    expires_in: Annotated[
        int, Field(ge=1, le=MAX_S, description="seconds for which anyone may use it")
    ] = 3600


class LinkView(BaseModel):
    """A link that needs no account."""

    url: Annotated[str, Field(description="of this server, or of the bucket")]
    expires: datetime.datetime


@router.post("/jobs/{job_id}/links", status_code=HTTPStatus.CREATED)
def make_link(
    wish: LinkRequest, job: OwnJob, house: AtHouse, gate: AtGate, trail: AtTrail
) -> LinkView:
    """Make a link to a file of a result, or to a ZIP of all, which works without an account."""
    files = finished(job)
    if wish.name is not None and wish.name not in files:
        raise NotFound("there is no such file; the job lists those that there are")
    expires = int(time.time()) + wish.expires_in
    name = wish.name or ZIP
    url = house.storage.link(files[wish.name].key, wish.expires_in) if wish.name else None
    if url is None:
        signature = gate.links.signature(job.id, name, expires)
        url = f"{LINKS}{job.id}/{quote(name)}?expires={expires}&signature={signature}"
    trail.note("link made", f"{job.id}/{name}")
    return LinkView(url=url, expires=datetime.datetime.fromtimestamp(expires, datetime.UTC))


@router.get(
    "/links/{job_id}/{name:path}",
    response_class=Response,
    responses=FILE_ANSWERS
    | {HTTPStatus.OK: {**FILE_ANSWERS[HTTPStatus.OK], "description": "The file, or the ZIP."}},
)
def follow_link(
    job_id: str,
    name: str,
    house: AtHouse,
    gate: AtGate,
    request: Request,
    expires: Annotated[int, Query(ge=0, lt=2**53)],
    signature: Annotated[str, Query(max_length=100)],
) -> Response:
    """Get what a link is to."""
    gate.links.check(job_id, name, expires, signature)
    job = house.jobs.shared(job_id)
    return get_zip(job, house) if name == ZIP else get_file(name, job, house, request)


@router.head("/links/{job_id}/{name:path}", include_in_schema=False)
def head_link(
    job_id: str,
    name: str,
    house: AtHouse,
    gate: AtGate,
    request: Request,
    expires: Annotated[int, Query(ge=0, lt=2**53)],
    signature: Annotated[str, Query(max_length=100)],
) -> Response:
    """Say what a link is to."""
    return follow_link(job_id, name, house, gate, request, expires, signature)

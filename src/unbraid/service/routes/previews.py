"""Stems to listen to before a job is done."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from unbraid.service.db import Job
from unbraid.service.house import AtHouse, House, OwnJob
from unbraid.service.jobs import ACTIVE, OPTIONS, Conflict, NotFound
from unbraid.service.previews import CHUNK_S, Preview, find_preview
from unbraid.service.schemas import PreviewView
from unbraid.service.workshop import work_folder
from unbraid.weights import models

router = APIRouter(prefix="/jobs/{job_id}/preview", tags=["results"])


@router.get("")
def get_preview(job: OwnJob, house: AtHouse) -> PreviewView:
    """Say what can be heard of a job that is not done yet."""
    with _there():
        preview, whole = _preview(house, job)
        chunks = preview.chunks(whole)
    return PreviewView(stems=list(preview.files), chunk_s=CHUNK_S, chunks=chunks, whole=whole)


@router.get(
    "/{stem}/{number}",
    response_class=Response,
    responses={
        HTTPStatus.OK: {
            "description": "The chunk.",
            "content": {"audio/flac": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
def get_chunk(
    stem: str, number: Annotated[int, Path(ge=0, le=10**6)], job: OwnJob, house: AtHouse
) -> Response:
    """Get a chunk of a stem, in 16 bits."""
    with _there():
        preview, whole = _preview(house, job)
        if not preview.files:
            raise Conflict("there is nothing to hear before its stems are begun or once it ends")
        if stem not in preview.files or number >= preview.chunks(whole):
            raise NotFound("there is no such chunk yet")
        return Response(preview.chunk(stem, number), media_type="audio/flac")


@contextmanager
def _there() -> Iterator[None]:
    """Say what it means if the unfinished stems are gone all at once."""
    try:
        yield
    except FileNotFoundError as error:
        raise Conflict("the job has just ended; its files can be had instead") from error


def _preview(house: House, job: Job) -> tuple[Preview, bool]:
    """What there is of a job's stems, and whether that is all."""
    if job.state not in ACTIVE:
        raise Conflict(f"the job is {job.state}; previews are of jobs that wait or run")
    model = models()[OPTIONS.validate_python(job.options).model.split("+")[0]]
    separated = any(
        step.stage == "separate" and step.state == "done" for step in house.jobs.steps(job.id)
    )
    return find_preview(work_folder(house.settings) / job.id, model.sample_rate), separated

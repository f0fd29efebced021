"""Waveforms of a result, for drawing."""

from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from unbraid.service.answers import StoredFile, file_answer
from unbraid.service.db import Job
from unbraid.service.house import AtHouse, OwnJob
from unbraid.service.jobs import Conflict, NotFound
from unbraid.service.peaks import LEVELS, Waveform, level_of
from unbraid.service.schemas import LevelView, WaveformView
from unbraid.service.storage import peaks_key

router = APIRouter(prefix="/jobs/{job_id}/peaks", tags=["results"])

BYTES: dict[str, Any] = {
    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
}


@router.get("")
def list_waveforms(job: OwnJob) -> list[WaveformView]:
    """List the waveforms of the recording and its stems, each in several zooms."""
    return [
        WaveformView(
            name=each.name,
            sample_rate=each.sample_rate,
            length=each.length,
            levels=[
                LevelView(
                    samples_per_peak=level,
                    peaks=each.peaks(level),
                    url=f"/api/v1/jobs/{job.id}/peaks/{quote(each.name)}?samples_per_peak={level}",
                )
                for level in LEVELS
            ],
        )
        for each in _waveforms(job)
    ]


@router.get(
    "/{stem}",
    response_class=Response,
    responses={
        HTTPStatus.OK: {"description": "The peaks.", "content": BYTES},
        HTTPStatus.PARTIAL_CONTENT: {"description": "Some of them.", "content": BYTES},
        HTTPStatus.NOT_MODIFIED: {"description": "They are those that you have."},
    },
)
def get_waveform(
    stem: str,
    job: OwnJob,
    house: AtHouse,
    request: Request,
    samples_per_peak: Annotated[
        int, Query(ge=1, le=10**9, description="at most; the next finer zoom that there is is sent")
    ] = LEVELS[1],
) -> Response:
    """Get the waveform of a stem, or of the recording as `mix`.

    The file is that of audiowaveform, version 2: six numbers of 32 bits (2, 0, samples per second,
    samples per peak, peaks, 1), then for each peak the lowest and the highest sample, -32767 to
    32767 for full scale; all little-endian, `new Int16Array(buffer, 24)`.
    """
    level = level_of(samples_per_peak)
    for each in _waveforms(job):
        if each.name == stem:
            start, stop = each.part(level)
            file = StoredFile(
                key=peaks_key(job.id),
                name=f"{stem}.dat",
                content_type="application/octet-stream",
                size_bytes=stop - start,
                etag=f'"{job.id}-{stem}-{level}"',
                start=start,
            )
            return file_answer(house.storage, file, request.headers)
    raise NotFound(f"there is no such stem; there are {_names(job)}")


def _waveforms(job: Job) -> list[Waveform]:
    if job.state != "done":
        raise Conflict(f"the job is {job.state}; its waveforms can be had once it is done")
    return [Waveform(**facts) for facts in job.peaks or ()]


def _names(job: Job) -> str:
    return ", ".join(each.name for each in _waveforms(job)) or "none"

"""Waveforms and spectrograms of a result, for drawing."""

from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from unbraid.service import spectrograms
from unbraid.service.answers import StoredFile, file_answer
from unbraid.service.db import Job
from unbraid.service.house import AtHouse, OwnJob
from unbraid.service.jobs import Conflict, NotFound
from unbraid.service.peaks import LEVELS, Waveform, level_of
from unbraid.service.schemas import (
    LevelView,
    SpectrogramLevelView,
    SpectrogramView,
    WaveformView,
)
from unbraid.service.storage import peaks_key

router = APIRouter(prefix="/jobs/{job_id}", tags=["results"])

BYTES: dict[str, Any] = {
    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
}


@router.get("/peaks")
def list_waveforms(job: OwnJob) -> list[WaveformView]:
    """List the waveforms and spectrograms of the recording and its stems, in several zooms."""
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
            spectrogram=_spectrogram(job, each),
        )
        for each in _waveforms(job)
    ]


def _answers(what: str) -> dict[int | str, dict[str, Any]]:
    return {
        HTTPStatus.OK: {"description": f"The {what}.", "content": BYTES},
        HTTPStatus.PARTIAL_CONTENT: {"description": "Some of them.", "content": BYTES},
        HTTPStatus.NOT_MODIFIED: {"description": "They are those that you have."},
    }


@router.get("/peaks/{stem}", response_class=Response, responses=_answers("peaks"))
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
    level, waveform = level_of(samples_per_peak), _waveform(job, stem)
    start, stop = waveform.part(level)
    file = StoredFile(
        key=peaks_key(job.id),
        name=f"{stem}.dat",
        content_type="application/octet-stream",
        size_bytes=stop - start,
        etag=f'"{job.id}-{stem}-{level}"',
        start=start,
    )
    return file_answer(house.storage, file, request.headers)


@router.get("/spectrograms/{stem}", response_class=Response, responses=_answers("columns"))
def get_spectrogram(
    stem: str,
    job: OwnJob,
    house: AtHouse,
    request: Request,
    samples_per_column: Annotated[
        int, Query(ge=1, le=10**9, description="at most; the next finer zoom that there is is sent")
    ] = spectrograms.LEVELS[0],
) -> Response:
    """Get the spectrogram of a stem, or of the recording as `mix`.

    It is a byte for each of 128 bands, evenly spaced in mel up to 22,050 Hz, of each column, the
    lowest tones first: 255 is full scale, each 5 less are 2 dB less. Columns `first` to `last` are
    the bytes of `Range: bytes={128 * first}-{128 * last + 127}`.
    """
    level, waveform = level_of(samples_per_column, spectrograms.LEVELS), _waveform(job, stem)
    if waveform.loudest is None:
        raise NotFound("this result was made by a version that drew no spectrograms")
    start, stop = waveform.spectrogram_part(level)
    file = StoredFile(
        key=peaks_key(job.id),
        name=f"{stem}.mel",
        content_type="application/octet-stream",
        size_bytes=stop - start,
        etag=f'"{job.id}-{stem}-mel-{level}"',
        start=start,
    )
    return file_answer(house.storage, file, request.headers)


def _waveform(job: Job, stem: str) -> Waveform:
    for each in _waveforms(job):
        if each.name == stem:
            return each
    raise NotFound(f"there is no such stem; there are {_names(job)}")


def _spectrogram(job: Job, waveform: Waveform) -> SpectrogramView | None:
    if waveform.loudest is None:
        return None
    url = f"/api/v1/jobs/{job.id}/spectrograms/{quote(waveform.name)}"
    return SpectrogramView(
        bands=spectrograms.BANDS,
        highest_hz=spectrograms.HIGHEST_HZ,
        loudest=waveform.loudest,
        levels=[
            SpectrogramLevelView(
                samples_per_column=level,
                columns=spectrograms.columns_of(waveform.length, level),
                url=f"{url}?samples_per_column={level}",
            )
            for level in spectrograms.LEVELS
        ],
    )


def _waveforms(job: Job) -> list[Waveform]:
    if job.state != "done":
        raise Conflict(f"the job is {job.state}; its waveforms can be had once it is done")
    return [Waveform(**facts) for facts in job.peaks or ()]


def _names(job: Job) -> str:
    return ", ".join(each.name for each in _waveforms(job)) or "none"

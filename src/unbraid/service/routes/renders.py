"""Audio that is made of a result when asked for: stems in other formats, and mixes."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from unbraid.export.mixing import Fader
from unbraid.service.answers import StoredFile, file_answer
from unbraid.service.db import Job
from unbraid.service.house import AtHouse, House, OwnJob
from unbraid.service.jobs import NotFound
from unbraid.service.renders import Render
from unbraid.service.routes.results import FILE_ANSWERS, finished, track_of
from unbraid.service.schemas import MixRequest, content_type
from unbraid.types import AudioFormat, BitDepth, StemName

router = APIRouter(prefix="/jobs/{job_id}", tags=["results"])

MADE: dict[int | str, dict[str, Any]] = {
    HTTPStatus.OK: {
        **FILE_ANSWERS[HTTPStatus.OK],
        "headers": {
            "Content-Location": {
                "description": "where the file can be had again for a while, and in parts",
                "schema": {"type": "string"},
            }
        },
    }
}


@router.get("/stems/{stem}", response_class=Response, responses=FILE_ANSWERS)
async def get_stem(
    stem: StemName,
    job: OwnJob,
    house: AtHouse,
    request: Request,
    format: Annotated[
        AudioFormat | None, Query(description="by default the one it was made in")
    ] = None,
    bit_depth: Annotated[BitDepth, Query(description="of WAV and FLAC")] = "24",
) -> Response:
    """Get a stem, or a range of its bytes, in any format; the first time takes some seconds."""
    keys = stems_of(job)
    if stem not in keys:
        raise NotFound(f"there is no such stem; there are {', '.join(keys)}")
    if format is None:
        file = next(each for each in finished(job).values() if each.key == keys[stem])
        return file_answer(house.storage, file, request.headers)
    render = Render(job.id, {stem: keys[stem]}, {stem: Fader()}, format, bit_depth)
    file = await made(house, job, render, f"{track_of(job)} - {stem}.{format}")
    return file_answer(house.renders.made, file, request.headers)


@router.post("/mix", response_class=Response, responses=MADE)
async def post_mix(wish: MixRequest, job: OwnJob, house: AtHouse, request: Request) -> Response:
    """Mix stems as a player does; lowered, where the sum is beyond full scale.

    A pan moves a stem as the StereoPannerNode of Web Audio does.
    """
    faders = {
        name: Fader(fader.gain_db, fader.pan)
        for name, fader in wish.stems.items()
        if not fader.mute
    }
    keys = stems_of(job)
    heard = {name: key for name, key in keys.items() if name in faders} or keys
    render = Render(job.id, heard, faders, wish.format, wish.bit_depth)
    file = await made(house, job, render, f"{track_of(job)} - mix.{wish.format}")
    answer = file_answer(house.renders.made, file, request.headers)
    answer.headers["Content-Location"] = f"/api/v1/jobs/{job.id}/mixes/{render.name}"
    return answer


@router.get("/mixes/{name}", response_class=Response, responses=FILE_ANSWERS)
def get_mix(
    name: Annotated[str, Path(pattern=r"^[0-9a-f]{32}\.[0-9a-z]+$")],
    job: OwnJob,
    house: AtHouse,
    request: Request,
) -> Response:
    """Get a mix that was made, or a range of its bytes."""
    size = house.renders.size(job.id, name)
    if size is None:
        raise NotFound("this mix is not kept any longer; mix it again")
    extension = name.rpartition(".")[2]
    file = _file(job, name, f"{track_of(job)} - mix.{extension}", size)
    return file_answer(house.renders.made, file, request.headers)


def stems_of(job: Job) -> Mapping[StemName, str]:
    """The storage keys of the stems of a job that is done.

    Raises:
        Conflict: it is not.
    """
    finished(job)
    return {file["of"]: file["key"] for file in job.files if file.get("kind") == "stem"}


async def made(house: House, job: Job, render: Render, name: str) -> StoredFile:
    """What is rendered of a job, to be sent under a name.

    Raises:
        InputError: the format has no such depth.
        ResourceError: there is no room.
    """
    await run_in_threadpool(house.check_room)
    return _file(job, render.name, name, await house.renders.make(render))


def _file(job: Job, made: str, name: str, size: int) -> StoredFile:
    return StoredFile(
        key=f"{job.id}/{made}",
        name=name,
        content_type=content_type(made),
        size_bytes=size,
        etag=f'"{made}"',
    )

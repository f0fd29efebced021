"""The routes of an inference service for a multitrack player: models by name, a file per stem."""

import datetime
import math
from http import HTTPStatus
from typing import Annotated, Literal, Self
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, Response, UploadFile
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from unbraid.export.mixing import Fader
from unbraid.service.answers import file_answer
from unbraid.service.compat.orders import submit_form
from unbraid.service.db import Job, JobState
from unbraid.service.house import AtHouse, Owner, OwnJob
from unbraid.service.jobs import OPTIONS, NotFound, Order
from unbraid.service.links import check_link
from unbraid.service.orders import check_order
from unbraid.service.renders import Render
from unbraid.service.routes.about import list_models
from unbraid.service.routes.renders import MADE, made, stems_of
from unbraid.service.routes.results import FILE_ANSWERS, finished, manifest_of, track_of
from unbraid.service.schemas import EXAMPLE_ID, JobSummary
from unbraid.types import ProcessOptions

STATUS: dict[JobState, Literal["pending", "running", "done", "error"]] = {
    "queued": "pending",
    "running": "running",
    "done": "done",
    "failed": "error",
    "cancelled": "error",
}

router = APIRouter(tags=["multitrack player"])
router.get("/models")(list_models)


class Submitted(BaseModel):
    """A job that was queued."""

    status: Literal["accepted"] = "accepted"
    job_id: Annotated[str, Field(examples=[EXAMPLE_ID])]
    session_id: Annotated[str, Field(description="names the job's stems where they are mixed")]
    status_url: str
    download_template: Annotated[str, Field(description="put the name of a stem for `{stem}`")]

    @classmethod
    def of(cls, job: Job) -> Self:
        """The answer to a request that made a job."""
        return cls(
            job_id=job.id,
            session_id=job.id,
            status_url=f"/status/{job.id}",
            download_template=f"/download/status/{job.id}/{{stem}}",
        )


class Stems(BaseModel):
    """What a job has made."""

    stems: Annotated[dict[str, str], Field(description="address of each stem")]


class JobStatus(BaseModel):
    """How far a job is."""

    job_id: str
    status: Literal["pending", "running", "done", "error"]
    model: str
    device: Annotated[str, Field(description="asked for; once the job is done, the one it ran on")]
    submitted_at: datetime.datetime
    started_at: datetime.datetime | None
    finished_at: datetime.datetime | None
    result: Stems | None
    error: str | None


@router.post("/separate", status_code=HTTPStatus.ACCEPTED)
async def separate(
    file: UploadFile,
    house: AtHouse,
    owner: Owner,
    model_name: Annotated[str, Form(examples=["htdemucs_6s"])] = ProcessOptions.model,
) -> Submitted:
    """Queue a song, in the field `file`, for the model `model_name`."""
    return Submitted.of(await submit_form(house, owner, file, _stems_of(model_name)))


class LinkRequest(BaseModel):
    """A song to fetch."""

    url: Annotated[str, Field(max_length=2000, examples=["https://youtu.be/dQw4w9WgXcQ"])]
    model_name: str = ProcessOptions.model


@router.post("/separate/youtube", status_code=HTTPStatus.ACCEPTED)
def separate_youtube(wish: LinkRequest, house: AtHouse, owner: Owner) -> Submitted:
    """Queue the song of a link for a model, where such links are fetched."""
    order = Order(None, _stems_of(wish.model_name), url=wish.url)
    check_order(order, house.models)
    check_link(wish.url, house.settings)
    job = house.jobs.submit(owner, order)
    house.queue.enqueue(job.id)
    return Submitted.of(job)


@router.get("/status/{job_id}")
def status(job: OwnJob, house: AtHouse) -> JobStatus:
    """Say how far a job is."""
    options = OPTIONS.validate_python(job.options)
    device: str = options.separation.device
    result = None
    if job.state == "done":
        manifest = manifest_of(job, house.storage)
        device = ", ".join(dict.fromkeys(r.device for r in manifest.reproduce.runtimes.values()))
        at = f"/download/status/{job.id}"
        result = Stems(stems={name: f"{at}/{quote(name)}" for name in manifest.stems})
    told = JobSummary.of(job)
    cancelled = "the job was cancelled" if job.state == "cancelled" else None
    return JobStatus(
        job_id=job.id,
        status=STATUS[job.state],
        model=options.model,
        device=device,
        submitted_at=told.created,
        started_at=told.started,
        finished_at=told.finished,
        result=result,
        error=told.error.detail if told.error else cancelled,
    )


class MixWish(BaseModel):
    """Stems to mix."""

    session_id: Annotated[str, Field(examples=[EXAMPLE_ID])]
    stems: Annotated[
        dict[str, Annotated[float, Field(ge=0, le=10)]],
        Field(description="volume of each that is to be heard, 1 as it is", min_length=1),
    ]


@router.post("/mix", response_class=Response, responses=MADE)
async def mix(wish: MixWish, house: AtHouse, owner: Owner, request: Request) -> Response:
    """Mix stems into a WAV file; lowered, where the sum is beyond full scale."""
    job = await run_in_threadpool(house.jobs.get, owner, wish.session_id)
    faders = {name: Fader(20 * math.log10(gain)) for name, gain in wish.stems.items() if gain}
    render = Render(job.id, stems_of(job), faders, "wav", "24")
    file = await made(house, job, render, f"{track_of(job)} - mix.wav")
    return file_answer(house.renders.made, file, request.headers)


@router.get(
    "/download/status/{job_id}/{stem}",
    response_class=Response,
    responses=FILE_ANSWERS,
)
def download(job: OwnJob, stem: str, house: AtHouse, request: Request) -> Response:
    """Get a stem, or a range of its bytes."""
    files = finished(job)
    stems = manifest_of(job, house.storage).stems
    if stem not in stems:
        raise NotFound(f"there is no such stem; there are: {', '.join(stems)}")
    return file_answer(house.storage, files[stems[stem].file], request.headers)


def _stems_of(model: str) -> ProcessOptions:
    return ProcessOptions(model, residual="off", midi=False, analysis=False)

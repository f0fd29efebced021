"""The routes of a bass extractor: a song in, its tempo with the notes of its bass out."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, UploadFile
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, Field

from unbraid.service.compat.orders import submit_form
from unbraid.service.db import Event, JobState
from unbraid.service.house import AtHouse, Owner, OwnJob
from unbraid.service.routes.jobs import MAX_EVENT
from unbraid.service.schemas import EXAMPLE_ID, ProgressEvent, told
from unbraid.types import ProcessOptions, Stage

BASS = ProcessOptions(stems=("bass",), residual="off")

WORDS: dict[Stage, str] = {
    "fetch": "Fetching the recording",
    "decode": "Reading the recording",
    "pull": "Fetching the model",
    "separate": "Separating the bass",
    "judge": "Judging the bass",
    "analyse": "Finding the tempo",
    "transcribe": "Writing the notes",
    "export": "Writing the files",
}

STATES: dict[JobState, str] = {
    "queued": "Waiting",
    "running": "Starting",
    "done": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
}

router = APIRouter(prefix="/api", tags=["bass extractor"])


class Accepted(BaseModel):
    """A job that was queued."""

    job_id: Annotated[str, Field(examples=[EXAMPLE_ID])]


class Step(BaseModel):
    """What `data` of each event holds."""

    progress: Annotated[int, Field(ge=0, le=100)]
    message: str


@router.post("/process")
async def process(file: UploadFile, house: AtHouse, owner: Owner) -> Accepted:
    """Queue a song, in the field `file`."""
    return Accepted(job_id=(await submit_form(house, owner, file, BASS)).id)


@router.get("/progress/{job_id}", response_class=EventSourceResponse)
async def progress(
    job: OwnJob,
    house: AtHouse,
    last_event_id: Annotated[
        int, Header(ge=0, le=MAX_EVENT, description="number of the last event that was seen")
    ] = 0,
) -> AsyncIterator[ServerSentEvent]:
    """Follow a job until it is at rest; the last message of one that failed says why."""
    percent = 0
    async for event in house.watch.events(job.id, last_event_id):
        step = _step(event, percent)
        percent = step.progress
        yield ServerSentEvent(id=str(event.number), data=step.model_dump())


def _step(event: Event, percent: int) -> Step:
    """An event in percent, and in words.

    Args:
        event: of a job.
        percent: of the events before.
    """
    said = told(event)
    if isinstance(said, ProgressEvent):
        percent = max(percent, round(99 * (said.fraction or 0.0)))
        place = f" ({said.done_s:.0f} of {said.total_s:.0f} s)" if said.total_s else ""
        return Step(progress=percent, message=WORDS[said.stage] + place)
    if said.error:
        return Step(progress=percent, message=f"Error: {said.error.detail}")
    return Step(progress=100 if said.state == "done" else percent, message=STATES[said.state])

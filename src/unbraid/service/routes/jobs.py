"""Jobs: sent, listed, watched, cancelled, removed."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from unbraid.service.db import Job, JobState
from unbraid.service.gate import AtTrail
from unbraid.service.house import AtHouse, House, Owner, OwnJob
from unbraid.service.jobs import Order
from unbraid.service.orders import check_order
from unbraid.service.schemas import JobPage, JobRequest, JobSummary, JobView, event_data
from unbraid.service.waiting import expected_wait

MAX_EVENT = 2**31 - 1

router = APIRouter(prefix="/jobs", tags=["jobs"])

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="a job is made once for each; a repeated request gives the same job",
    ),
]


@router.post("", status_code=HTTPStatus.CREATED)
def submit(
    wish: JobRequest, house: AtHouse, owner: Owner, response: Response, key: Key = None
) -> JobView:
    """Queue a recording that was sent, to be taken apart."""
    order = Order(wish.upload_id, wish.wanted, wish.priority, wish.fallback)
    check_order(order, house.models)
    job = house.jobs.submit(owner, order, key)
    house.queue.enqueue(job.id)
    response.headers["Location"] = f"/api/v1/jobs/{job.id}"
    return job_view(house, job)


@router.get("")
def list_jobs(
    house: AtHouse,
    owner: Owner,
    state: Annotated[JobState | None, Query(description="only those in this state")] = None,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> JobPage:
    """List jobs, the newest first."""
    page = house.jobs.list(owner, state, offset, limit)
    return JobPage(
        jobs=[JobSummary.of(job) for job in page.jobs],
        total=page.total,
        offset=offset,
        limit=limit,
    )


@router.get("/{job_id}")
def get_job(job: OwnJob, house: AtHouse) -> JobView:
    """Say how far a job is."""
    return job_view(house, job)


@router.post("/{job_id}/cancel", status_code=HTTPStatus.ACCEPTED)
def cancel(job_id: str, house: AtHouse, owner: Owner) -> JobView:
    """Stop a job: at once if it waits, after the segment at hand if it runs."""
    job = house.jobs.cancel(owner, job_id)
    house.queue.cancel(job.id)
    return job_view(house, job)


@router.delete("/{job_id}", status_code=HTTPStatus.NO_CONTENT)
def remove(job_id: str, house: AtHouse, owner: Owner, trail: AtTrail) -> None:
    """Stop a job and remove it with its files."""
    house.jobs.remove(owner, job_id)
    house.queue.cancel(job_id)
    trail.note("job removed", job_id)


@router.get("/{job_id}/events", response_class=EventSourceResponse)
async def events(
    job: OwnJob,
    house: AtHouse,
    last_event_id: Annotated[
        int, Header(ge=0, le=MAX_EVENT, description="number of the last event that was seen")
    ] = 0,
) -> AsyncIterator[ServerSentEvent]:
    """Follow a job: all its events from the first or the given one on, until it is at rest."""
    async for event in house.watch.events(job.id, last_event_id):
        yield ServerSentEvent(event=event.kind, id=str(event.number), data=event_data(event))


def job_view(house: House, job: Job) -> JobView:
    """All about a job."""
    wait = None
    if job.state == "queued":
        wait = expected_wait(house.database, job, house.settings.workers)
    tasks = list(house.jobs.tasks(job.id))
    return JobView.whole(job, list(house.jobs.steps(job.id)), wait, tasks)

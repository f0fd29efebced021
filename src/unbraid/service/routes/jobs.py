"""Jobs: sent, listed, watched, cancelled, renamed, removed, restored."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from unbraid.service.db import Job, JobState
from unbraid.service.gate import AtTrail
from unbraid.service.house import AtHouse, House, Owner, OwnJob
from unbraid.service.jobs import Conflict, Order
from unbraid.service.links import check_link
from unbraid.service.orders import check_order
from unbraid.service.schemas import (
    JobPage,
    JobRequest,
    JobSummary,
    JobView,
    RenameRequest,
    RetryRequest,
    Submission,
    event_data,
)
from unbraid.service.waiting import expected_wait

MAX_EVENT = 2**31 - 1

router = APIRouter(prefix="/jobs", tags=["jobs"])

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="a repeated request with the same key makes nothing new, and gives the same",
    ),
]


@router.post("", status_code=HTTPStatus.CREATED)
def submit(
    wish: JobRequest, house: AtHouse, owner: Owner, response: Response, key: Key = None
) -> JobView:
    """Queue a recording that was sent, or is linked to, to be taken apart."""
    return job_view(house, _submit(wish, house, owner, response, key))


@router.get("")
def list_jobs(
    house: AtHouse,
    owner: Owner,
    state: Annotated[JobState | None, Query(description="only those in this state")] = None,
    batch_id: Annotated[str | None, Query(description="only those of this batch")] = None,
    query: Annotated[
        str | None, Query(alias="q", max_length=255, description="part of its name")
    ] = None,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> JobPage:
    """List jobs, the newest first."""
    page = house.jobs.list(owner, state, offset, limit, query, batch_id)
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


@router.post("/{job_id}/retry", status_code=HTTPStatus.CREATED)
def retry(
    wish: RetryRequest,
    job: OwnJob,
    house: AtHouse,
    owner: Owner,
    response: Response,
    key: Key = None,
) -> JobView:
    """Queue the same recording once more, with other settings or the same."""
    if job.parent_id:
        raise Conflict("this is a task of another job; ask that one for it again")
    again = _submit(wish.applied_to(job), house, owner, response, key)
    if job.name:
        again = house.jobs.rename(owner, again.id, job.name)
    return job_view(house, again)


@router.patch("/{job_id}")
def rename(job_id: str, wish: RenameRequest, house: AtHouse, owner: Owner) -> JobView:
    """Call a job by another name, which its downloads then have."""
    return job_view(house, house.jobs.rename(owner, job_id, wish.name))


@router.post("/{job_id}/restore")
def restore(job_id: str, house: AtHouse, owner: Owner, trail: AtTrail) -> JobView:
    """Bring a job back that was removed lately; if it waited or ran, it is cancelled."""
    job = house.jobs.restore(owner, job_id)
    trail.note("job restored", job_id)
    return job_view(house, job)


@router.delete("/{job_id}", status_code=HTTPStatus.NO_CONTENT)
def remove(
    job_id: str,
    house: AtHouse,
    owner: Owner,
    trail: AtTrail,
    forever: Annotated[bool, Query(description="at once, so that it cannot be restored")] = False,
) -> None:
    """Stop a job and remove it with its files; for some minutes it can be restored."""
    house.jobs.remove(owner, job_id, 0.0 if forever else house.settings.undo_minutes * 60)
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


def _submit(wish: JobRequest, house: House, owner: str, response: Response, key: str | None) -> Job:
    order = order_of(wish, wish.upload_id, wish.url)
    check_order(order, house.models)
    if order.url:
        check_link(order.url, house.settings)
    job = house.jobs.submit(owner, order, key)
    house.queue.enqueue(job.id)
    response.headers["Location"] = f"/api/v1/jobs/{job.id}"
    return job


def order_of(wish: Submission, upload_id: str | None, url: str | None = None) -> Order:
    """What is to be queued of a recording."""
    return Order(
        upload_id=upload_id,
        options=wish.wanted,
        priority=wish.priority,
        fallback=wish.fallback,
        url=url,
        keep_days=wish.keep_days,
    )


def job_view(house: House, job: Job) -> JobView:
    """All about a job."""
    wait = None
    if job.state == "queued":
        wait = expected_wait(house.database, job, house.settings.workers)
    tasks = list(house.jobs.tasks(job.id))
    return JobView.whole(job, list(house.jobs.steps(job.id)), wait, tasks)

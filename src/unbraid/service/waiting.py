"""How long a job still waits: its place in the queue, and an estimate from what others took."""

import heapq
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from unbraid.service.db import Database, Job

RECENT = 20  # finished jobs that an estimate is made of
MIN_FRACTION = 0.05  # of a running job, before it tells anything


@dataclass(frozen=True)
class Wait:
    """What a queued job may expect.

    Attributes:
        position: jobs that come before it.
        seconds: until it begins; None while nothing was finished to judge by.
    """

    position: int
    seconds: float | None


def expected_wait(database: Database, job: Job, workers: int) -> Wait:
    """The wait of a queued job, if nobody sends one with a higher priority."""
    before = sa.or_(
        Job.priority > job.priority,
        sa.and_(
            Job.priority == job.priority,
            sa.or_(Job.turn < job.turn, sa.and_(Job.turn == job.turn, Job.created < job.created)),
        ),
    )
    alike = Job.parent_id.is_(None) if job.parent_id is None else Job.parent_id.is_not(None)
    ahead = sa.select(sa.func.count()).select_from(Job).where(Job.state == "queued", before, alike)
    done = (
        sa.select(Job.worked_s)
        .where(Job.state == "done", alike)
        .order_by(Job.finished.desc())
        .limit(RECENT)
    )
    now = time.time()
    with database.read() as session:
        position = session.scalar(ahead) or 0
        recent = session.scalars(done).all()
        running = session.execute(
            sa.select(Job.claimed, Job.fraction).where(Job.state == "running", alike)
        ).all()
    if not recent or not workers:
        return Wait(position, None)
    usual = statistics.median(recent)
    busy = [_left(now - (claimed or now), fraction, usual) for claimed, fraction in running]
    return Wait(position, round(begins_after(busy, workers, position, usual), 1))


def begins_after(busy: Sequence[float], workers: int, ahead: int, usual: float) -> float:
    """Seconds until a worker is free for a job.

    Args:
        busy: seconds that running jobs still take.
        workers: that there are.
        ahead: jobs that come first.
        usual: seconds that each of them takes.

    Example:
        >>> begins_after([4.0, 1.0], workers=2, ahead=2, usual=10.0)
        11.0
    """
    free = sorted(busy)[-workers:] + [0.0] * (workers - len(busy))
    heapq.heapify(free)
    for _ in range(ahead):
        heapq.heapreplace(free, free[0] + usual)
    return free[0]


def _left(elapsed: float, fraction: float | None, usual: float) -> float:
    if fraction is None or fraction < MIN_FRACTION:
        return max(0.0, usual - elapsed)
    return elapsed * (1 - fraction) / fraction

"""Jobs as their owners see them: submitted, watched, cancelled, removed.

Fairness: jobs of one priority are done in the order of their `turn`. An owner's next job gets the
turn after that of the owner's last one, but none that has passed already (start-time fair queuing,
Goyal 1996). So two owners alternate, however many jobs one of them has sent.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from unbraid.errors import UnbraidError
from unbraid.service.db import (
    Batch,
    Database,
    Event,
    EventKind,
    Job,
    JobKind,
    JobState,
    Step,
    Upload,
    lock_owner,
)
from unbraid.service.links import name_of
from unbraid.service.quotas import DAY_S, Quotas, Used, stored_bytes
from unbraid.service.storage import new_id, upload_key
from unbraid.service.tiers import TIERS
from unbraid.service.tracing import origin
from unbraid.types import ProcessOptions, Stage

Priority = Literal["low", "normal", "high"]
PRIORITIES: dict[Priority, int] = {"low": -1, "normal": 0, "high": 1}
Undo = Literal["undo", "redo"]
TASK_PRIORITY: Priority = "high"  # somebody waits for it
STAGES_OF: dict[JobKind, tuple[Stage, ...]] = {
    "process": ("decode", "separate", "judge", "analyse", "transcribe", "export"),
    "transcribe": ("transcribe", "export"),
    "export": ("export",),
    "correct": ("export",),
    "score": ("decode", "judge"),
}
ACTIVE: tuple[JobState, ...] = ("queued", "running")
STAGES: tuple[Stage, ...] = get_args(Stage)  # in their order
MAX_EVENTS = 500  # read at once

OPTIONS = TypeAdapter(ProcessOptions)


class NotFound(UnbraidError):  # noqa: N818  what is told, rather than a fault
    """There is no such thing, or it is someone else's."""


class Conflict(UnbraidError):  # noqa: N818
    """What is asked for does not fit the state of things."""


class QueueFull(UnbraidError):  # noqa: N818
    """The owner has too many jobs waiting."""


@dataclass(frozen=True)
class Order:
    """What someone wants.

    Attributes:
        upload_id: the recording; None where it is fetched from `url`.
        options: what to make of it.
        priority: before or after others.
        fallback: model to take if that of the options cannot be had.
        url: link to the recording.
        keep_days: after its end; None for as long as the server keeps any.
    """

    upload_id: str | None
    options: ProcessOptions
    priority: Priority = "normal"
    fallback: str | None = None
    url: str | None = None
    keep_days: float | None = None

    @property
    def fingerprint(self) -> str:
        """The same for the same order."""
        wish = [self.options, self.priority, self.fallback, self.keep_days]
        facts = [self.upload_id, self.url, *wish]
        return hashlib.sha256(TypeAdapter(list[Any]).dump_json(facts)).hexdigest()


def undo_of(task: Job, parent: Job) -> Undo | None:
    """What undoing a task would do to the result now; None where it cannot be undone."""
    if not task.undoing or task.undoing["is"] != parent.files:
        return None
    return "redo" if task.undoing["undone"] else "undo"


@dataclass(frozen=True)
class Task:
    """Work to do on a result.

    Attributes:
        kind: what to do.
        options: of the result once it is done; None leaves them.
        wish: what else is wanted.
    """

    kind: JobKind
    options: ProcessOptions | None = None
    wish: dict[str, Any] | None = None


@dataclass(frozen=True)
class Page:
    """Some of an owner's jobs, the newest first.

    Attributes:
        jobs: of this page.
        total: jobs on all pages.
    """

    jobs: Sequence[Job]
    total: int


class Jobs:
    """The jobs of a database."""

    def __init__(self, database: Database, max_queued: int, quotas: Quotas | None = None) -> None:
        self.database = database
        self._max_queued = max_queued
        self.quotas = quotas or Quotas(TIERS)

    def add_upload(self, upload: Upload) -> None:
        """Remember a recording whose bytes are stored."""
        with self.database.write() as session:
            session.add(upload)

    def upload(self, owner: str, upload_id: str) -> Upload:
        """A recording that the owner has sent.

        Raises:
            NotFound: there is none of that id.
        """
        with self.database.read() as session:
            return _upload(session, owner, upload_id)

    def submit(self, owner: str, order: Order, idempotency_key: str | None = None) -> Job:
        """Queue a job; with a key that was used before, give the job that it made then.

        Raises:
            NotFound: the owner has no such upload.
            Conflict: the key was used for another order.
            QueueFull: too many jobs of the owner wait.
            TooMany: the owner's tier allows no more now.
        """
        with self.database.write() as session:
            lock_owner(session, owner)
            if idempotency_key and (earlier := _by_key(session, owner, idempotency_key)):
                if earlier.fingerprint != order.fingerprint:
                    raise Conflict("this Idempotency-Key was used for another job; take a new one")
                return earlier
            return self.add(session, owner, order, idempotency_key=idempotency_key)

    def add(
        self,
        session: Session,
        owner: str,
        order: Order,
        *,
        idempotency_key: str | None = None,
        batch_id: str | None = None,
    ) -> Job:
        """Queue a job within a transaction that holds the lock of its owner.

        Raises:
            NotFound: the owner has no such upload.
            QueueFull: too many jobs of the owner wait.
            TooMany: the owner's tier allows no more now.
        """
        upload = _ordered(session, owner, order)
        tier = self.quotas.count_job(session, owner)
        job = Job(
            owner=owner,
            kind="process",
            batch_id=batch_id,
            upload_id=upload.id,
            file_name=upload.file_name,
            options=OPTIONS.dump_python(order.options, mode="json"),
            fallback=order.fallback,
            idempotency_key=idempotency_key,
            fingerprint=order.fingerprint,
            keep_days=_shorter(order.keep_days, tier.keep_days),
        )
        return self._queue(session, job, order.priority)

    def add_task(self, owner: str, job_id: str, task: Task) -> Job:
        """Queue work on the result of a job.

        Raises:
            NotFound: there is none of that id.
            Conflict: it has no result.
            QueueFull: too many jobs of the owner wait.
        """
        with self.database.write() as session:
            parent = _job(session, owner, job_id, lock=True)
            if parent.state != "done" or parent.parent_id:
                raise Conflict(f"the job is {parent.state}; there must be a result to work on")
            options = OPTIONS.dump_python(task.options, mode="json") if task.options else None
            job = Job(
                owner=owner,
                kind=task.kind,
                parent_id=parent.id,
                wish=task.wish,
                upload_id=parent.upload_id,
                file_name=parent.file_name,
                options=options or parent.options,
                fingerprint="",
            )
            return self._queue(session, job, TASK_PRIORITY)

    def undo(self, owner: str, task_id: str) -> Job:
        """Give a result back what a task has changed; of an undone task, what it had made.

        Returns:
            The job whose result it is.

        Raises:
            NotFound: there is no such task.
            Conflict: it changed nothing, or the result has changed since.
        """
        with self.database.write() as session:
            task = _job(session, owner, task_id, lock=True)
            parent = _job(session, owner, task.parent_id or task_id, lock=True)
            if (turn := undo_of(task, parent)) is None:
                raise Conflict("the result has changed since; undo the latest change first")
            was = (task.undoing or {})["was"]
            parent.become(was["files"], was["options"], task, undone=turn == "undo")
            return parent

    def tasks(self, job_id: str) -> Sequence[Job]:
        """The work on the result of a job, the latest first."""
        query = sa.select(Job).where(Job.parent_id == job_id, Job.removed.is_(False))
        with self.database.read() as session:
            return session.scalars(query.order_by(Job.created.desc())).all()

    def _queue(self, session: Session, job: Job, priority: Priority) -> Job:
        """Let a new job wait for its turn."""
        queued = _count(session, Job.owner == job.owner, Job.state == "queued")
        if queued >= self._max_queued:
            raise QueueFull(f"{queued} jobs are waiting; send more when some are done")
        job.id, job.state, job.created = new_id(), "queued", time.time()
        job.priority = PRIORITIES[priority]
        job.turn = _next_turn(session, job.owner, job.priority)
        job.not_before = job.worked_s = 0.0
        job.attempts = job.last_event = job.result_bytes = 0
        job.cancel_asked = job.removed = False
        job.files, job.origin = [], origin()
        session.add(job)
        session.flush()
        session.add_all(
            Step(job_id=job.id, stage=stage, state="queued", attempts=0, done_s=0.0)
            for stage in STAGES_OF[job.kind]
        )
        emit(session, job, "state", {"state": "queued"})
        return job

    def get(self, owner: str, job_id: str) -> Job:
        """A job of the owner's.

        Raises:
            NotFound: there is none of that id.
        """
        with self.database.read() as session:
            return _job(session, owner, job_id)

    def find(self, owner: str, idempotency_key: str) -> Job | None:
        """The job that the owner has made with a key, if any."""
        with self.database.read() as session:
            return _by_key(session, owner, idempotency_key)

    def shared(self, job_id: str) -> Job:
        """A job, whoever's it is, for those who have a link to it.

        Raises:
            NotFound: there is none of that id.
        """
        with self.database.read() as session:
            job = session.get(Job, job_id)
        if job is None or job.removed:
            raise NotFound("what this link led to is gone")
        return job

    def list(
        self,
        owner: str,
        state: JobState | None = None,
        offset: int = 0,
        limit: int = 50,
        query: str | None = None,
        batch_id: str | None = None,
    ) -> Page:
        """The owner's jobs, without tasks."""
        chosen = [Job.owner == owner, Job.removed.is_(False), Job.parent_id.is_(None)]
        if state:
            chosen.append(Job.state == state)
        if batch_id:
            chosen.append(Job.batch_id == batch_id)
        if query:
            named = (Job.name, Job.file_name)
            chosen.append(sa.or_(*(each.icontains(query, autoescape=True) for each in named)))
        newest = sa.select(Job).where(*chosen).order_by(Job.created.desc(), Job.id)
        with self.database.read() as session:
            jobs = session.scalars(newest.offset(offset).limit(limit)).all()
            return Page(jobs, _count(session, *chosen))

    def steps(self, job_id: str) -> Sequence[Step]:
        """The stages of a job, in their order."""
        with self.database.read() as session:
            steps = session.scalars(sa.select(Step).where(Step.job_id == job_id)).all()
        return sorted(steps, key=lambda step: STAGES.index(step.stage))

    def events(self, job_id: str, after: int) -> Sequence[Event]:
        """What happened to a job after an event, at most `MAX_EVENTS` at once."""
        query = sa.select(Event).where(Event.job_id == job_id, Event.number > after)
        with self.database.read() as session:
            return session.scalars(query.order_by(Event.number).limit(MAX_EVENTS)).all()

    def last_events(self, job_ids: Sequence[str]) -> Mapping[str, int]:
        """The number of the last event of each of these jobs that still exist."""
        query = sa.select(Job.id, Job.last_event).where(Job.id.in_(job_ids))
        with self.database.read() as session:
            return {row.id: row.last_event for row in session.execute(query)}

    def cancel(self, owner: str, job_id: str) -> Job:
        """Ask a job to stop: one that waits has stopped at once, a running one will soon.

        Raises:
            NotFound: there is none of that id.
        """
        with self.database.write() as session:
            job = _job(session, owner, job_id, lock=True)
            _cancel(session, job)
            return job

    def rename(self, owner: str, job_id: str, name: str) -> Job:
        """Call a job by another name.

        Raises:
            NotFound: there is none of that id.
        """
        with self.database.write() as session:
            job = _job(session, owner, job_id, lock=True)
            job.name = name
            return job

    def remove(self, owner: str, job_id: str, keep_s: float = 0.0) -> None:
        """Cancel a job and remove it; its files go later, but not while a worker has them.

        Args:
            owner: whose it is.
            job_id: the job.
            keep_s: seconds in which it can be restored.

        Raises:
            NotFound: there is none of that id.
        """
        with self.database.write() as session:
            _remove(session, _job(session, owner, job_id, lock=True), time.time() + keep_s)

    def restore(self, owner: str, job_id: str) -> Job:
        """Bring a job back that was removed lately.

        Raises:
            NotFound: there is none of that id, or none any longer.
        """
        gone = sa.select(Job).where(Job.id == job_id, Job.owner == owner)
        with self.database.write() as session:
            job = session.scalar(gone.with_for_update())
            if job is None or (job.removed and (job.purge_at or 0.0) <= time.time()):
                raise NotFound("there is no such job, or it can no longer be restored")
            job.removed, job.purge_at = False, None
            return job

    def remove_ended(self, keep_days: float | None) -> None:
        """Remove jobs that ended long enough ago: so many days, or as many as they say."""
        now = time.time()
        over = Job.finished + Job.keep_days * DAY_S < now
        if keep_days is not None:
            over = sa.or_(over, Job.finished < now - keep_days * DAY_S)
        old = sa.and_(over, Job.removed.is_(False))
        with self.database.read() as session:
            if session.scalar(sa.select(Job.id).where(old).limit(1)) is None:
                return  # most often, and without disturbing writers
        with self.database.write() as session:
            session.execute(sa.update(Job).where(old).values(removed=True, idempotency_key=None))

    def remove_tasks(self, before: float) -> None:
        """Remove tasks that ended before a time, or whose job was removed."""
        parent = sa.orm.aliased(Job)
        there = sa.select(parent.id).where(parent.id == Job.parent_id, ~parent.removed).exists()
        needless = (
            Job.parent_id.is_not(None)
            & Job.removed.is_(False)
            & sa.or_(Job.finished < before, ~there)
        )
        with self.database.read() as session:
            if session.scalar(sa.select(Job.id).where(needless).limit(1)) is None:
                return
        with self.database.write() as session:
            session.execute(sa.update(Job).where(needless).values(removed=True, cancel_asked=True))

    def drop_unused(self, before: float) -> Sequence[str]:
        """Forget recordings that came before a time and have no job; gives their storage keys.

        Batches whose jobs are gone are forgotten too.
        """
        used = sa.select(Job.id).where(Job.upload_id == Upload.id).exists()
        stale = sa.and_(Upload.created < before, ~used)
        empty = ~sa.select(Job.id).where(Job.batch_id == Batch.id).exists()
        needless = sa.select(Upload.id).where(stale), sa.select(Batch.id).where(empty)
        with self.database.read() as session:
            if all(session.scalar(query.limit(1)) is None for query in needless):
                return ()  # most often, and without disturbing writers
        with self.database.write() as session:
            session.execute(sa.delete(Batch).where(empty))
            return session.scalars(sa.delete(Upload).where(stale).returning(Upload.key)).all()

    def stored_bytes(self) -> int:
        """What recordings and results take, with what is still to come."""
        with self.database.read() as session:
            return stored_bytes(session)

    def used(self, owner: str) -> Used:
        """What an owner has used of what its tier allows."""
        with self.database.read() as session:
            return self.quotas.used(session, owner)

    def check_stored(self, owner: str) -> None:
        """Refuse more where an owner has stored enough.

        Raises:
            TooMany: the tier's limit is reached.
        """
        with self.database.read() as session:
            self.quotas.check_stored(session, owner)

    def tidy_counts(self) -> None:
        """Forget what was used on days long gone."""
        with self.database.read() as session:
            if not self.quotas.forgettable(session):
                return  # most often, and without disturbing writers
        with self.database.write() as session:
            self.quotas.forget(session)

    def removable(self) -> Sequence[Job]:
        """Jobs that were removed for good and are at rest."""
        due = sa.func.coalesce(Job.purge_at, 0.0) <= time.time()
        query = sa.select(Job).where(Job.removed, due, Job.state.not_in(ACTIVE))
        with self.database.read() as session:
            return session.scalars(query).all()

    def active(self, job_ids: Sequence[str]) -> set[str]:
        """Those of some jobs that wait or run."""
        query = sa.select(Job.id).where(Job.id.in_(job_ids), Job.state.in_(ACTIVE))
        with self.database.read() as session:
            return set(session.scalars(query))

    def purge(self, job: Job) -> str | None:
        """Forget a removed job; gives the storage key of its recording if no other uses it."""
        with self.database.write() as session:
            for table in (Event, Step):
                session.execute(sa.delete(table).where(table.job_id == job.id))
            session.execute(sa.delete(Job).where(Job.id == job.id))
            if _count(session, Job.upload_id == job.upload_id):
                return None
            upload = session.get(Upload, job.upload_id)
            if upload is None:
                return None
            session.delete(upload)
            return upload.key


def remove_all(session: Session, owner: str) -> None:
    """Remove all jobs of an owner."""
    jobs = sa.select(Job).where(Job.owner == owner, Job.removed.is_(False))
    for job in session.scalars(jobs.with_for_update()).all():
        _remove(session, job)


def emit(session: Session, job: Job, kind: EventKind, data: Mapping[str, Any]) -> None:
    """Add the next event of a job, whose row the transaction has locked."""
    job.last_event += 1
    session.add(
        Event(job_id=job.id, number=job.last_event, at=time.time(), kind=kind, data=dict(data))
    )


def end(session: Session, job: Job, state: JobState, error: dict[str, Any] | None = None) -> None:
    """Bring a job to rest."""
    steps = session.scalars(sa.select(Step).where(Step.job_id == job.id)).all()
    for step in steps:
        if step.state == "running":
            step.state, step.finished = state, time.time()
        elif step.state == "queued":
            step.state = "skipped"
    job.state, job.error, job.finished = state, error, time.time()
    job.worker = job.token = job.lease_until = None
    emit(session, job, "state", {"state": state, **({"error": error} if error else {})})


def _cancel(session: Session, job: Job) -> None:
    if job.state == "queued":
        end(session, job, "cancelled")
    elif job.state == "running":
        job.cancel_asked = True


def _remove(session: Session, job: Job, purge_at: float | None = None) -> None:
    _cancel(session, job)
    job.removed, job.purge_at = True, purge_at
    job.idempotency_key = None


def _job(session: Session, owner: str, job_id: str, *, lock: bool = False) -> Job:
    query = sa.select(Job).where(Job.id == job_id, Job.owner == owner, Job.removed.is_(False))
    job = session.scalar(query.with_for_update() if lock else query)
    if job is None:
        raise NotFound("there is no such job")
    return job


def _ordered(session: Session, owner: str, order: Order) -> Upload:
    """The recording of an order; one that is still to be fetched is added without its bytes."""
    if order.url is None:
        return _upload(session, owner, order.upload_id or "")
    upload_id = new_id()
    upload = Upload(
        id=upload_id,
        owner=owner,
        file_name=name_of(order.url),
        key=upload_key(upload_id),
        size_bytes=0,
        sha256="",
        created=time.time(),
        url=order.url,
    )
    session.add(upload)
    session.flush()
    return upload


def _upload(session: Session, owner: str, upload_id: str) -> Upload:
    query = sa.select(Upload).where(Upload.id == upload_id, Upload.owner == owner)
    upload = session.scalar(query)
    if upload is None:
        raise NotFound("there is no such upload; send the recording first")
    return upload


def _by_key(session: Session, owner: str, key: str) -> Job | None:
    return session.scalar(sa.select(Job).where(Job.owner == owner, Job.idempotency_key == key))


def _next_turn(session: Session, owner: str, priority: int) -> int:
    alike = Job.priority == priority
    own = sa.select(sa.func.max(Job.turn)).where(
        alike, Job.owner == owner, Job.state != "cancelled"
    )
    passed = sa.select(sa.func.max(Job.turn)).where(alike, Job.claimed.is_not(None))
    last = session.scalar(own)
    return max(-1 if last is None else last, (session.scalar(passed) or 0) - 1) + 1


def _shorter(*days: float | None) -> float | None:
    return min((each for each in days if each is not None), default=None)


def _count(session: Session, *conditions: sa.ColumnElement[bool]) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(Job).where(*conditions)) or 0

"""Jobs as workers see them: claimed, reported on, finished or handed back.

A worker owns a job as long as it renews its lease, under a token that no other claim has. What it
writes counts only while the token is that of the job; a worker that comes back too late learns that
the job was taken from it, and stops.
"""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from unbraid.service.db import Database, Job, JobKind, Step, Upload
from unbraid.service.jobs import OPTIONS, emit, end
from unbraid.service.quotas import Quotas
from unbraid.service.storage import Stored
from unbraid.service.tiers import TIERS
from unbraid.types import ProcessOptions, Progress

Standing = Literal["held", "cancel asked", "lost"]
RETRY_S = 2.0  # before a job is tried again, doubled each time
MAX_RETRY_S = 600.0


@dataclass(frozen=True)
class Claim:
    """A job in the hands of a worker.

    Attributes:
        job_id: the job.
        token: proves the claim.
        upload_id: the recording.
        file_name: how its owner calls it.
        options: what to make of it.
        fallback: model to take if that of the options cannot be had.
        kind: what to do.
        parent_id: the job whose result is worked on.
        wish: what else is wanted.
        url: where the recording has still to be fetched.
        origin: ids of the request that it came by.
    """

    job_id: str
    token: str
    upload_id: str
    file_name: str
    options: ProcessOptions
    fallback: str | None
    kind: JobKind
    parent_id: str | None
    wish: dict[str, Any]
    url: str | None = None
    origin: Mapping[str, str] = field(default_factory=dict)


class Claims:
    """Gives the jobs of a database to workers."""

    def __init__(
        self,
        database: Database,
        *,
        lease_s: float,
        max_attempts: int,
        quotas: Quotas | None = None,
    ) -> None:
        self.database = database
        self._quotas = quotas or Quotas(TIERS)
        self.lease_s = lease_s
        self._max_attempts = max_attempts

    def take(self, worker: str, *, tasks_only: bool = False) -> Claim | None:
        """Claim the job whose turn it is; None if none waits.

        Args:
            worker: names who claims.
            tasks_only: leave songs to others.
        """
        now = time.time()
        other = sa.orm.aliased(Job)
        apart = sa.select(other.id).where(
            other.parent_id == Job.parent_id, other.state == "running"
        )
        early = Job.not_before.between(now, now + MAX_RETRY_S)  # later only if a clock went back
        waiting = (Job.state == "queued") & ~early & ~apart.exists()
        if tasks_only:
            waiting &= Job.parent_id.is_not(None)
        first = (
            sa.select(Job.id)
            .where(waiting)
            .order_by(Job.priority.desc(), Job.turn, Job.created)
            .limit(1)
        )
        with self.database.read() as session:
            if session.scalar(first) is None:  # most often, and without disturbing writers
                return None
        with self.database.write() as session:
            job = session.scalar(
                sa.update(Job)
                .where(Job.id == first.with_for_update(skip_locked=True).scalar_subquery(), waiting)
                .values(
                    state="running",
                    worker=worker,
                    token=secrets.token_hex(16),
                    claimed=now,
                    started=sa.func.coalesce(Job.started, now),
                    lease_until=now + self.lease_s,
                    attempts=Job.attempts + 1,
                )
                .returning(Job)
            )
            if job is None or job.token is None:
                return None
            emit(session, job, "state", {"state": "running", "attempt": job.attempts})
            upload = session.get_one(Upload, job.upload_id)
            return Claim(
                job_id=job.id,
                token=job.token,
                upload_id=job.upload_id,
                file_name=job.file_name,
                options=OPTIONS.validate_python(job.options),
                fallback=job.fallback,
                kind=job.kind,
                parent_id=job.parent_id,
                wish=job.wish or {},
                url=None if upload.sha256 else upload.url,
                origin=job.origin or {},
            )

    def fetched(self, claim: Claim, file_name: str, stored: Stored) -> bool:
        """Complete the recording of a job that came from a link; False if the job was lost."""
        with self.database.write() as session:
            job = _held(session, claim)
            if job is None:
                return False
            upload = session.get_one(Upload, job.upload_id)
            upload.file_name = job.file_name = file_name
            upload.size_bytes, upload.sha256 = stored.size_bytes, stored.sha256
            return True

    def renew(self, claim: Claim) -> Standing:
        """Keep a job for another while."""
        with self.database.write() as session:
            asked = session.scalar(
                sa.update(Job)
                .where(Job.id == claim.job_id, Job.token == claim.token)
                .values(lease_until=time.time() + self.lease_s)
                .returning(Job.cancel_asked)
            )
        return "lost" if asked is None else "cancel asked" if asked else "held"

    def report(self, claim: Claim, progress: Progress) -> Standing:
        """Store how far a job has come."""
        with self.database.write() as session:
            job = _held(session, claim)
            if job is None:
                return "lost"
            now = time.time()
            job.lease_until = now + self.lease_s
            _enter(session, job, progress, now)
            if progress.stage != "pull" and (progress.fraction or 0.0) > (job.fraction or 0.0):
                job.attempts = 1  # it got further than any attempt before
                job.fraction = round(progress.fraction or 0.0, 6)
            emit(
                session,
                job,
                "progress",
                {
                    "stage": progress.stage,
                    "done_s": round(progress.done_s, 3),
                    "total_s": progress.total_s and round(progress.total_s, 3),
                    "fraction": job.fraction,
                },
            )
            return "cancel asked" if job.cancel_asked else "held"

    def count_audio(self, claim: Claim, audio_s: float) -> None:
        """Count the length of a recording against what its owner may use, once for a job.

        Raises:
            TooMany: it is too long for what is left.
        """
        with self.database.write() as session:
            job = _held(session, claim)
            if job and job.kind == "process" and job.audio_s is None:
                self._quotas.count_audio(session, job.owner, audio_s)
                job.audio_s = audio_s

    def finish(
        self,
        claim: Claim,
        files: Sequence[dict[str, Any]],
        peaks: Sequence[dict[str, Any]] | None = None,
        warnings: Sequence[str] = (),
    ) -> bool:
        """Complete a job with its files in the storage; False if it was lost before."""
        with self.database.write() as session:
            job = _held(session, claim)
            if job is None:
                return False
            job.files = list(files)
            job.peaks = None if peaks is None else list(peaks)
            job.result_bytes = sum(file["size_bytes"] for file in files)
            _complete(session, job, warnings)
            return True

    def parent(self, claim: Claim) -> Job | None:
        """The job whose result is worked on; None once it was removed."""
        with self.database.read() as session:
            job = session.get(Job, claim.parent_id)
        return None if job is None or job.removed else job

    def finish_task(
        self,
        claim: Claim,
        base: Sequence[dict[str, Any]],
        files: Sequence[dict[str, Any]],
        warnings: Sequence[str] = (),
        scores: Mapping[str, Any] | None = None,
    ) -> None:
        """Complete a task, and with it the result that it has worked on.

        Where others have changed that meanwhile, the task is done once more.

        Args:
            claim: of the task.
            base: files of the result as they were.
            files: as they are now.
            warnings: what the user should know.
            scores: of the stems, where they were scored.
        """
        with self.database.write() as session:
            job = _held(session, claim)
            parent = session.get(Job, claim.parent_id, with_for_update=True)
            if job is None:
                return
            if parent is None or parent.removed:
                _rest(job)
                end(session, job, "cancelled")
            elif parent.files != list(base):
                _queue_again(session, job)
            else:
                if list(files) != parent.files:
                    wholly = job.kind == "transcribe" and not job.wish  # not some stems alone
                    options = job.options if wholly else parent.options
                    parent.become(list(files), options, job)
                parent.scores = dict(scores) if scores else parent.scores
                _complete(session, job, warnings)

    def fail(self, claim: Claim, error: dict[str, Any], *, again: bool) -> None:
        """Give a job up, or, where `again` may help, let it be tried once more later."""
        with self.database.write() as session:
            if (job := _held(session, claim)) is None:
                return
            if job.cancel_asked or not again or job.attempts >= self._max_attempts:
                _rest(job)
                end(session, job, "failed", error)
            else:
                _queue_again(session, job, time.time() + _pause_s(job))

    def cancelled(self, claim: Claim) -> None:
        """Complete a job whose owner has asked it to stop."""
        with self.database.write() as session:
            if job := _held(session, claim):
                _rest(job)
                end(session, job, "cancelled")

    def hand_back(self, claim: Claim) -> None:
        """Queue a job again that is no worse for having been begun."""
        with self.database.write() as session:
            if job := _held(session, claim):
                job.attempts -= 1
                _queue_again(session, job)

    def worker_died(self, worker: str) -> None:
        """Queue the job of a worker again, as one attempt of it."""
        self._recover(Job.worker == worker)

    def server_returned(self, server: str) -> None:
        """Queue all jobs again that the workers of a server had when it ended."""
        self._recover(Job.worker.startswith(f"{server}/", autoescape=True), blame=False)

    def expire(self) -> Sequence[str]:
        """Queue jobs again whose lease has run out; gives the workers that had them."""
        return self._recover(Job.lease_until < time.time())

    def _recover(self, lost: sa.ColumnElement[bool], *, blame: bool = True) -> Sequence[str]:
        query = sa.select(Job).where(Job.state == "running", lost)
        with self.database.read() as session:
            if session.scalar(query.limit(1)) is None:
                return []
        with self.database.write() as session:
            workers = []
            for job in session.scalars(query.with_for_update()).all():
                workers.append(job.worker or "")
                if job.cancel_asked:
                    _rest(job)
                    end(session, job, "cancelled")
                elif blame and job.attempts >= self._max_attempts:
                    _rest(job)
                    end(session, job, "failed", _died(job))
                else:
                    job.attempts -= not blame
                    _queue_again(session, job)
            return workers


def _held(session: Session, claim: Claim) -> Job | None:
    """The job of a claim, locked; None if the claim has ended."""
    query = sa.select(Job).where(Job.id == claim.job_id, Job.token == claim.token)
    return session.scalar(query.with_for_update())


def _died(job: Job) -> dict[str, Any]:
    return {
        "type": "worker-died",
        "detail": f"the work on this recording ended {job.attempts} times at the same place "
        "without an error of its own, most likely for want of memory; try a smaller "
        "segment_s or another model",
    }


def _running(session: Session, job: Job) -> Sequence[Step]:
    query = sa.select(Step).where(Step.job_id == job.id, Step.state == "running")
    return session.scalars(query).all()


def _enter(session: Session, job: Job, progress: Progress, now: float) -> None:
    """Bring a stage to its new place; the ones that ran before it are done."""
    step = session.get(Step, (job.id, progress.stage))
    if step is None:
        step = Step(job_id=job.id, stage=progress.stage, state="queued", attempts=0, done_s=0.0)
        session.add(step)
    if step.state != "running":
        for other in _running(session, job):
            other.state, other.finished = "done", now
        step.state, step.started, step.finished = "running", now, None
        step.attempts += 1
    step.done_s, step.total_s = progress.done_s, progress.total_s


def _complete(session: Session, job: Job, warnings: Sequence[str]) -> None:
    """Bring a job whose work is done to rest."""
    for step in _running(session, job):
        step.state, step.finished = "done", time.time()
        step.done_s = step.done_s if step.total_s is None else step.total_s
    _rest(job)
    job.fraction, job.warnings = 1.0, list(warnings)
    end(session, job, "done")


def _pause_s(job: Job) -> float:
    """Before the next attempt."""
    return float(min(MAX_RETRY_S, RETRY_S * 2 ** (job.attempts - 1)))


def _rest(job: Job) -> None:
    """Count the time that a worker has spent."""
    if job.claimed is not None:
        job.worked_s += max(0.0, time.time() - job.claimed)


def _queue_again(session: Session, job: Job, not_before: float = 0.0) -> None:
    _rest(job)
    for step in _running(session, job):
        step.state = "queued"
    job.state, job.not_before = "queued", not_before
    job.worker = job.token = job.lease_until = None
    emit(session, job, "state", {"state": "queued"})

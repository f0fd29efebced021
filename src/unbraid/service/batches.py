"""Batches: jobs that were sent together."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from unbraid.service.db import Batch, Job, lock_owner
from unbraid.service.jobs import Conflict, Jobs, NotFound, Order
from unbraid.service.storage import new_id

MAX_BATCHES = 500  # shown


@dataclass(frozen=True)
class BatchOrder:
    """What someone wants of many recordings.

    Attributes:
        name: of the batch.
        orders: of its jobs.
        skipped: names of what else their archive holds.
    """

    name: str
    orders: Sequence[Order]
    skipped: Sequence[str] = ()


@dataclass(frozen=True)
class Once:
    """What keeps a repeated request from making another batch.

    Attributes:
        key: that the client gives to all repetitions.
        fingerprint: the same for the same request.
    """

    key: str
    fingerprint: str


class Batches:
    """The batches of a database."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs, self._database = jobs, jobs.database

    def submit(self, owner: str, order: BatchOrder, once: Once | None = None) -> Batch:
        """Queue some jobs that belong together, all or none; or give the batch that is there.

        Raises:
            NotFound: the owner has no such upload.
            Conflict: the key was used for another batch.
            QueueFull: too many jobs of the owner wait.
            TooMany: the owner's tier allows no more now.
        """
        with self._database.write() as session:
            lock_owner(session, owner)
            if once and (earlier := _earlier(session, owner, once)):
                return earlier
            batch = Batch(
                id=new_id(),
                owner=owner,
                name=order.name,
                created=time.time(),
                skipped=list(order.skipped),
                idempotency_key=once.key if once else None,
                fingerprint=once.fingerprint if once else None,
            )
            session.add(batch)
            for each in order.orders:
                self._jobs.add(session, owner, each, batch_id=batch.id)
            return batch

    def find(self, owner: str, once: Once) -> Batch | None:
        """The batch that a request has made before, if any.

        Raises:
            Conflict: the key was used for another batch.
        """
        with self._database.read() as session:
            return _earlier(session, owner, once)

    def get(self, owner: str, batch_id: str) -> Batch:
        """A batch of the owner's.

        Raises:
            NotFound: there is none of that id.
        """
        with self._database.read() as session:
            batch = session.get(Batch, batch_id)
        if batch is None or batch.owner != owner:
            raise NotFound("there is no such batch")
        return batch

    def list(self, owner: str) -> Sequence[Batch]:
        """The owner's batches, the newest first."""
        query = sa.select(Batch).where(Batch.owner == owner).order_by(Batch.created.desc())
        with self._database.read() as session:
            return session.scalars(query.limit(MAX_BATCHES)).all()

    def jobs(self, batch: Batch) -> Sequence[Job]:
        """The jobs of a batch that were not removed, in their order."""
        query = sa.select(Job).where(Job.batch_id == batch.id, Job.removed.is_(False))
        with self._database.read() as session:
            return session.scalars(query.order_by(Job.created, Job.turn)).all()


def _earlier(session: Session, owner: str, once: Once) -> Batch | None:
    query = sa.select(Batch).where(Batch.owner == owner, Batch.idempotency_key == once.key)
    batch = session.scalar(query)
    if batch and batch.fingerprint != once.fingerprint:
        raise Conflict("this Idempotency-Key was used for another batch; take a new one")
    return batch

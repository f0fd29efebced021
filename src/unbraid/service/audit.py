"""The audit log: who came in, who did not, and what was given or taken away."""

import logging
import time
from collections.abc import Sequence
from typing import Literal

import sqlalchemy as sa

from unbraid.service.db import AuditEntry, Database

AuditEvent = Literal[
    "account added",
    "account removed",
    "password changed",
    "tier changed",
    "signed in",
    "sign-in failed",
    "sign-in throttled",
    "signed out",
    "key added",
    "key revoked",
    "job removed",
    "job restored",
    "link made",
]

COMMAND = "command line"
MAX_SUBJECT = 100  # characters

log = logging.getLogger(__name__)


class Audit:
    """The audit log of a database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def note(
        self, event: AuditEvent, subject: str, owner: str | None = None, address: str = COMMAND
    ) -> None:
        """Write an entry.

        Args:
            event: what happened.
            subject: to what: a name, the id of a key or job.
            owner: account that did it, or that it was done to.
            address: where it was asked from.
        """
        subject = subject[:MAX_SUBJECT]
        log.info("%s: %r by %s from %s", event, subject, owner, address)
        with self.database.write() as session:
            session.add(
                AuditEntry(
                    at=time.time(), event=event, owner=owner, subject=subject, address=address
                )
            )

    def last(self, count: int) -> Sequence[AuditEntry]:
        """The last entries, the oldest first."""
        query = sa.select(AuditEntry).order_by(AuditEntry.number.desc()).limit(count)
        with self.database.read() as session:
            return session.scalars(query).all()[::-1]

    def forget(self, before: float) -> None:
        """Remove entries of a time before."""
        oldest = sa.select(sa.func.min(AuditEntry.at))
        with self.database.read() as session:
            if (session.scalar(oldest) or before) >= before:  # without disturbing writers
                return
        with self.database.write() as session:
            session.execute(sa.delete(AuditEntry).where(AuditEntry.at < before))

"""What owners use up: jobs and audio of a day (of UTC), and what of theirs is stored.

The days' counts are rows of their own, for removed jobs count too.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from unbraid.service.db import Account, Arrival, Job, Upload, Usage, lock_owner
from unbraid.service.refusals import TooMany
from unbraid.service.tiers import NO_LIMITS, STANDARD, Tier

DAY_S = 86_400
KEPT_DAYS = 30
GB = 10**9
FULL_RETRY_S = 60.0


@dataclass(frozen=True)
class Used:
    """What an owner has used.

    Attributes:
        jobs: that it sent today.
        audio_s: that was taken apart for it today.
        stored_bytes: of its recordings and results.
    """

    jobs: int
    audio_s: float
    stored_bytes: int


class Quotas:
    """Keeps owners within the limits of their tiers; those without an account have none.

    Args:
        tiers: by name.
    """

    def __init__(self, tiers: Mapping[str, Tier]) -> None:
        self._tiers = tiers

    def tier(self, name: str) -> Tier:
        """A tier; the standard one in the place of one that there is no more."""
        return self._tiers.get(name) or self._tiers[STANDARD]

    def tier_of(self, session: Session, owner: str) -> Tier:
        """The tier of an owner."""
        account = session.get(Account, owner)
        return self.tier(account.tier) if account else NO_LIMITS

    def used(self, session: Session, owner: str) -> Used:
        """What an owner has used."""
        today = session.get(Usage, (owner, _today()))
        return Used(
            jobs=today.jobs if today else 0,
            audio_s=today.audio_s if today else 0.0,
            stored_bytes=stored_bytes(session, owner),
        )

    def count_job(self, session: Session, owner: str) -> Tier:
        """Count a job that is sent now; gives the tier.

        Raises:
            TooMany: the day's jobs or audio are used up, or too much is stored.
        """
        tier = self.tier_of(session, owner)
        self.check_stored(session, owner)
        row = _locked(session, owner)
        if tier.jobs_per_day is not None and row.jobs >= tier.jobs_per_day:
            raise _tomorrow(f"{tier.jobs_per_day} jobs")
        most = tier.audio_minutes_per_day
        if most is not None and row.audio_s >= most * 60:
            raise _tomorrow(f"{most:g} minutes of audio")
        row.jobs += 1
        return tier

    def count_audio(self, session: Session, owner: str, audio_s: float) -> None:
        """Count audio that is taken apart now.

        Raises:
            TooMany: that is more than the day has left.
        """
        most, row = self.tier_of(session, owner).audio_minutes_per_day, _locked(session, owner)
        if most is not None and row.audio_s + audio_s > most * 60:
            raise _tomorrow(f"{most:g} minutes of audio")
        row.audio_s += audio_s

    def check_stored(self, session: Session, owner: str) -> None:
        """Refuse more where enough is stored.

        Raises:
            TooMany: the tier's limit is reached.
        """
        most = self.tier_of(session, owner).stored_gb
        if most is not None and stored_bytes(session, owner) >= most * GB:
            raise TooMany(f"your {most:g} GB are full; remove some jobs first", FULL_RETRY_S)

    def forgettable(self, session: Session) -> bool:
        """Whether there are counts of days long gone."""
        return (session.scalar(sa.select(sa.func.min(Usage.day))) or _today()) < _oldest()

    def forget(self, session: Session) -> None:
        """Remove the counts of days long gone."""
        session.execute(sa.delete(Usage).where(Usage.day < _oldest()))


def stored_bytes(session: Session, owner: str | None = None) -> int:
    """What recordings and results take, with what is still to come, of an owner or in all."""
    total = 0
    for column, of in (
        (Upload.size_bytes, Upload.owner),
        (Arrival.size_bytes, Arrival.owner),
        (Job.result_bytes, Job.owner),
    ):
        query = sa.select(sa.func.sum(column))
        total += int(session.scalar(query.where(of == owner) if owner else query) or 0)
    return total


def until_tomorrow_s() -> float:
    """Seconds until the day ends."""
    return DAY_S - time.time() % DAY_S


def _today() -> int:
    return int(time.time() // DAY_S)


def _oldest() -> int:
    return _today() - KEPT_DAYS


def _locked(session: Session, owner: str) -> Usage:
    """The counts of today, for this transaction alone."""
    lock_owner(session, owner)
    row = session.get(Usage, (owner, _today()))
    if row is None:
        row = Usage(owner=owner, day=_today(), jobs=0, audio_s=0.0)
        session.add(row)
    return row


def _tomorrow(what: str) -> TooMany:
    wait_s = until_tomorrow_s()
    return TooMany(f"the {what} of today are used up; the next day begins at 0:00 UTC", wait_s)

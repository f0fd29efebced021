"""What one who asks may still do."""

from typing import Annotated

from fastapi import Depends

from unbraid.service.gate import AtGate, SignedIn
from unbraid.service.house import AtHouse
from unbraid.service.quotas import GB, until_tomorrow_s
from unbraid.service.schemas import Allowance, Allowances


def allowances(gate: AtGate, house: AtHouse, caller: SignedIn) -> Allowances | None:
    """What one who asks may still do; None in local mode, which has no limits of this kind."""
    if caller.by == "machine":
        return None
    tier, used = house.jobs.quotas.tier(caller.tier), house.jobs.used(caller.owner)
    left, more_in_s = gate.requests_left(caller)
    tomorrow_s = round(until_tomorrow_s())
    return Allowances(
        tier=caller.tier,
        requests=Allowance(limit=tier.requests_per_minute, left=left, more_in_s=more_in_s),
        jobs=_allowance(tier.jobs_per_day, used.jobs, tomorrow_s),
        audio_minutes=_allowance(tier.audio_minutes_per_day, used.audio_s / 60, tomorrow_s),
        stored_gb=_allowance(tier.stored_gb, used.stored_bytes / GB),
        keep_days=tier.keep_days,
    )


def _allowance(limit: float | None, used: float, more_in_s: float | None = None) -> Allowance:
    if limit is None:
        return Allowance(limit=None, left=None)
    return Allowance(limit=limit, left=round(max(0.0, limit - used), 3), more_in_s=more_in_s)


Left = Annotated[Allowances | None, Depends(allowances)]

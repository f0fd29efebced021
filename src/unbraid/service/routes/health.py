"""Whether the server lives, and whether it can work."""

import sqlalchemy as sa
from fastapi import APIRouter

from unbraid.errors import ResourceError
from unbraid.service.house import AtHouse
from unbraid.service.schemas import Health, Readiness

router = APIRouter(tags=["health"])


@router.get("/health")
def health() -> Health:
    """Say that the server answers."""
    return Health()


@router.get("/ready")
def ready(house: AtHouse) -> Readiness:
    """Say whether database, storage and workers are there."""
    with house.database.read() as session:
        session.execute(sa.select(1))
    house.storage.check()
    workers = len(house.queue.pids)
    if workers < house.settings.workers:
        raise ResourceError(f"{workers} of {house.settings.workers} workers are there; wait")
    return Readiness(workers=workers)

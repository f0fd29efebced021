"""Whether the server lives, and whether it can work."""

import sqlalchemy as sa
from fastapi import APIRouter, Request
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.responses import PlainTextResponse, Response

from unbraid.errors import ResourceError
from unbraid.service.house import AtHouse
from unbraid.service.schemas import Health, Readiness

router = APIRouter(tags=["health"])


@router.get("/health")
def health() -> Health:
    """Say that the server answers."""
    return Health()


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(request: Request) -> Response:
    """Give the metrics of the server to Prometheus."""
    text: bytes = request.app.state.metrics.text()
    return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)


@router.get("/ready")
def ready(house: AtHouse) -> Readiness:
    """Say whether database, storage and workers are there."""
    with house.database.read() as session:
        session.execute(sa.select(1))
    house.storage.check()
    workers = len(house.queue.pids)
    wanted = house.settings.workers + house.settings.quick_workers
    if workers < wanted:
        raise ResourceError(f"{workers} of {wanted} workers are there; wait")
    return Readiness(workers=workers)

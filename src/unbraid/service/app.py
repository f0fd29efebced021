"""The web application."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from unbraid import __version__
from unbraid.service.house import House
from unbraid.service.metrics import Metrics, Stopwatch
from unbraid.service.problems import RESPONSES, FieldProblem, Problem, explain_errors
from unbraid.service.routes import (
    about,
    health,
    jobs,
    live,
    previews,
    renders,
    results,
    resumable,
    uploads,
    waveforms,
)
from unbraid.service.security import Doorkeeper
from unbraid.service.settings import Settings

API = "/api/v1"


def create_app(settings: Settings) -> FastAPI:
    """Make the application of a server, which works while its lifespan is entered.

    Raises:
        MissingExtraError: the database's driver is not installed.
    """
    house = House(settings)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with house.open():
            yield

    app = FastAPI(
        title="Unbraid",
        summary="Takes a song apart: stems, and the notes of each stem as MIDI.",
        version=__version__,
        lifespan=lifespan,
        responses=RESPONSES,
        redoc_url=None,
        openapi_url=f"{API}/openapi.json",
        redirect_slashes=False,
    )
    app.state.house = house
    app.state.metrics = metrics = Metrics(house)
    app.include_router(health.router)
    for part in (uploads, resumable, jobs, live, previews, results, renders, waveforms, about):
        app.include_router(part.router, prefix=API)
    explain_errors(app)
    app.add_middleware(Stopwatch, metrics=metrics)
    app.add_middleware(Doorkeeper, max_upload_bytes=settings.max_upload_bytes)
    app.openapi = lambda: _schema(app)  # type: ignore[method-assign]  # as FastAPI has it done
    return app


def _schema(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with the schema of problems, which no route returns by itself."""
    if app.openapi_schema is None:
        app.openapi_schema = get_openapi(
            title=app.title, version=app.version, summary=app.summary, routes=app.routes
        )
        for kind in (Problem, FieldProblem):
            schema = kind.model_json_schema(ref_template="#/components/schemas/{model}")
            schema.pop("$defs", None)
            app.openapi_schema["components"]["schemas"][kind.__name__] = schema
    return app.openapi_schema

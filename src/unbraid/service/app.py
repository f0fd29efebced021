"""The web application."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.openapi.utils import get_openapi

from unbraid import __version__
from unbraid.service.compat import bass, gateway, multitrack, outcome
from unbraid.service.gate import API, COOKIE, Gate, admitted
from unbraid.service.house import House
from unbraid.service.metrics import Metrics, Stopwatch
from unbraid.service.problems import RESPONSES, FieldProblem, Problem, explain_errors
from unbraid.service.routes import (
    about,
    batches,
    health,
    jobs,
    live,
    previews,
    renders,
    results,
    resumable,
    session,
    signed_links,
    tasks,
    uploads,
    waveforms,
)
from unbraid.service.security import Doorkeeper
from unbraid.service.settings import Settings
from unbraid.service.studio import Studio
from unbraid.service.tracing import Tracer

EXPOSED = (
    "Accept-Ranges",
    "Content-Disposition",
    "Content-Location",
    "Content-Range",
    "ETag",
    "Location",
    "Retry-After",
    "Tus-Resumable",
    "Upload-Expires",
    "Upload-Length",
    "Upload-Offset",
)
"""Headers that pages of other sites may see."""


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
        dependencies=[Depends(admitted)],
        telemetry={"operation_spans": False},
    )
    app.state.house = house
    app.state.gate = Gate(settings, house.database)
    app.state.metrics = metrics = Metrics(house)
    app.include_router(health.router)
    for part in (
        uploads,
        resumable,
        jobs,
        live,
        previews,
        results,
        signed_links,
        renders,
        waveforms,
        batches,
        session,
        tasks,
        about,
    ):
        app.include_router(part.router, prefix=API)
    for system in (bass, gateway, outcome, multitrack):
        app.include_router(system.router)
    app.router.default = Studio(app.router.default)
    explain_errors(app)
    app.add_middleware(Stopwatch, metrics=metrics)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=EXPOSED,
        )
    app.add_middleware(Doorkeeper, settings=settings)
    app.add_middleware(Tracer)
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
        if app.state.gate.settings.mode == "server":
            app.openapi_schema["components"]["securitySchemes"] = {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            }
            app.openapi_schema["security"] = [{"bearer": []}, {"cookie": []}]
    return app.openapi_schema

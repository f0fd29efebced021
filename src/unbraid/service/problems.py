"""Refusals as problem details (RFC 9457): what was wrong, and what to do."""

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import DataError, OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from unbraid.errors import ResourceError, UnbraidError
from unbraid.service.jobs import Conflict, NotFound, QueueFull
from unbraid.service.links import SwitchedOff
from unbraid.service.refusals import NotAllowed, NotSignedIn, TooMany
from unbraid.service.steps import describe
from unbraid.service.storage import TooLargeError

MEDIA_TYPE = "application/problem+json"
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
RETRY_AFTER = {"Retry-After": "10"}

STATUS: dict[type[UnbraidError], HTTPStatus] = {
    SwitchedOff: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    NotSignedIn: HTTPStatus.UNAUTHORIZED,
    NotAllowed: HTTPStatus.FORBIDDEN,
    TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    QueueFull: HTTPStatus.TOO_MANY_REQUESTS,
    ResourceError: HTTPStatus.SERVICE_UNAVAILABLE,
    UnbraidError: HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""Of each error; those that are not here take that of their base."""

CURES = {
    HTTPStatus.NOT_FOUND: "there is nothing at this address; /docs shows what there is",
    HTTPStatus.METHOD_NOT_ALLOWED: "this address does not take that method; see /docs",
}


class FieldProblem(BaseModel):
    """What is wrong with a part of a request."""

    where: str
    message: str


class Problem(BaseModel):
    """Why a request was refused."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:unbraid:not-found",
                    "title": "Not Found",
                    "status": 404,
                    "detail": "there is no such job",
                    "errors": [],
                }
            ]
        }
    )

    type: str = Field(description="kind of the problem, for programs")
    title: str = Field(description="kind of the problem, for people")
    status: int = Field(description="the HTTP status")
    detail: str = Field(description="what was wrong this time, and what to do")
    errors: list[FieldProblem] = Field(default=[], description="parts of the request at fault")


RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "The request was refused.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}
"""What every operation may answer."""


def problem(
    status: int,
    detail: str,
    kind: str | None = None,
    *,
    errors: list[FieldProblem] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """An answer that says what is wrong.

    Args:
        status: of HTTP.
        detail: what was wrong, and what to do.
        kind: ends the type; by default the name of the status.
        errors: parts of the request at fault.
        headers: more of the answer's.
    """
    title = HTTPStatus(status).phrase
    content = Problem(
        type=f"urn:unbraid:{kind or title.lower().replace(' ', '-')}",
        title=title,
        status=status,
        detail=detail,
        errors=errors or [],
    )
    return JSONResponse(content.model_dump(), status, headers, MEDIA_TYPE)


def explain_errors(app: FastAPI) -> None:
    """Answer all errors with problem details."""
    app.add_exception_handler(UnbraidError, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(OperationalError, _unavailable)
    app.add_exception_handler(DataError, _unstorable)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unknown)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    told = describe(error)
    return problem(status, told["detail"], told["type"], headers=_how_else(status, error))


def _how_else(status: HTTPStatus, error: Exception) -> Mapping[str, str] | None:
    """Headers that say to programs what would help."""
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return {"WWW-Authenticate": "Bearer"}
        case HTTPStatus.TOO_MANY_REQUESTS if isinstance(error, TooMany):
            return {"Retry-After": str(math.ceil(error.retry_after_s))}
        case HTTPStatus.TOO_MANY_REQUESTS | HTTPStatus.SERVICE_UNAVAILABLE:
            return RETRY_AFTER
        case _:
            return None


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    detail = CURES.get(status, error.detail) if error.detail == status.phrase else error.detail
    return problem(status, detail, headers=error.headers)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    if any(each["type"] == "json_invalid" for each in error.errors()):
        return problem(HTTPStatus.BAD_REQUEST, "the body of the request is no JSON; see /docs")
    if _is_of_wrong_kind(request, error):
        detail = "the body of the request is not of a kind that is read here; see /docs for which"
        return problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)
    errors = [
        FieldProblem(where=".".join(map(str, each["loc"])), message=each["msg"])
        for each in jsonable_encoder(error.errors(), custom_encoder={Exception: str, bytes: repr})
    ]
    detail = "; ".join(f"{each.where}: {each.message}" for each in errors)
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, "invalid", errors=errors)


def _is_of_wrong_kind(request: Request, error: RequestValidationError) -> bool:
    """Whether a body could not be read for what its Content-Type says."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    whole = any(each["loc"] == ("body",) for each in error.errors())
    if kind in FORMS:
        return whole  # a form, where there should be JSON
    in_body = any(each["loc"][0] == "body" for each in error.errors())
    return in_body and kind not in ("", "application/json") and not kind.endswith("+json")


async def _unavailable(_: Request, error: Exception) -> JSONResponse:
    detail = "the database does not answer; try again soon"
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers=RETRY_AFTER)


async def _unstorable(_: Request, error: Exception) -> JSONResponse:
    detail = "a text of the request has characters that cannot be stored, such as NUL; remove them"
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, "invalid")


async def _gone(_: Request, error: Exception) -> JSONResponse:
    return problem(HTTPStatus.BAD_REQUEST, "the request ended before all of it had come")


async def _unknown(_: Request, error: Exception) -> JSONResponse:
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "this is a fault of the server's; its log has the cause",
    )

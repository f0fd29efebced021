"""Which request a line of the log or a piece of work belongs to, from the HTTP edge to the worker.

A trace that comes with a request (`traceparent` of W3C's Trace Context) is taken over. Without
OpenTelemetry's SDK, whose API is always there, spans are nothing, but ids are passed on all the
same. With it, spans go where OTEL_EXPORTER_OTLP_ENDPOINT says.
"""

import logging
import os
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry import context, propagate, trace
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from unbraid import __version__
from unbraid.errors import MissingExtraError
from unbraid.types import Stage

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
REQUEST_ID = re.compile(r"[\w.-]{1,64}")
POLLED = ("/health", "/ready", "/metrics")  # too often to be logged

_ORIGIN: ContextVar[dict[str, str]] = ContextVar("origin", default={})  # noqa: B039  not changed

TRACER = trace.get_tracer("unbraid", __version__)

log = logging.getLogger(__name__)


def export_spans() -> None:
    """Send spans to where the environment says; without that, there are none.

    Raises:
        MissingExtraError: the extra `otel` is not installed.
    """
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise MissingExtraError(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, which needs: pip install 'unbraid[otel]'"
        ) from error
    name = os.environ.get("OTEL_SERVICE_NAME", "unbraid")
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


class Tracer:
    """Middleware that gives each request its ids, answers with them and logs what was asked."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers, began, status = Headers(scope=scope), time.perf_counter(), 0
        given = headers.get("x-request-id", "")
        request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        span = _span_of(headers)
        trace_id = trace.format_trace_id(span.trace_id)
        traceparent = f"00-{trace_id}-{trace.format_span_id(span.span_id)}-{span.trace_flags:02x}"
        _ORIGIN.set({"request_id": request_id, "traceparent": traceparent})
        with bound_contextvars(request_id=request_id, trace_id=trace_id):
            await self._app(scope, receive, answer)
            if scope["type"] == "http" and scope["path"] not in POLLED:
                facts = {
                    "method": scope["method"],
                    "path": scope["path"],
                    "status": status,
                    "seconds": round(time.perf_counter() - began, 4),
                }
                log.info("request", extra=facts)


def origin() -> dict[str, str]:
    """The ids of the request at hand, to be kept with what it sets off."""
    return _ORIGIN.get()


@contextmanager
def working(job_id: str, kind: str, origin: Mapping[str, str]) -> Iterator[None]:
    """Let the log and the spans of the block be those of a job, and of the request it came by."""
    parent = propagate.extract(origin)
    found = trace.get_current_span(parent).get_span_context()
    ids = {"job_id": job_id}
    if found.is_valid:
        ids["request_id"] = origin["request_id"]
        ids["trace_id"] = trace.format_trace_id(found.trace_id)
    attributes = {"unbraid.job.id": job_id}
    with (
        bound_contextvars(**ids),
        TRACER.start_as_current_span(kind, parent, attributes=attributes),
    ):
        yield


class StageSpans:
    """A span for each stage of the job at hand."""

    def __init__(self) -> None:
        self._parent = context.get_current()
        self._stage: Stage | None = None
        self._span: trace.Span = trace.INVALID_SPAN

    def enter(self, stage: Stage) -> None:
        """Note the stage that is at work."""
        if stage != self._stage:
            self.close()
            self._stage, self._span = stage, TRACER.start_span(stage, self._parent)

    def close(self) -> None:
        """End the last stage."""
        self._span.end()


def _span_of(headers: Headers) -> trace.SpanContext:
    """The span of a request: our own, else that of its client, else a new one."""
    for span in (trace.get_current_span(), trace.get_current_span(propagate.extract(headers))):
        if span.get_span_context().is_valid:
            return span.get_span_context()
    return trace.SpanContext(secrets.randbits(128) or 1, secrets.randbits(64) or 1, is_remote=False)

"""The doors of a server without accounts: who may ask, and what browsers may do with answers.

A page of another site can make a browser ask this machine, under a name of its own that it lets
point here (DNS rebinding) or by a request across sites. So the Host must be this machine's, and the
Origin, where there is one, the same.
"""

from http import HTTPStatus
from urllib.parse import urlsplit

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unbraid.errors import InputError
from unbraid.service.problems import problem

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
SILENCE_S = 30.0  # after which a request that does not go on is given up
UPLOADS = "/api/v1/uploads"
ENVELOPE_BYTES = 1 << 16  # of a form around a recording
MAX_BODY_BYTES = 1 << 20  # of other requests

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cache-Control": "no-store",
}
DOCS_POLICY = (
    "default-src 'none'; connect-src 'self'; img-src 'self' data: https://fastapi.tiangolo.com; "
    "script-src 'unsafe-inline' https://cdn.jsdelivr.net; frame-ancestors 'none'; "
    "style-src 'unsafe-inline' https://cdn.jsdelivr.net"
)


def check_host(host: str) -> None:
    """Refuse to listen where others could reach a server without accounts.

    Raises:
        InputError: the address is not this machine's own.
    """
    if host not in LOCAL_HOSTS:
        raise InputError(
            f"this version has no accounts yet, so it listens on this machine alone and not on "
            f"{host}; use --host 127.0.0.1, and an SSH tunnel to reach it from elsewhere"
        )


class Doorkeeper:
    """Middleware that checks the origin and size of requests, and protects answers."""

    def __init__(self, app: ASGIApp, max_upload_bytes: int) -> None:
        self._app = app
        self._max_upload_bytes = max_upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let it in."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        reason = foreign(Headers(scope=scope))
        if scope["type"] == "websocket":
            if reason:
                await send({"type": "websocket.close", "code": 1008, "reason": reason})
            else:
                await self._app(scope, receive, send)
            return

        async def protect(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"] == "/docs":
                    headers["Content-Security-Policy"] = DOCS_POLICY
            await send(message)

        if reason:
            await problem(HTTPStatus.FORBIDDEN, reason, "foreign")(scope, receive, protect)
        else:
            recording = scope["path"].startswith(UPLOADS)
            max_bytes = self._max_upload_bytes + ENVELOPE_BYTES if recording else MAX_BODY_BYTES
            await self._app(scope, _guarded(receive, max_bytes), protect)


def foreign(headers: Headers) -> str | None:
    """Why a request does not come from this machine's user; None if it does."""
    host = headers.get("host", "")
    if _name(f"//{host}") not in LOCAL_HOSTS:
        return "this server answers to 127.0.0.1 and localhost alone; open it under that name"
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != host:
        return "requests from pages of other sites are refused"
    return None


def _name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _guarded(receive: Receive, max_bytes: int) -> Receive:
    """Give a request up whose body is too large, or does not go on."""
    complete, size = False, 0

    async def receive_more() -> Message:
        nonlocal complete, size
        if complete:  # what comes now is that the client is gone, which may take long
            return await receive()
        try:
            with anyio.fail_after(SILENCE_S):
                message = await receive()
        except TimeoutError as error:
            detail = f"nothing came for {SILENCE_S:g} s; send the request again"
            raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, detail) from error
        complete = not message.get("more_body", False)
        size += len(message.get("body", b""))
        if size > max_bytes:
            detail = f"this request may have {max_bytes} bytes at most"
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
        return message

    return receive_more

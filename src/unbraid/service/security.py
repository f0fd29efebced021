"""The doors of a server: from where one may ask, and what browsers may do with answers.

A page of another site can make a browser ask this machine, under a name of its own that it lets
point here (DNS rebinding) or by a request across sites. So the Host must be one that the server is
known by, and the Origin, where there is one, the same, or one that the operator has named.
"""

import re
from http import HTTPStatus
from urllib.parse import urlsplit

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unbraid.errors import InputError
from unbraid.service.problems import problem
from unbraid.service.settings import Settings

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
SILENCE_S = 30.0  # after which a request that does not go on is given up
UPLOADS = "/api/v1/uploads"
FORMS = ("/api/process", "/api/alert", "/separate")  # of other systems, with recordings too
ENVELOPE_BYTES = 1 << 16  # of a form around a recording
MAX_BODY_BYTES = 1 << 20  # of other requests
MIN_SECRET, MIN_VARIETY = 32, 12  # characters; different ones
PLACEHOLDER = re.compile("change|secret|default|example|password", re.IGNORECASE)

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cache-Control": "no-store",
}
SERVER_HEADERS = {"Strict-Transport-Security": "max-age=31536000"}
DOCS_POLICY = (
    "default-src 'none'; connect-src 'self'; img-src 'self' data: https://fastapi.tiangolo.com; "
    "script-src 'unsafe-inline' https://cdn.jsdelivr.net; frame-ancestors 'none'; "
    "style-src 'unsafe-inline' https://cdn.jsdelivr.net"
)


def check_mode(settings: Settings) -> None:
    """Refuse to listen where others could reach a server that does not know who they are.

    Raises:
        InputError: the address is not this machine's own, or a server lacks what keeps it safe.
    """
    if settings.mode == "local":
        if settings.host not in LOCAL_HOSTS:
            raise InputError(
                f"without accounts, the server listens on this machine alone and not on "
                f"{settings.host}; use --host 127.0.0.1, or UNBRAID_MODE=server, which has accounts"
            )
        return
    secret = settings.secret.get_secret_value() if settings.secret else ""
    if len(secret) < MIN_SECRET or len(set(secret)) < MIN_VARIETY or PLACEHOLDER.search(secret):
        raise InputError(
            f"a server signs its sessions: set UNBRAID_SECRET to {MIN_SECRET} random characters or "
            "more, as `openssl rand -base64 48` gives them, and keep them"
        )
    if not settings.hosts:
        raise InputError(
            "a server must know its own name: set UNBRAID_HOSTS, such as unbraid.example.org"
        )
    for origin in settings.origins:
        if not re.fullmatch(r"https?://[^/*\s]+", origin):
            raise InputError(
                f"UNBRAID_ORIGINS has {origin!r}; an origin is like https://music.example.org"
            )


class Doorkeeper:
    """Middleware that checks the origin and size of requests, and protects answers."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._max_upload_bytes = settings.max_upload_bytes
        self._hosts = {*LOCAL_HOSTS, *map(str.lower, settings.hosts)}
        self._origins = settings.origins
        self._headers = HEADERS | (SERVER_HEADERS if settings.mode == "server" else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let it in."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        reason = self._foreign(Headers(scope=scope))
        if scope["type"] == "websocket":
            if reason:
                await send({"type": "websocket.close", "code": 1008, "reason": reason})
            else:
                await self._app(scope, receive, send)
            return

        async def protect(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if scope["path"] == "/docs":
                    headers["Content-Security-Policy"] = DOCS_POLICY
            await send(message)

        if reason:
            await problem(HTTPStatus.FORBIDDEN, reason, "foreign")(scope, receive, protect)
        else:
            recording = scope["path"].startswith(UPLOADS) or scope["path"] in FORMS
            max_bytes = self._max_upload_bytes + ENVELOPE_BYTES if recording else MAX_BODY_BYTES
            await self._app(scope, _guarded(receive, max_bytes), protect)

    def _foreign(self, headers: Headers) -> str | None:
        """Why a request does not come from where it may; None if it does."""
        if _name(f"//{headers.get('host', '')}") not in self._hosts:
            return (
                "this server does not answer to the name that it was asked by; open it under its "
                "own (127.0.0.1 or localhost, or those of UNBRAID_HOSTS)"
            )
        if not same_origin(headers) and headers.get("origin") not in self._origins:
            return "requests from pages of other sites are refused"
        return None


def same_origin(headers: Headers) -> bool:
    """Whether a request comes from a page of the server's own, or from none."""
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


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
            detail = f"this request may have {max_bytes / 1e6:.3g} MB at most"
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
        return message

    return receive_more

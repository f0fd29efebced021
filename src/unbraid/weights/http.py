"""The answer of a web server to a request for a file, or for the rest of one.

urllib asks, so the usual proxy variables hold. Errors fall into two kinds: those that may pass
(`Passing`) and those that will not (`ModelError`).
"""

import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from unbraid import __version__
from unbraid.errors import ModelError

TIMEOUT_S = 30.0
CHUNK = 2**20  # bytes
BUSY = (408, 425, 429, 500, 502, 503, 504)  # answers that may be better a moment later


class Passing(Exception):  # noqa: N818  not an end, but a reason to try again
    """A cut connection, a time-out, a busy server."""


@dataclass(frozen=True)
class Answer:
    """What a server sends of a file.

    Attributes:
        start: offset of the first byte that comes; 0 when the whole file does.
        total: bytes of the whole file, if known.
        validator: ETag or date that tells whether a rest belongs to the same file.
        sha256: digest of the whole file in hex, if the server states it.
        response: where the bytes come from.
    """

    start: int
    total: int | None
    validator: str | None
    sha256: str | None
    response: HTTPResponse

    def chunks(self) -> Iterator[bytes]:
        """The bytes as they come.

        Raises:
            Passing: the connection is cut before the end.
        """
        done = self.start
        try:
            while chunk := self.response.read(CHUNK):
                done += len(chunk)
                yield chunk
        except (OSError, HTTPException) as error:
            raise Passing(f"cut after {done} bytes") from error
        if self.total is not None and done < self.total:
            raise Passing(f"cut after {done} of {self.total} bytes")


@contextmanager
def ask(url: str, start: int = 0, validator: str | None = None) -> Iterator[Answer]:
    """Ask for a file.

    Args:
        url: its address.
        start: bytes that are there already; the rest is asked for, if the file is still the same.
        validator: of the answer which those bytes came with; without one the whole file comes.

    Raises:
        Passing: worth another try.
        ModelError: the server does not have the file, or must not be trusted.
    """
    redirects = _Redirects()
    with _open(url, start if validator else 0, validator, redirects) as response:
        headers = response.headers
        etag, date = headers.get("ETag"), headers.get("Last-Modified")
        first, total = _extent(response)
        yield Answer(
            start=first,
            total=total,
            validator=etag if etag and not etag.startswith("W/") else date,
            sha256=redirects.linked or (None if redirects.followed else _digest(etag)),
            response=response,
        )


class _Redirects(HTTPRedirectHandler):
    """Follows redirects, though not to an unsafe place, and reads the digest stated on the way.

    A hub that keeps files elsewhere names their SHA-256 in `X-Linked-Etag` when it redirects; the
    ETag of the place it points to looks alike and is another hash.
    """

    def __init__(self) -> None:
        self.linked: str | None = None
        self.followed = False

    def redirect_request(
        self,
        req: Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> Request | None:
        if urlsplit(newurl).scheme != "https" and req.type == "https":
            raise ModelError(f"{req.full_url} redirects to the unsafe {newurl}; nothing was taken")
        self.followed = True
        self.linked = _digest(headers.get("X-Linked-Etag")) or self.linked
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _open(url: str, start: int, validator: str | None, redirects: _Redirects) -> HTTPResponse:
    headers = {"User-Agent": f"unbraid/{__version__}"}
    if start and validator:
        headers |= {"Range": f"bytes={start}-", "If-Range": validator}
    try:
        response: HTTPResponse = build_opener(redirects).open(
            Request(url, headers=headers), timeout=TIMEOUT_S
        )
    except HTTPError as error:
        error.close()
        if error.code == 416 and start:  # nothing follows what is there: it is another file
            return _open(url, 0, None, redirects)
        raise _refusal(url, error) from error
    except (OSError, HTTPException) as error:
        raise _failure(url, error) from error
    return response


def _refusal(url: str, error: HTTPError) -> Exception:
    if error.code in BUSY:
        return Passing(f"{url} answers {error.code} {error.reason}")
    return ModelError(f"{url} answers {error.code} {error.reason}")


def _failure(url: str, error: Exception) -> Exception:
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, socket.gaierror):
        return ModelError(f"there is no way to {urlsplit(url).hostname}; is the network off?")
    if isinstance(reason, ssl.SSLCertVerificationError):
        return ModelError(f"the certificate of {urlsplit(url).hostname} is not valid: {reason}")
    tunnel = re.match(r"Tunnel connection failed: (\d+)", str(reason))
    if tunnel and int(tunnel[1]) not in BUSY:
        return ModelError(
            f"the proxy gives no way to {urlsplit(url).hostname} ({reason}); check https_proxy"
        )
    return Passing(f"{url} cannot be reached ({str(reason) or type(reason).__name__})")


def _extent(response: HTTPResponse) -> tuple[int, int | None]:
    """Offset of the first byte, and the length of the whole file."""
    if response.status == 206:
        part = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
        if not part:
            raise ModelError(f"{response.url} answers with a part, but not with which")
        return int(part[1]), int(part[2])
    length = response.headers.get("Content-Length")
    return 0, int(length) if length else None


def _digest(etag: str | None) -> str | None:
    """The SHA-256 that an ETag is, if it is one."""
    stated = re.fullmatch(r'(?:W/)?"?([0-9a-f]{64})"?', etag or "")
    return stated[1] if stated else None

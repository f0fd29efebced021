"""The studio, the page in the browser, as `make web` or the build of the package leaves it.

Its files are few and small, so they are read once. What has a hash in its name never changes; the
page itself is asked for again each time, and answered with 304 while it is the same.
"""

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

FOLDER = Path(__file__).parents[1] / "data" / "studio"
PAGES = re.compile(
    r"/((jobs|batches)/[^/]+)?"
)  # what the page has a view for; elsewhere it says so
COMPRESSIBLE = ("text/", "application/json", "application/manifest+json", "image/svg+xml")

POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; "  # for what changes speed and pitch
    "worker-src 'self'; style-src 'self'; font-src 'self'; "
    "connect-src 'self'; img-src 'self' blob:; media-src 'self' blob:; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
NOT_BUILT = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Unbraid</title>
<h1>Unbraid is running, without its studio</h1>
<p>This copy was installed without the page that belongs here. In a checkout with Node.js 20 or
later, <code>make web</code> builds it; then start the server again.</p>
<p>The API works: <a href="/docs">its description</a>.</p>
"""


@dataclass(frozen=True)
class _File:
    """A file of the studio, in memory."""

    content: bytes
    media_type: str
    lasting: bool

    @cached_property
    def etag(self) -> str:
        """The same for the same content."""
        return f'"{hashlib.sha256(self.content).hexdigest()[:20]}"'

    @cached_property
    def compressed(self) -> bytes | None:
        """The content in gzip, where that is worth it."""
        worth = self.media_type.startswith(COMPRESSIBLE) and len(self.content) > 1_000
        return gzip.compress(self.content, mtime=0) if worth else None


class Studio:
    """Answers requests that no route takes: with files of the studio, else as it was."""

    def __init__(self, otherwise: ASGIApp, folder: Path = FOLDER) -> None:
        self._otherwise = otherwise
        files = sorted(folder.rglob("*")) if (folder / "index.html").is_file() else []
        self._files = {
            f"/{file.relative_to(folder).as_posix()}": _read(file, folder)
            for file in files
            if file.is_file()
        }
        self._page = self._files.pop("/index.html", _File(NOT_BUILT, "text/html", lasting=False))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        answer = None
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            answer = self.answer(scope["path"], Headers(scope=scope))
        await (answer or self._otherwise)(scope, receive, send)

    def answer(self, path: str, asked: Headers) -> Response | None:
        """What there is at a path; None for what is no page's matter."""
        if file := self._files.get(path):
            return _answer(file, asked)
        if PAGES.fullmatch(path):
            return _answer(self._page, asked)
        if path.startswith("/api/") or "text/html" not in asked.get("accept", ""):
            return None
        return _answer(self._page, asked, HTTPStatus.NOT_FOUND)


def _read(file: Path, folder: Path) -> _File:
    media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    lasting = file.relative_to(folder).parts[0] == "assets"
    return _File(file.read_bytes(), media_type, lasting)


def _answer(file: _File, asked: Headers, status: HTTPStatus = HTTPStatus.OK) -> Response:
    headers = {
        "ETag": file.etag,
        "Cache-Control": "public, max-age=31536000, immutable" if file.lasting else "no-cache",
        "Content-Security-Policy": POLICY,
        "Vary": "Accept-Encoding",
    }
    known = re.split(r"\s*,\s*", asked.get("if-none-match", ""))
    if status == HTTPStatus.OK and file.etag in known:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    content = file.content
    if "gzip" in asked.get("accept-encoding", "") and file.compressed:
        content, headers["Content-Encoding"] = file.compressed, "gzip"
    return Response(content, status, headers, file.media_type)

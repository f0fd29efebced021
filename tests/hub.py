"""A folder served over HTTP as a model hub does it, with the troubles of real servers on demand."""

import hashlib
import json
import random
import re
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit


@dataclass
class Hub:
    """What is served, how, and what was asked for.

    Attributes:
        folder: files by their path in the address.
        etags: whether a file comes with its SHA-256, some other tag, or none.
        ranges: whether parts of files are sent.
        answers: codes that the next requests get instead of a file.
        cuts: bytes after which the next answers break off.
        stalls: bytes after which the next answers stop coming, until the hub closes.
        redirects: path -> address; the SHA-256 of the file at the path is stated on the way.
        requests: path and asked range of each request.
        url: where it listens.
    """

    folder: Path
    etags: Literal["sha256", "md5", "none"] = "sha256"
    ranges: bool = True
    answers: list[int] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    stalls: list[int] = field(default_factory=list)
    redirects: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""
    closing: threading.Event = field(default_factory=threading.Event)

    def put(self, path: str, content: bytes) -> bytes:
        """Serve a file."""
        file = self.folder / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return content

    def etag(self, file: Path) -> str | None:
        """The tag of a file."""
        if self.etags == "none":
            return None
        with file.open("rb") as content:
            return f'"{hashlib.file_digest(content, self.etags).hexdigest()}"'


@contextmanager
def hub_server(folder: Path) -> Iterator[Hub]:
    """Serve a folder at `hub.url` for the length of the block.

    A model's files lie at the paths of their published addresses, such as
    `adefossez/HTDemucs/resolve/main/955717e8.safetensors`.
    """
    hub = Hub(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(ConnectionError):  # a client that went away
                _answer(hub, self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hub.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield hub
        finally:
            hub.closing.set()
            server.shutdown()
            thread.join()


def _answer(hub: Hub, request: BaseHTTPRequestHandler) -> None:
    path = urlsplit(request.path).path  # a request to a proxy names the whole address
    asked = request.headers.get("Range")
    hub.requests.append((path, asked))
    file = hub.folder / path.lstrip("/")
    if hub.answers:
        request.send_error(hub.answers.pop(0))
    elif not file.is_file():
        request.send_error(404)
    elif path in hub.redirects:
        request.send_response(302)
        request.send_header("Location", hub.redirects[path])
        request.send_header("X-Linked-Etag", f'"{hashlib.sha256(file.read_bytes()).hexdigest()}"')
        request.end_headers()
    else:
        _send(hub, request, file, asked)


def _send(hub: Hub, request: BaseHTTPRequestHandler, file: Path, asked: str | None) -> None:
    etag, size = hub.etag(file), file.stat().st_size
    part = re.fullmatch(r"bytes=(\d+)-", asked or "")
    same = request.headers.get("If-Range") == etag
    start = int(part[1]) if part and same and hub.ranges else 0
    if start >= size > 0:
        request.send_error(416)
        return
    request.send_response(206 if start else 200)
    if start:
        request.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
    if etag:
        request.send_header("ETag", etag)
    request.send_header("Content-Length", str(size - start))
    request.end_headers()
    with file.open("rb") as content:
        content.seek(start)
        if hub.cuts:
            request.wfile.write(content.read(hub.cuts.pop(0)))
        elif hub.stalls:
            request.wfile.write(content.read(hub.stalls.pop(0)))
            hub.closing.wait(30)
        else:
            while chunk := content.read(2**20):
                request.wfile.write(chunk)


def noise(size: int, seed: int = 0) -> bytes:
    """Content that no other seed gives."""
    return random.Random(seed).randbytes(size)


def network_file(
    stems: list[str], network: str = "demucs.htdemucs.HTDemucs", sample_rate: int = 44100
) -> bytes:
    """A safetensors file without tensors, as Demucs's hub describes its networks."""
    metadata = {
        "klass": network,
        "args": "[]",
        "kwargs": json.dumps({"sources": stems, "samplerate": sample_rate}),
    }
    header = json.dumps({"__metadata__": metadata}).encode()
    return struct.pack("<Q", len(header)) + header

"""Hosts that recordings are fetched from: an HTTPS server with the troubles of real ones."""

import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

Answer = Callable[[BaseHTTPRequestHandler], None]


def certificate(folder: Path, *names: str) -> Path:
    """A certificate with its key, in one file, that proves these names to who trusts it."""
    file, key = folder / "certificate.pem", folder / "key.pem"
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names_in = ",".join(f"DNS:{name}" for name in names)
    about = ["-days", "2", "-subj", f"/CN={names[0]}", "-addext", f"subjectAltName={names_in}"]
    command = ["openssl", "req", *kind, "-keyout", str(key), "-out", str(file), *about]
    subprocess.run(command, check=True, capture_output=True)
    file.write_text(file.read_text() + key.read_text())
    return file


@dataclass
class Host:
    """A server.

    Attributes:
        port: where it listens, on 127.0.0.1.
        answers: what it does for each path.
        asked: host and path of each request.
        closing: set when it ends.
    """

    port: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)


def sends(content: bytes, status: int = 200, **headers: str) -> Answer:
    """An answer of these bytes."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in ({"content_length": str(len(content))} | headers).items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(content)

    return answer


def redirects(url: str) -> Answer:
    """An answer that leads elsewhere."""
    return sends(b"", 302, Location=url)


def in_turn(*answers: Answer) -> Answer:
    """One answer after another."""
    rest = iter(answers)
    return lambda request: next(rest)(request)


@contextmanager
def served(pem: Path) -> Iterator[Host]:
    """A host at work."""
    host = Host()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host.asked.append(f"{self.headers['Host']}{self.path}")
            with suppress(OSError):  # the client has had enough
                host.answers[self.path](self)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    with Server(("127.0.0.1", 0), Handler) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        host.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield host
        finally:
            host.closing.set()
            server.shutdown()
            thread.join()

"""Recordings fetched from links, without being led to where the public may not go.

A name is resolved once, all its addresses are checked, and the connection goes to one of these: a
name that is resolved again for the connection could by then mean another address (DNS rebinding).
Each redirect is checked as the first link was.
"""

import http.client
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urljoin

import stamina

from unbraid import __version__
from unbraid.errors import UnbraidError
from unbraid.service.addresses import Address, may_connect
from unbraid.service.breaker import Breaker
from unbraid.service.links import (
    Link,
    check_host_allowed,
    is_youtube,
    name_of,
    parse_link,
    video_of,
)
from unbraid.service.settings import MB, Settings
from unbraid.service.youtube import fetch_video

ATTEMPTS = 3
FIRST_PAUSE_S = 0.5
SILENCE_S = 30.0  # after which a host that does not go on is given up
MAX_REDIRECTS = 5
CHUNK_BYTES = 1 << 16
HEADERS = {
    "User-Agent": f"Unbraid/{__version__}",
    "Accept": "audio/*, video/*, application/octet-stream, */*;q=0.1",
    "Accept-Encoding": "identity",
}
PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
REDIRECTS = (301, 302, 303, 307, 308)

Resolve: TypeAlias = Callable[[str, int], Sequence[Address]]
Dial: TypeAlias = Callable[[Address, int], socket.socket]


class LinkError(UnbraidError):
    """A recording cannot be had from its link."""


class _Passing(Exception):  # noqa: N818  it may be over at the next attempt
    """Why an attempt has failed."""


@dataclass(frozen=True)
class Fetched:
    """A recording that was fetched.

    Attributes:
        file: where it is.
        name: what it is called.
    """

    file: Path
    name: str


def resolve(host: str, port: int) -> Sequence[Address]:
    """The addresses of a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]


def dial(address: Address, port: int) -> socket.socket:
    """A connection to an address."""
    return socket.create_connection((str(address), port), SILENCE_S)


class Fetcher:
    """Fetches recordings, one at a time."""

    def __init__(
        self, settings: Settings, *, resolve: Resolve = resolve, dial: Dial = dial
    ) -> None:
        """Prepare to fetch.

        Args:
            settings: which hosts may be asked, and limits of size and time.
            resolve: gives the addresses of a host.
            dial: connects to an address.
        """
        self._settings = settings
        self._resolve, self._dial = resolve, dial
        self._breaker = Breaker()
        self._tls = ssl.create_default_context()

    def fetch(self, url: str, folder: Path, on_progress: Callable[[], None]) -> Fetched:
        """Fetch a recording into an empty folder.

        Args:
            url: its link.
            folder: for the recording.
            on_progress: called now and then; may raise `Cancelled` to stop.

        Raises:
            InputError: the link, or where it leads, is not allowed.
            LinkError: there is no recording of an allowed size, or it does not come in time.
            ResourceError: the host has failed too often; later it may answer.
        """
        if is_youtube(parse_link(url)):
            settings = self._settings
            try:
                file = fetch_video(video_of(url), folder, settings, on_progress)
            except ChildProcessError as error:
                raise LinkError(f"YouTube does not give this video: {error}") from error
            return Fetched(file, file.name)
        until = time.monotonic() + self._settings.fetch_s
        try:
            for attempt in stamina.retry_context(
                on=_Passing, attempts=ATTEMPTS, wait_initial=FIRST_PAUSE_S, timeout=None
            ):
                with attempt:
                    return self._follow(url, folder, on_progress, until)
        except _Passing as error:
            raise LinkError(f"{error}; it was tried {ATTEMPTS} times") from error
        raise AssertionError("an attempt ends in a result or an error")

    def _follow(
        self, url: str, folder: Path, on_progress: Callable[[], None], until: float
    ) -> Fetched:
        """Fetch once, through redirects."""
        for _ in range(MAX_REDIRECTS + 1):
            on_progress()
            link = parse_link(url)
            check_host_allowed(link, self._settings.url_hosts)
            self._breaker.check(link.host)
            try:
                with self._asked(link, until) as answer:
                    if answer.status in REDIRECTS:
                        url = urljoin(url, answer.headers.get("Location", ""))
                        continue
                    _check(link, answer)
                    name = _name(answer, url)
                    self._receive(answer, folder / "recording", on_progress, until)
            except _Passing:
                self._breaker.failed(link.host)
                raise
            self._breaker.answered(link.host)
            return Fetched(folder / "recording", name)
        raise LinkError("the link leads on and on; give the address of the recording itself")

    @contextmanager
    def _asked(self, link: Link, until: float) -> Iterator[http.client.HTTPResponse]:
        """Ask a host; whatever is not over in time is cut off."""
        raw = self._connect(link)
        with closing(raw.dup()) as line:
            watchdog = threading.Timer(max(0.0, until - time.monotonic()), _cut, [line])
            watchdog.daemon = True
            watchdog.start()
            try:
                with closing(_Connection(link, raw, self._tls)) as connection:
                    connection.request("GET", link.path, headers=HEADERS)
                    with closing(connection.getresponse()) as answer:
                        yield answer
            except ssl.SSLCertVerificationError as error:
                trouble = f"{link.host} does not prove that it is {link.host}"
                raise LinkError(f"{trouble} ({error.verify_message})") from error
            except (OSError, http.client.HTTPException) as error:
                if time.monotonic() >= until:
                    raise self._late() from error
                raise _Passing(f"{link.host} breaks off ({_reason(error)})") from error
            finally:
                watchdog.cancel()

    def _connect(self, link: Link) -> socket.socket:
        """A connection to an address of a host that may be connected to."""
        try:
            addresses = self._resolve(link.host, link.port)
        except OSError as error:
            raise _Passing(f"{link.host} is not known") from error
        if not all(may_connect(each, self._settings.url_networks) for each in addresses):
            raise LinkError(f"{link.host} is within a private network, from which none is fetched")
        trouble = "no address"
        for address in addresses:
            try:
                return self._dial(address, link.port)
            except OSError as error:
                trouble = _reason(error)
        raise _Passing(f"{link.host} does not answer ({trouble})")

    def _receive(
        self,
        answer: http.client.HTTPResponse,
        file: Path,
        on_progress: Callable[[], None],
        until: float,
    ) -> None:
        most, size = self._settings.max_upload_bytes, 0
        too_large = LinkError(f"a recording may have {most / MB:g} MB at most")
        if (answer.length or 0) > most:
            raise too_large
        with file.open("wb") as target:
            while chunk := answer.read(CHUNK_BYTES):
                size += len(chunk)
                if size > most:
                    raise too_large
                if time.monotonic() > until:
                    raise self._late()
                target.write(chunk)
                on_progress()
        if answer.length:
            raise http.client.IncompleteRead(b"", answer.length)

    def _late(self) -> LinkError:
        return LinkError(
            f"it did not come within the {self._settings.fetch_s:g} s that it may take"
        )


class _Connection(http.client.HTTPSConnection):
    """A connection for HTTPS over one that is there."""

    def __init__(self, link: Link, raw: socket.socket, tls: ssl.SSLContext) -> None:
        super().__init__(link.host, link.port, context=tls)
        self._raw, self._tls = raw, tls

    def connect(self) -> None:
        """Speak TLS to the host, which must show that it has the name of the link."""
        self.sock = self._tls.wrap_socket(self._raw, server_hostname=self.host)

    def close(self) -> None:
        super().close()
        self._raw.close()


def _cut(line: socket.socket) -> None:
    with suppress(OSError):  # it is closed already
        line.shutdown(socket.SHUT_RDWR)


def _check(link: Link, answer: http.client.HTTPResponse) -> None:
    """Refuse answers that bring no recording."""
    status = answer.status
    if status in PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise _Passing(f"{link.host} answers {status} {answer.reason}")
    if status != HTTPStatus.OK:
        raise LinkError(f"{link.host} answers {status} {answer.reason}; check the link")
    if answer.headers.get_content_maintype() == "text" and "Content-Type" in answer.headers:
        raise LinkError("this is a page, not a recording; give the address of the file itself")


def _name(answer: http.client.HTTPResponse, url: str) -> str:
    name = answer.headers.get_filename() or name_of(url)
    return re.split(r"[/\\]", name)[-1] or "recording"


def _reason(error: Exception) -> str:
    """Why a connection failed, in few words and without addresses."""
    if isinstance(error, TimeoutError):
        return f"nothing came for {SILENCE_S:g} s"
    return getattr(error, "strerror", None) or type(error).__name__

"""Which links to recordings are taken, before anything is asked of their hosts."""

import importlib.util
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

from unbraid.errors import InputError, UnbraidError
from unbraid.service.settings import Settings

HTTPS_PORT = 443
YOUTUBE = ("youtube.com", "youtu.be", "youtube-nocookie.com")
VIDEO = re.compile(r"[\w-]{11}")
NAME_LENGTH = 200


class SwitchedOff(UnbraidError):  # noqa: N818  what is told, rather than a fault
    """The operator of this server has not switched on what is asked for."""


@dataclass(frozen=True)
class Link:
    """A link taken apart.

    Attributes:
        host: name, in ASCII and lower case.
        port: of the host.
        path: with the query, as a request has it.
    """

    host: str
    port: int
    path: str


def check_link(url: str, settings: Settings) -> None:
    """Refuse links that this server does not fetch.

    Raises:
        InputError: it is no link to a recording, or leads to a host that is not allowed.
        SwitchedOff: links of its kind are not fetched here, or what that needs is not installed.
    """
    link = parse_link(url)
    if is_youtube(link):
        video_of(url)
        if not settings.youtube:
            raise SwitchedOff("links to YouTube are switched off here; send the recording itself")
        if importlib.util.find_spec("yt_dlp") is None:
            raise SwitchedOff(
                "links to YouTube need yt-dlp, which the operator of this server has to install: "
                "pip install 'unbraid[youtube]'"
            )
    elif not settings.url_hosts:
        raise SwitchedOff("links are switched off here; send the recording itself")
    else:
        check_host_allowed(link, settings.url_hosts)


def parse_link(url: str) -> Link:
    """Take a link apart.

    Raises:
        InputError: it is not a plain https link.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port or HTTPS_PORT
        name = host.encode("idna").decode("ascii").lower() if ":" not in host else host
    except ValueError as error:
        raise InputError("this is no link; give one such as https://host/song.mp3") from error
    if parts.scheme != "https" or not name:
        raise InputError("only links that begin with https:// are fetched")
    if parts.username is not None or parts.password is not None:
        raise InputError("a link with a user name or password is not fetched")
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return Link(name, port, _escaped(path) or "/")


def check_host_allowed(link: Link, allowed: Sequence[str]) -> None:
    """Refuse hosts that the operator has not named.

    Raises:
        InputError: the host is not among those that are.
    """
    for each in allowed:
        name, _, port = each.lower().partition(":")
        below = name.startswith(".") and link.host.endswith(name)
        if (below or link.host == name) and link.port == int(port or HTTPS_PORT):
            return
    raise InputError(
        f"links to {link.host} are not fetched here; GET /api/v1/limits says which are"
    )


def is_youtube(link: Link) -> bool:
    """Whether a link leads to YouTube."""
    return link.host in YOUTUBE or link.host.endswith(tuple(f".{name}" for name in YOUTUBE))


def video_of(url: str) -> str:
    """The id of a video, of which yt-dlp gets a link made anew.

    Raises:
        InputError: the link leads to no single video.

    Example:
        >>> video_of("https://youtu.be/dQw4w9WgXcQ?t=10")
        'dQw4w9WgXcQ'
    """
    parts = urlsplit(url)
    given = parse_qs(parts.query).get("v", [])
    candidates = given if parts.path == "/watch" else [PurePosixPath(parts.path).name]
    for each in candidates:
        if VIDEO.fullmatch(each):
            return each
    raise InputError("this link to YouTube is not that of a video; open one and take its address")


def name_of(url: str) -> str:
    """What a recording is called before it is fetched: the end of its link.

    Example:
        >>> name_of("https://example.org/a/My%20song.mp3?x=1")
        'My song.mp3'
    """
    parts = urlsplit(url)
    if parts.path == "/watch":
        return video_of(url)
    name = unquote(PurePosixPath(parts.path).name).replace("\0", "_")
    return name[-NAME_LENGTH:] or parts.netloc


def _escaped(path: str) -> str:
    """A path in the characters that a request may have."""
    return "".join(
        each if "!" <= each <= "~" else "".join(f"%{byte:02X}" for byte in each.encode())
        for each in path
    )

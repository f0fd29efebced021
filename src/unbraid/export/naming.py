"""File names from templates and tags, safe on every file system."""

import re
from string import Formatter

from unbraid.audio import Tags
from unbraid.errors import InputError
from unbraid.types import StemName

MAX_NAME_BYTES = 200  # file systems take 255, less extensions and numbers
FIELDS = ("stem", "track", "title", "artist", "album", "model")
UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*]+')
EDGES = re.compile(r"^[\s.]+|[\s.]+$")
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def safe_name(text: str) -> str:
    """A file name that every file system takes, close to `text`.

    >>> safe_name("AC/DC: Live")
    'AC_DC_ Live'
    """
    name = _cut(EDGES.sub("", UNSAFE.sub("_", text)), MAX_NAME_BYTES)
    name = EDGES.sub("", name) or "_"
    return f"_{name}" if RESERVED.fullmatch(name) else name


def check_template(template: str) -> None:
    """Refuse a template that cannot name the stems apart.

    Raises:
        InputError: says what is wrong with it.
    """
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise InputError(f"--name {template!r} cannot be read: {error}") from error
    used = {field for _, field, _, _ in parts if field is not None}
    if unknown := sorted(used - set(FIELDS)):
        raise InputError(
            f"--name has unknown fields: {', '.join(unknown) or '{}'}; "
            f"use {', '.join(f'{{{field}}}' for field in FIELDS)}"
        )
    if any(spec or conversion for _, _, spec, conversion in parts):
        raise InputError("--name takes plain fields such as {stem}, without : or !")
    if "stem" not in used:
        raise InputError("--name must contain {stem}, or all stems would get the same name")


def stem_file_name(template: str, stem: StemName, *, track: str, model: str, tags: Tags) -> str:
    """The file name of a stem, without its extension.

    A tag that the recording lacks reads "unknown"; long values are cut so that the name fits.

    Args:
        template: checked by `check_template`.
        stem: name of the stem.
        track: file name of the recording without its extension.
        model: name of the separation model.
        tags: of the recording.
    """
    texts = {"track": track, "title": tags.title, "artist": tags.artist, "album": tags.album}
    name = ""
    for limit in (MAX_NAME_BYTES, 80, 40, 20):
        values = {field: _cut(text or "unknown", limit) for field, text in texts.items()}
        name = template.format(stem=stem, model=model, **values)
        if len(name.encode()) <= MAX_NAME_BYTES:
            return safe_name(name)
    raise InputError(f"--name gives file names of {len(name.encode())} bytes; shorten it")


def _cut(text: str, limit: int) -> str:
    """The start of a text, at most `limit` bytes in UTF-8."""
    return text.encode()[:limit].decode(errors="ignore")

"""What a recording says of itself: title, artist, album, cover."""

import math
from dataclasses import dataclass
from pathlib import Path

from tinytag import TinyTag

_MOST_CHARACTERS = 1_000
_MOST_COVER_BYTES = 15_000_000  # a picture in a FLAC file has at most 16 MiB
_ID3V2_NAMES = {
    "title": b"TIT2",
    "artist": b"TPE1",
    "album": b"TALB",
    "album_artist": b"TPE2",
    "date": b"TDRC",
    "track": b"TRCK",
    "genre": b"TCON",
    "bpm": b"TBPM",
    "key": b"TKEY",
    "isrc": b"TSRC",
    "comment": b"COMM",
}
_UTF_8 = b"\3"
_NO_LANGUAGE = b"XXX\0"  # and no description of a comment
_FRONT_COVER = b"\3"
_PICTURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n": "image/png"}


@dataclass(frozen=True)
class Tags:
    """Tags of a recording; None where it has none.

    Attributes:
        title: name of the song.
        artist: who performs it.
        album: where it was published.
        album_artist: whose album that is.
        year: when, as the file writes it ("1973", "1973-03-01").
        track: its number on the album.
        genre: its kind of music.
        bpm: beats per minute.
        key: as disc jockeys write it: "F#m", "Bb".
        comment: any text.
        isrc: International Standard Recording Code.
        cover: picture of the album, a JPEG or PNG file's bytes.
        cover_mime: kind of that file ("image/jpeg").
    """

    title: str | None = None
    artist: str | None = None
    album: str | None = None
    album_artist: str | None = None
    year: str | None = None
    track: int | None = None
    genre: str | None = None
    bpm: float | None = None
    key: str | None = None
    comment: str | None = None
    isrc: str | None = None
    cover: bytes | None = None
    cover_mime: str | None = None


def read_tags(path: str | Path) -> Tags:
    """Read the tags of a recording; damaged or unknown ones count as none."""
    try:
        with Path(path).open("rb") as file:
            tag = TinyTag.get(file_obj=file, image=True, duration=False)
    except Exception:  # the parser fails in many ways, and no tag is worth a song
        return Tags()
    cover = tag.images.any
    mime = _picture_mime(cover.data) if cover else None
    return Tags(
        title=tag.title,
        artist=tag.artist,
        album=tag.album,
        album_artist=tag.albumartist,
        year=tag.year,
        track=tag.track,
        genre=tag.genre,
        bpm=_bpm(_other(tag, "bpm")),
        key=_other(tag, "initial_key"),
        comment=tag.comment,
        isrc=_other(tag, "isrc"),
        cover=cover.data if cover and mime else None,
        cover_mime=mime,
    )


def _other(tag: TinyTag, name: str) -> str | None:
    return next((text for text in tag.other.get(name) or () if text), None)


def _bpm(text: str | None) -> float | None:
    try:
        bpm = float((text or "").replace(",", "."))
    except ValueError:
        return None
    return bpm if math.isfinite(bpm) and bpm > 0 else None


def _picture_mime(data: bytes) -> str | None:
    """The kind of a picture by its first bytes, for what tags call it is often wrong."""
    if len(data) > _MOST_COVER_BYTES:
        return None
    return next((mime for magic, mime in _PICTURES.items() if data.startswith(magic)), None)


def texts_of(tags: Tags) -> dict[str, str]:
    """The texts of `tags`, by FFmpeg's names where it has one, as every format can hold them."""
    texts = {
        "title": tags.title,
        "artist": tags.artist,
        "album": tags.album,
        "album_artist": tags.album_artist,
        "date": tags.year,
        "track": None if tags.track is None else str(tags.track),
        "genre": tags.genre,
        "bpm": None if tags.bpm is None else f"{round(tags.bpm, 2):g}",
        "key": tags.key,
        "comment": tags.comment,
        "isrc": tags.isrc,
    }
    return {name: _plain(text) for name, text in texts.items() if text}


def details_of(tags: Tags) -> dict[str, str]:
    """The texts of `tags` but for title, tempo and key, which music has signs of its own for."""
    own = ("title", "bpm", "key")
    return {name: text for name, text in texts_of(tags).items() if name not in own}


def _plain(text: str) -> str:
    return text[:_MOST_CHARACTERS].replace("\0", " ").encode(errors="replace").decode()


def id3v2(tags: Tags) -> bytes:
    """`tags` as an ID3v2.4 tag, to go before an MP3 or into a chunk; nothing if there are none.

    Layout: id3.org, "ID3 tag version 2.4.0", sections 3.1, 4.2, 4.10 and 4.14.
    """
    frames = [
        _frame(_ID3V2_NAMES[name], (_NO_LANGUAGE if name == "comment" else b"") + text.encode())
        for name, text in texts_of(tags).items()
    ]
    if tags.cover and tags.cover_mime:
        mime = tags.cover_mime.encode()
        frames.append(_frame(b"APIC", mime + b"\0" + _FRONT_COVER + b"\0" + tags.cover))
    body = b"".join(frames)
    return b"ID3\4\0\0" + _syncsafe(len(body)) + body if body else b""


def _frame(name: bytes, content: bytes) -> bytes:
    return name + _syncsafe(1 + len(content)) + b"\0\0" + _UTF_8 + content


def _syncsafe(size: int) -> bytes:
    """Four bytes of seven bits each, which no decoder can take for a frame's beginning."""
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))

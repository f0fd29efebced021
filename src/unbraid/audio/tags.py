"""What a recording says of itself: title, artist, album, cover."""

from dataclasses import dataclass
from pathlib import Path

from tinytag import TinyTag

_MOST_CHARACTERS = 1_000
_ID3V2_NAMES = {
    "title": b"TIT2",
    "artist": b"TPE1",
    "album": b"TALB",
    "date": b"TDRC",
    "tracknumber": b"TRCK",
}


@dataclass(frozen=True)
class Tags:
    """Tags of a recording; None where it has none.

    Attributes:
        title: name of the song.
        artist: who performs it.
        album: where it was published.
        year: when, as the file writes it ("1973", "1973-03-01").
        track: its number on the album.
        cover: picture of the album, as a file's bytes.
        cover_mime: kind of that file ("image/jpeg").
    """

    title: str | None = None
    artist: str | None = None
    album: str | None = None
    year: str | None = None
    track: int | None = None
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
    return Tags(
        title=tag.title,
        artist=tag.artist,
        album=tag.album,
        year=tag.year,
        track=tag.track,
        cover=cover.data if cover else None,
        cover_mime=cover.mime_type if cover else None,
    )


def texts_of(tags: Tags) -> dict[str, str]:
    """The texts of `tags`, by libsndfile's names, as every format can hold them."""
    texts = {
        "title": tags.title,
        "artist": tags.artist,
        "album": tags.album,
        "date": tags.year,
        "tracknumber": None if tags.track is None else str(tags.track),
    }
    return {name: _plain(text) for name, text in texts.items() if text}


def _plain(text: str) -> str:
    return text[:_MOST_CHARACTERS].replace("\0", " ").encode(errors="replace").decode()


def id3v2(tags: Tags) -> bytes:
    """The texts of `tags` as an ID3v2.4 tag, to go before an MP3; nothing if there are none.

    Layout: id3.org, "ID3 tag version 2.4.0", sections 3.1 and 4.2.
    """
    frames = b"".join(
        _id3v2_frame(_ID3V2_NAMES[name], text) for name, text in texts_of(tags).items()
    )
    return b"ID3\4\0\0" + _syncsafe(len(frames)) + frames if frames else b""


def _id3v2_frame(name: bytes, text: str) -> bytes:
    body = b"\3" + text.encode()
    return name + _syncsafe(len(body)) + b"\0\0" + body


def _syncsafe(size: int) -> bytes:
    """Four bytes of seven bits each, which no decoder can take for a frame's beginning."""
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))

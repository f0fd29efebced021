"""Stems files of Native Instruments: a mix and its four parts, for DJs.

The format is that of "Stem file format" (Native Instruments, stems-music.com): an MP4 file with
the mix as its enabled track, four disabled ones, and their names and colours as JSON in the box
moov/udta/stem.
"""

import io
import json
import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from unbraid.audio import Tags
from unbraid.audio.ffmpeg_writer import m4a_writer
from unbraid.audio.tags import texts_of
from unbraid.errors import InputError
from unbraid.export.levels import stretches, total
from unbraid.types import Read, Samples, StemName

SUFFIX = ".stem.m4a"
PARTS: dict[StemName, str] = {  # and their colours, in the order of the format
    "drums": "#009E73",
    "bass": "#D55E00",
    "other": "#CC79A7",
    "vocals": "#56B4E9",
}
_FREE_ITEMS = {"key": b"initialkey", "isrc": b"ISRC"}
_TEXT = 1  # kinds of data
_PICTURES = {"image/jpeg": 13, "image/png": 14}
_MASTERING = {  # what players do to the sum of the parts: nothing
    "compressor": {
        "enabled": False,
        "ratio": 3,
        "input_gain": 0.5,
        "output_gain": 0.5,
        "attack": 0.003,
        "release": 0.3,
        "threshold": 0,
        "hp_cutoff": 300,
        "dry_wet": 50,
    },
    "limiter": {"enabled": False, "release": 0.05, "threshold": 0, "ceiling": -0.35},
}


def write_ni_stems(
    path: Path,
    stems: Mapping[StemName, Read],
    mixture: Read,
    length: int,
    sample_rate: int,
    tags: Tags | None = None,
) -> None:
    """Write the mix and its drums, bass, other and vocals.

    Stems of other names, such as guitar and piano, are part of other; a part without a stem is
    silent.

    Args:
        path: the file to write; its name should end in `SUFFIX`, by which players know it.
        stems: at least one.
        mixture: the song.
        length: samples of each.
        sample_rate: samples per second.
        tags: of the song.

    Raises:
        InputError: there are no stems.
        MissingExtraError: ffmpeg is not installed.
        ResourceError: the file cannot be written.
    """
    if not stems:
        raise InputError("a stems file needs at least one stem")
    reads = [mixture, *_folded(stems).values()]
    names = [name.capitalize() for name in PARTS]
    tags = tags or Tags()
    with m4a_writer(path, sample_rate, ["Mix", *names], tags) as writer:
        for start, stop in stretches(length):
            writer.write(np.concatenate([read(start, stop) for read in reads]))
    manifest = {
        "mastering_dsp": _MASTERING,
        "version": 1,
        "stems": [
            {"color": colour, "name": name}
            for name, colour in zip(names, PARTS.values(), strict=True)
        ],
    }
    add_user_data(path, b"stem", json.dumps(manifest).encode(), _items(tags))


def _folded(stems: Mapping[StemName, Read]) -> dict[StemName, Read]:
    """The four parts, in order."""
    parts: dict[StemName, list[Read]] = {part: [] for part in PARTS}
    for name, read in stems.items():
        parts[name if name in PARTS else "other"].append(read)
    return {part: total(reads) if reads else _silence for part, reads in parts.items()}


def _silence(start: int, stop: int) -> Samples:
    return np.zeros((2, stop - start), np.float32)


class _Box(NamedTuple):
    """A box of an MP4 file: where it begins, how long it is, where its body begins."""

    name: bytes
    start: int
    size: int
    body: int

    @property
    def end(self) -> int:
        return self.start + self.size


def add_user_data(path: Path, name: bytes, body: bytes, items: bytes = b"") -> None:
    """Add a box at the end of moov/udta of an MP4 file, and tags to those it has.

    The grown moov goes to the end of the file, and where it was remains free space: so the sound,
    whose places in the file moov states, stays where it is.

    Args:
        path: the file.
        name: of the box, four bytes.
        body: of the box.
        items: boxes for the end of the list of tags, moov/udta/meta/ilst, if there is one.

    Raises:
        InputError: the file has no moov.
    """
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        moov = next((box for box in _boxes(file, 0, end) if box.name == b"moov"), None)
        if moov is None:
            raise InputError(f"{path.name!r} is no MP4 file")
        children = [
            (box.name, _bytes(file, box.body, box.end)) for box in _boxes(file, moov.body, moov.end)
        ]
        user_data = b"".join(body for child, body in children if child == b"udta")
        user_data = _appended(user_data, (b"meta", b"ilst"), items)
        boxes = [_box(*child) for child in children if child[0] != b"udta"]
        grown = _box(b"moov", b"".join([*boxes, _box(b"udta", user_data + _box(name, body))]))
        if moov.end == end:
            file.truncate(moov.start)
        else:
            file.seek(moov.start + 4)
            file.write(b"free")
        file.seek(0, os.SEEK_END)
        file.write(grown)


def _items(tags: Tags) -> bytes:
    """The tags that ffmpeg does not write, as iTunes has them."""
    texts = texts_of(tags)
    items = [
        _box(
            b"----",
            _box(b"mean", bytes(4) + b"com.apple.iTunes")
            + _box(b"name", bytes(4) + name)
            + _box(b"data", struct.pack(">2I", _TEXT, 0) + texts[tag].encode()),
        )
        for tag, name in _FREE_ITEMS.items()
        if tag in texts
    ]
    if tags.cover and tags.cover_mime:
        kind = struct.pack(">2I", _PICTURES[tags.cover_mime], 0)
        items.append(_box(b"covr", _box(b"data", kind + tags.cover)))
    return b"".join(items)


def _appended(boxes: bytes, path: Sequence[bytes], more: bytes) -> bytes:
    """Boxes with `more` at the end of the one that a path leads to."""
    if not path:
        return boxes + more
    file = io.BytesIO(boxes)
    grown = []
    for box in _boxes(file, 0, len(boxes)):
        body = _bytes(file, box.body, box.end)
        if box.name == path[0]:
            head = 4 if box.name == b"meta" else 0  # its version comes before its boxes
            body = body[:head] + _appended(body[head:], path[1:], more)
        grown.append(_box(box.name, body))
    return b"".join(grown)


def _boxes(file: BinaryIO, at: int, end: int) -> Iterator[_Box]:
    """The boxes between two places (ISO/IEC 14496-12, 4.2)."""
    while at + 8 <= end:
        size, name = struct.unpack(">I4s", _bytes(file, at, at + 8))
        body = at + 8
        if size == 1:
            (size,) = struct.unpack(">Q", _bytes(file, body, body + 8))
            body += 8
        box = _Box(name, at, size or end - at, body)
        yield box
        at = box.end


def _box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body


def _bytes(file: BinaryIO, start: int, stop: int) -> bytes:
    file.seek(start)
    return file.read(stop - start)

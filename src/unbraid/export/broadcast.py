"""The chunk that makes a WAV file a Broadcast Wave file: when it begins, so that DAWs line it up.

Layout: EBU Tech 3285, "Specification of the Broadcast Wave Format", version 1.
"""

import os
import struct
from pathlib import Path

from unbraid.errors import InputError

ORIGINATOR = "Unbraid"
VERSION = 1
_BEXT = struct.Struct("<256s32s32s10s8sQH254x")
_RIFF_SIZE_AT = {b"RIFF": (4, "<I"), b"RF64": (20, "<Q")}  # of RF64 it is in the chunk ds64


def add_broadcast_chunk(path: Path, description: str, time_reference: int = 0) -> None:
    """Say in a WAV file when it begins.

    Args:
        path: the file, RIFF or RF64.
        description: what it holds; ASCII, 256 characters at most, the rest is cut.
        time_reference: samples between midnight and the beginning of the file.

    Raises:
        InputError: this is no WAV file, or the time is negative.
    """
    if time_reference < 0:
        raise InputError(
            f"a Broadcast Wave file begins at sample 0 or later, not {time_reference}; "
            "add the same number of samples to all stems of the song"
        )
    # Dates stay empty: the same stem should give the same file at all times.
    fields = [_ascii(text) for text in (description, ORIGINATOR, "", "", "")]
    append_chunk(path, b"bext", _BEXT.pack(*fields, time_reference, VERSION))


def append_chunk(path: Path, name: bytes, body: bytes) -> None:
    """Add a chunk at the end of a WAV file.

    Args:
        path: the file, RIFF or RF64.
        name: of the chunk, four bytes.
        body: of the chunk.

    Raises:
        InputError: this is no WAV file.
    """
    with path.open("r+b") as file:
        header = file.read(12)
        if header[:4] not in _RIFF_SIZE_AT or header[8:] != b"WAVE":
            raise InputError(f"{path.name!r} is no WAV file; write stems as WAV to label them")
        file.seek(0, os.SEEK_END)
        file.write(b"\0" * (file.tell() % 2))
        file.write(name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2))
        size_at, layout = _RIFF_SIZE_AT[header[:4]]
        size = file.tell() - 8
        file.seek(size_at)
        file.write(struct.pack(layout, size))


def _ascii(text: str) -> bytes:
    return text.encode("ascii", "replace")

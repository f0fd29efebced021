"""MPEG audio frames, counted where they are instead of believing what a header says of them.

An MP3 is a row of frames. A first frame of silence may carry an index (`Xing` or `Info`) that
gives their number; decoders stop there, and without it they guess from the first frame's bit rate.
`MpegStream` gives the decoder the file as it should be: from the first frame on, with a true index.

Frame layout: ISO 11172-3, 2.4.1.3; index: Xing's and LAME's header, as in LAME's `VbrTag.c`.
"""

import io
import struct
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple

_SEARCH_BYTES = 1 << 16
_MOST_GAPS = 1_000
_ENDLESS = 1 << 40
_ID3V1_BYTES = 128

_SAMPLE_RATES = {
    3: (44_100, 48_000, 32_000),
    2: (22_050, 24_000, 16_000),
    0: (11_025, 12_000, 8_000),
}
_KBIT_PER_S = {
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


class Frame(NamedTuple):
    """One frame's header.

    Attributes:
        position: where it begins in the file, in bytes.
        length: its bytes, header included.
        samples: what it decodes to, per channel.
        kind: version, layer and sample rate, which all frames of a stream share.
        index_offset: where an index would begin, in bytes from the frame's beginning.
    """

    position: int
    length: int
    samples: int
    kind: int
    index_offset: int

    @property
    def end(self) -> int:
        """Where the next frame should begin, in bytes."""
        return self.position + self.length


def _frame_at(file: BinaryIO, position: int) -> Frame | None:
    """The frame that begins at `position`; None if no header is there."""
    file.seek(position)
    head = file.read(4)
    if len(head) < 4 or head[0] != 0xFF or head[1] < 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    rate, kbit, padding = head[2] >> 2 & 3, head[2] >> 4, head[2] >> 1 & 1
    if version == 1 or layer == 4 or rate == 3 or kbit in (0, 15):
        return None
    mpeg1, mono = version == 3, head[3] >> 6 == 3
    samples = 384 if layer == 1 else 1152 if layer == 2 or mpeg1 else 576
    slot = 4 if layer == 1 else 1
    bits_per_s = 1000 * _KBIT_PER_S[mpeg1, layer][kbit - 1]
    slots = samples * bits_per_s // (8 * slot * _SAMPLE_RATES[version][rate]) + padding
    return Frame(
        position=position,
        length=slots * slot,
        samples=samples,
        kind=version << 4 | layer << 2 | rate,
        index_offset=4 + ((17 if mono else 32) if mpeg1 else (9 if mono else 17)),
    )


def _row(file: BinaryIO, position: int) -> Iterator[Frame]:
    """The frames that follow each other without a gap from `position` on."""
    frame = _frame_at(file, position)
    kind = frame.kind if frame else None
    while frame and frame.kind == kind:
        yield frame
        frame = _frame_at(file, frame.end)


def first_frame(file: BinaryIO, start: int) -> Frame | None:
    """The first frame at or soon after `start`, in bytes; None if this is no MPEG audio.

    Four bytes are soon mistaken for a header, so a frame counts when another follows it, and
    after other bytes (padding, the tail of a frame cut through) when two do.
    """
    file.seek(start)
    window = file.read(_SEARCH_BYTES)
    offset = window.find(0xFF)
    while offset >= 0:
        row = list(islice(_row(file, start + offset), 3))
        if len(row) == 3 or (len(row) == 2 and offset == 0):
            return row[0]
        offset = window.find(0xFF, offset + 1)
    return None


def _count(file: BinaryIO, first: Frame) -> int:
    """Complete frames of the stream, damaged places stepped over."""
    size = file.seek(0, io.SEEK_END)
    count = 0
    start: Frame | None = first
    for _ in range(_MOST_GAPS):
        if start is None:
            break
        end = start.position
        for frame in _row(file, start.position):
            end = frame.end
            count += end <= size
        start = first_frame(file, end)
    return count


class MpegStream:
    """An MPEG file as a decoder should see it.

    It begins at the first frame; its index counts all frames and bytes that are there; and where
    there is no index it has no end, so that the decoder cannot guess one.

    Attributes:
        indexed: whether an index gives the stream's length.
    """

    def __init__(self, path: Path, first: Frame) -> None:
        self._file = path.open("rb", buffering=_SEARCH_BYTES)
        self._start = first.position
        self._position = 0
        self._file.seek(first.position)
        self._head = bytearray(self._file.read(first.length))
        index = bytes(self._head[first.index_offset : first.index_offset + 16])
        self.indexed = index[:4] in (b"Xing", b"Info") and len(index) == 16 and index[7] & 3 == 3
        self._length = _ENDLESS
        if self.indexed:
            frames = max(int.from_bytes(index[8:12]), _count(self._file, first) - 1)
            self._length = self._file.seek(0, io.SEEK_END) - first.position
            struct.pack_into(">II", self._head, first.index_offset + 8, frames, self._length)

    def tell(self) -> int:
        """Bytes from the first frame on."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go anywhere, also beyond the end: a damaged header may send the decoder there."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._length}[whence]
        self._position = max(0, origin + offset)
        return self._position

    def readinto(self, buffer: memoryview) -> int:
        """Fill `buffer` from the position on, as far as there is something."""
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _read(self, size: int) -> bytes:
        """At most `size` bytes; zeros where the decoder looks for a tag at the end of no end."""
        if self._position < len(self._head):
            return bytes(self._head[self._position : self._position + size])
        if self._position >= _ENDLESS - _ID3V1_BYTES:
            return bytes(min(size, max(0, _ENDLESS - self._position)))
        self._file.seek(self._start + self._position)
        return self._file.read(size)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

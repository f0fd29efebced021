"""What kind of file a recording is, told from its first bytes.

Names lie and decoders guess: libsndfile takes some random bytes for music, ffmpeg some texts for
play lists. Only what is recognised here reaches a decoder, and ffmpeg is told which one to use.
"""

from dataclasses import dataclass
from typing import BinaryIO, Literal

from unbraid.audio.mpeg import Frame, first_frame

Decoder = Literal["libsndfile", "ffmpeg"]


@dataclass(frozen=True)
class Container:
    """A kind of file.

    Attributes:
        name: as people call it.
        decoder: the program that should read it.
        demuxer: ffmpeg's name for it.
        start: the first MPEG frame, if it is made of these.
    """

    name: str
    decoder: Decoder
    demuxer: str
    start: Frame | None = None


_BY_MAGIC: tuple[tuple[int, bytes, Container], ...] = (
    (0, b"fLaC", Container("FLAC", "libsndfile", "flac")),
    (0, b"OggS", Container("Ogg", "libsndfile", "ogg")),
    (0, b".snd", Container("AU", "libsndfile", "au")),
    (0, b"caff", Container("CAF", "libsndfile", "caf")),
    (0, b"riff\x2e\x91\xcf\x11", Container("Wave64", "libsndfile", "w64")),
    (4, b"ftyp", Container("MP4", "ffmpeg", "mov")),
    (4, b"moov", Container("QuickTime", "ffmpeg", "mov")),
    (4, b"mdat", Container("QuickTime", "ffmpeg", "mov")),
    (4, b"wide", Container("QuickTime", "ffmpeg", "mov")),
    (0, b"\x1a\x45\xdf\xa3", Container("Matroska or WebM", "ffmpeg", "matroska")),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Container("Windows Media", "ffmpeg", "asf")),
    (0, b"FLV\x01", Container("Flash Video", "ffmpeg", "flv")),
    (0, b"\x00\x00\x01\xba", Container("MPEG program stream", "ffmpeg", "mpeg")),
    (0, b"wvpk", Container("WavPack", "ffmpeg", "wv")),
    (0, b"MAC ", Container("Monkey's Audio", "ffmpeg", "ape")),
)

_BY_FORM: dict[tuple[bytes, bytes], Container] = {
    (b"RIFF", b"WAVE"): Container("WAV", "libsndfile", "wav"),
    (b"RIFX", b"WAVE"): Container("WAV", "libsndfile", "wav"),
    (b"RF64", b"WAVE"): Container("RF64", "libsndfile", "wav"),
    (b"FORM", b"AIFF"): Container("AIFF", "libsndfile", "aiff"),
    (b"FORM", b"AIFC"): Container("AIFF", "libsndfile", "aiff"),
    (b"RIFF", b"AVI "): Container("AVI", "ffmpeg", "avi"),
}

_TS_PACKET_BYTES = 188


def identify(file: BinaryIO) -> Container | None:
    """Tell what `file` is; None if it is no kind of recording that is known."""
    start = _after_id3(file)
    file.seek(start)
    head = file.read(2 * _TS_PACKET_BYTES + 1)
    if container := _BY_FORM.get((head[:4], head[8:12])):
        return container
    for offset, magic, container in _BY_MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return container
    if len(head) > 2 * _TS_PACKET_BYTES and set(head[::_TS_PACKET_BYTES]) == {0x47}:
        return Container("MPEG transport stream", "ffmpeg", "mpegts")
    if _is_adts(file, start):
        return Container("ADTS", "ffmpeg", "aac")
    if frame := first_frame(file, start):
        return Container("MPEG audio", "libsndfile", "mp3", frame)
    return None


def _after_id3(file: BinaryIO) -> int:
    """Where the file goes on after the ID3v2 tags at its beginning, in bytes."""
    position = 0
    while True:
        file.seek(position)
        header = file.read(10)
        if len(header) < 10 or header[:3] != b"ID3":
            return position
        size = 0
        for byte in header[6:]:
            size = size << 7 | byte & 0x7F
        position += 10 + size


def _is_adts(file: BinaryIO, position: int) -> bool:
    """Whether two AAC frames follow each other at `position` (ISO 13818-7, 6.2)."""
    for _ in range(2):
        file.seek(position)
        head = file.read(6)
        if len(head) < 6 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
            return False
        position += (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return True

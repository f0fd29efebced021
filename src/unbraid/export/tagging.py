"""Tags that libsndfile does not write, put into finished files.

The sound stays as it is: WAV gets a chunk with an ID3 tag, which DJ programs and players read; FLAC
and Ogg are copied by ffmpeg, packet by packet.
"""

import base64
import os
import struct
from pathlib import Path

from unbraid.audio import Tags
from unbraid.audio.ffmpeg import find_program
from unbraid.audio.process import BoundedProcess
from unbraid.audio.tags import id3v2, texts_of
from unbraid.errors import MissingExtraError
from unbraid.export.broadcast import append_chunk
from unbraid.types import AudioFormat

_BY_FFMPEG = {"bpm": "BPM", "key": "INITIALKEY", "isrc": "ISRC", "album_artist": "album_artist"}
_SAID = {"bpm": "BPM", "key": "key", "isrc": "ISRC", "album_artist": "album artist"}
_DEMUXERS: dict[AudioFormat, str] = {"flac": "flac", "ogg": "ogg", "opus": "ogg"}
_PICTURE_DEMUXERS = {"image/jpeg": "jpeg_pipe", "image/png": "png_pipe"}
_FRONT_COVER = 3


def complete_tags(path: Path, format: AudioFormat, tags: Tags) -> str | None:
    """Add to a finished file what the encoder did not write of `tags`; MP3 has them all.

    Args:
        path: the file.
        format: of the file.
        tags: all of them.

    Returns:
        What is missing and why; None if nothing is.
    """
    if format == "wav":
        if tag := id3v2(tags):
            append_chunk(path, b"id3 ", tag)
        return None
    lacking = [said for name, said in _SAID.items() if name in texts_of(tags)]
    lacking += ["cover"] if tags.cover else []
    if format not in _DEMUXERS or not lacking:
        return None
    complaint: str | None
    try:
        complaint = _copied(path, format, tags)
    except MissingExtraError as error:
        complaint = str(error)
    return complaint and f"the files lack {', '.join(lacking)}: {complaint}"


def _copied(path: Path, format: AudioFormat, tags: Tags) -> str | None:
    """Copy the file with all tags in the place of its own; why that failed, and it is as it was."""
    program = find_program("ffmpeg", f"the whole of a {format} file's tags", "choose wav or mp3")
    scratch = path.with_name(f".{os.urandom(4).hex()}")
    copy, picture = scratch.with_suffix(path.suffix), scratch.with_suffix(".cover")
    place = "-metadata" if format == "flac" else "-metadata:s:a"  # in Ogg they are the stream's
    texts = {_BY_FFMPEG.get(name, name): text for name, text in texts_of(tags).items()}
    try:
        process = BoundedProcess(
            [
                *(program, "-v", "error", "-nostdin", "-y", "-protocol_whitelist", "file,pipe"),
                *("-f", _DEMUXERS[format], "-i", f"file:{path}"),
                *_cover(tags, format, picture),
                *("-map", "0:a", "-c", "copy", "-fflags", "+bitexact"),
                *(x for name, text in texts.items() for x in (place, f"{name}={text}")),
                *("-f", format, f"file:{copy}"),
            ]
        )
        complaint = process.finish()
        if not complaint:
            copy.replace(path)
        return complaint
    finally:
        for file in (copy, picture):
            file.unlink(missing_ok=True)


def _cover(tags: Tags, format: AudioFormat, file: Path) -> list[str]:
    """Arguments by which ffmpeg takes the cover from a file that is made for it."""
    if not tags.cover or not tags.cover_mime:
        return []
    if format == "flac":
        file.write_bytes(tags.cover)
        source = ["-f", _PICTURE_DEMUXERS[tags.cover_mime], "-i", f"file:{file}"]
        kind = ["-disposition:v", "attached_pic", "-metadata:s:v", "comment=Cover (front)"]
        return [*source, "-map", "1:v", *kind]
    block = _picture_block(tags.cover, tags.cover_mime).replace("=", "\\=")
    file.write_text(f";FFMETADATA1\nMETADATA_BLOCK_PICTURE={block}\n", "ascii", newline="\n")
    return ["-f", "ffmetadata", "-i", f"file:{file}", "-map_metadata:s:a", "1:g"]


def _picture_block(cover: bytes, mime: str) -> str:
    """A picture as Ogg has it: the block of a FLAC file (RFC 9639, section 8.8) in base64."""
    kind = mime.encode()
    unknown = bytes(4 + 16)  # no description; width, height, depth and colours
    sized = struct.pack(">2I", _FRONT_COVER, len(kind)) + kind + unknown
    return base64.b64encode(sized + struct.pack(">I", len(cover)) + cover).decode()

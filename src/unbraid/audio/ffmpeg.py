"""Decoding by the ffmpeg program: M4A, AAC, WebM and the sound of videos.

ffmpeg reads what strangers made, so it is a process of its own with one named demuxer and no
protocol but files: a play list in disguise cannot fetch anything.
"""

import re
import shutil
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from unbraid.audio.process import BoundedProcess
from unbraid.audio.sniff import Container, Decoder
from unbraid.errors import AudioError, MissingExtraError
from unbraid.types import Samples

_PADDING_SAMPLES = 2048
_STATES_LENGTH = {"mov", "avi", "wv", "ape"}
_AU_HEADER = struct.Struct(">4s5I")
_PROBED_BYTES = 1 << 16


class FfmpegSource:
    """A recording that ffmpeg decodes; see `decode.Source`."""

    decoder: Decoder = "ffmpeg"

    def __init__(self, path: Path, container: Container) -> None:
        """Start decoding `path`.

        Raises:
            MissingExtraError: ffmpeg is not installed.
            AudioError: there is no sound in the file that it can decode.
        """
        self._path = path
        stream = _probe(path, container)
        sink = ["-map", "0:a:0", "-vn", "-sn", "-dn", "-c:a", "pcm_f32be", "-f", "au", "pipe:1"]
        self._process = _start(
            "ffmpeg", "-nostdin", "-threads", "1", *_input(path, container), *sink
        )
        self.sample_rate, self.channels = self._read_header()
        self.container = container.name
        self.codec = stream["codec_long_name"].partition(" (")[0]
        self.complaint: str | None = None
        duration_s = stream.get("duration", "N/A")
        self.promised_length = (
            round(float(duration_s) * self.sample_rate)
            if duration_s != "N/A" and container.demuxer in _STATES_LENGTH
            else None
        )

    def _read_header(self) -> tuple[int, int]:
        """Sample rate and channels of what ffmpeg is going to give."""
        header = self._process.read(_AU_HEADER.size)
        if len(header) < _AU_HEADER.size:
            raise _undecodable(self._path, self._process.finish())
        _, offset, _, _, sample_rate, channels = _AU_HEADER.unpack(header)
        self._process.read(offset - _AU_HEADER.size)
        return sample_rate, channels

    def blocks(self, block_samples: int) -> Iterator[Samples]:
        """Decode to float32 [channel, time] of at most `block_samples` samples."""
        blocks = self._decoded(block_samples)
        if self.promised_length is None:
            return blocks
        return _without_padding(blocks, self.promised_length)

    def _decoded(self, block_samples: int) -> Iterator[Samples]:
        sample_bytes = 4 * self.channels
        while data := self._process.read(block_samples * sample_bytes):
            whole = data[: len(data) // sample_bytes * sample_bytes]
            interleaved = np.frombuffer(whole, ">f4").reshape(-1, self.channels)
            yield np.ascontiguousarray(interleaved.T, dtype=np.float32)
        self.complaint = _reason(self._path, self._process.finish())

    def close(self) -> None:
        """End the process."""
        self._process.kill()


def _without_padding(blocks: Iterable[Samples], length: int) -> Iterator[Samples]:
    """Drop what fills up the last packet beyond `length` samples.

    AAC and its kin code whole packets, and the container says where in the last one the music
    ends. ffmpeg heeds this at the beginning of a stream, older versions not at its end.
    """
    held: Samples | None = None
    decoded = 0
    for block in blocks:
        decoded += block.shape[1]
        joined = block if held is None else np.concatenate([held, block], axis=1)
        if joined.shape[1] > _PADDING_SAMPLES:
            yield joined[:, :-_PADDING_SAMPLES]
        held = joined[:, -_PADDING_SAMPLES:]
    if held is not None:
        padding = decoded - length
        yield held[:, :-padding] if 0 < padding < held.shape[1] else held


def find_program(program: str, need: str, otherwise: str) -> str:
    """The path of a program of FFmpeg's.

    Args:
        program: its name.
        need: what needs it, for the user to read.
        otherwise: what the user can do without it.

    Raises:
        MissingExtraError: it is not installed.
    """
    found = shutil.which(program)
    if not found:
        raise MissingExtraError(
            f"{need} needs the program {program}, which is not installed: install FFmpeg "
            f"(apt install ffmpeg, brew install ffmpeg or winget install ffmpeg), or {otherwise}"
        )
    return found


def _start(program: str, *arguments: str) -> BoundedProcess:
    found = find_program(program, "this kind of recording", "convert the recording to WAV or FLAC")
    return BoundedProcess([found, *arguments])


def _input(path: Path, container: Container) -> list[str]:
    """Arguments by which a program of FFmpeg's reads `path` as what it is and nothing else."""
    return [
        *("-v", "error", "-protocol_whitelist", "file,pipe"),
        *("-format_whitelist", container.demuxer, "-f", container.demuxer),
        *("-i", f"file:{path}"),
    ]


def _probe(path: Path, container: Container) -> dict[str, str]:
    """Codec and, where the container states it, duration of the first sound stream."""
    fields = ["-select_streams", "a:0", "-show_entries", "stream=codec_long_name,duration"]
    process = _start("ffprobe", *_input(path, container), *fields, "-of", "default=nw=1")
    answer = process.read(_PROBED_BYTES).decode(errors="replace")
    complaint = process.finish()
    stream = dict(line.split("=", 1) for line in answer.splitlines() if "=" in line)
    if "codec_long_name" not in stream:
        raise _undecodable(path, complaint or f"this {container.name} file holds no sound")
    return stream


def _undecodable(path: Path, complaint: str | None) -> AudioError:
    return AudioError(
        f"{path.name!r} cannot be decoded ({_reason(path, complaint) or 'ffmpeg gave nothing'}): "
        "check that it plays elsewhere, or convert it to WAV or FLAC"
    )


def _reason(path: Path, complaint: str | None) -> str | None:
    """FFmpeg's complaint without the names of file and demuxer before it."""
    return complaint and re.sub(r"^\[[^\]]*\] ", "", complaint).replace(f"file:{path}: ", "")

"""Encoding by the ffmpeg program: several stereo streams of AAC in one M4A file, and small MP3."""

import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

from unbraid.audio.ffmpeg import find_program
from unbraid.audio.process import BoundedProcess
from unbraid.audio.tags import Tags, texts_of
from unbraid.errors import ResourceError
from unbraid.types import Samples

M4A_QUALITY = "3"
"""About 250 kbit/s for music in stereo. Asked for a bit rate, ffmpeg's encoder is slow on sparse
stems, which it tries to fill, and worse on dense ones."""

MP3_QUALITY = "5"
MP3_EFFORT = "7"
"""As `formats.small_mp3` has it, about 100 kbit/s; more effort sounds no better on a page."""

_ANSWER_BYTES = 1 << 12


class FfmpegWriter:
    """A file that ffmpeg makes, as a context manager; one left by an exception stays incomplete.

    Args:
        path: the file to make, whatever its name ends in.
        sample_rate: samples per second of what will be written.
        channels: how many.
        program: ffmpeg's path.
        arguments: what it makes of them.
    """

    def __init__(
        self, path: Path, sample_rate: int, channels: int, program: str, arguments: Sequence[str]
    ) -> None:
        self._name = path.name
        source = ["-f", "f32le", "-ar", str(sample_rate), "-ac", str(channels), "-i", "pipe:"]
        self._process = BoundedProcess(
            [
                *(program, "-v", "error", "-nostdin", "-y", "-threads", "1"),
                *("-protocol_whitelist", "file,pipe", *source, *arguments, f"file:{path}"),
            ],
            fed=True,
        )

    def write(self, samples: Samples) -> None:
        """Append samples.

        Args:
            samples: float32 [channel, time].

        Raises:
            ResourceError: ffmpeg has given up.
        """
        if not self._process.write(samples.T.astype("<f4", order="C").data.cast("B")):
            self.close()

    def close(self) -> None:
        """Finish the file.

        Raises:
            ResourceError: ffmpeg could not.
        """
        if complaint := self._process.finish():
            raise ResourceError(
                f"ffmpeg could not write {self._name!r} ({complaint}): free some space or choose "
                "another folder, and see that this ffmpeg has its encoders"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:
            self._process.kill()


def m4a_writer(path: Path, sample_rate: int, names: Sequence[str], tags: Tags) -> FfmpegWriter:
    """Begin an M4A file of stereo streams.

    Players play the first stream; the others are disabled. All of them begin with the first sample
    that is written, for the file says how long the encoder's delay is.

    Args:
        path: the file to make.
        sample_rate: samples per second.
        names: of the streams; two channels of what will be written belong to each.
        tags: of the song; those that ffmpeg has no name for, and the cover, are left out.

    Raises:
        MissingExtraError: ffmpeg is not installed.
    """
    program = find_program("ffmpeg", "M4A", "choose another format")
    texts = texts_of(tags)
    if tags.bpm is not None:
        texts["tmpo"] = f"{tags.bpm:.0f}"  # the format has whole numbers only
    # One process encodes all streams from one pipe of as many pairs of channels.
    pairs = [f"[0:a]pan=stereo|c0=c{2 * k}|c1=c{2 * k + 1}[s{k}]" for k in range(len(names))]
    maps = [argument for k in range(len(names)) for argument in ("-map", f"[s{k}]")]
    titles = [
        argument
        for k, name in enumerate(names)
        for argument in (f"-metadata:s:a:{k}", f"handler_name={name}")
    ]
    arguments = [
        *("-filter_complex", ";".join(pairs), *maps),
        *("-c:a", "aac", "-aac_coder", "fast", "-q:a", M4A_QUALITY),
        *("-disposition:a", "0", "-disposition:a:0", "default", *titles),
        *(x for name, text in texts.items() for x in ("-metadata", f"{name}={text}")),
        *("-f", "ipod"),
    ]
    return FfmpegWriter(path, sample_rate, 2 * len(names), program, arguments)


def mp3_writer(
    path: Path, sample_rate: int, channels: int, rate: int, kbit_per_s: int | None
) -> FfmpegWriter | None:
    """Begin an MP3 file; None where there is no ffmpeg, or one without LAME.

    The libsndfile that Python's soundfile brings takes four times as long.

    Args:
        path: the file to make.
        sample_rate: samples per second of what will be written.
        channels: one or two.
        rate: samples per second in the file.
        kbit_per_s: one bit rate throughout; None for about 100, as the music needs it.
    """
    program = shutil.which("ffmpeg")
    if not program or not _has_encoder(program, "libmp3lame"):
        return None
    bits = ("-b:a", f"{kbit_per_s}k") if kbit_per_s else ("-q:a", MP3_QUALITY)
    effort = ("-compression_level", MP3_EFFORT, "-id3v2_version", "0")
    arguments = ["-ar", str(rate), "-c:a", "libmp3lame", *bits, *effort, "-f", "mp3"]
    return FfmpegWriter(path, sample_rate, channels, program, arguments)


@cache
def _has_encoder(program: str, name: str) -> bool:
    process = BoundedProcess([program, "-v", "error", "-h", f"encoder={name}"])
    answer = process.read(_ANSWER_BYTES)
    process.finish()
    return answer.startswith(f"Encoder {name}".encode())

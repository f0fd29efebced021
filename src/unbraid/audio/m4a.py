"""Encoding by the ffmpeg program: several stereo streams of AAC in one M4A file."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from unbraid.audio.ffmpeg import find_program
from unbraid.audio.process import BoundedProcess
from unbraid.audio.tags import Tags, texts_of
from unbraid.errors import ResourceError
from unbraid.types import Samples

QUALITY = "3"
"""About 250 kbit/s for music in stereo. Asked for a bit rate, ffmpeg's encoder is slow on sparse
stems, which it tries to fill, and worse on dense ones."""


class M4aWriter:
    """An M4A file in the making, as a context manager; one left by an exception stays incomplete.

    Players play the first stream; the others are disabled. All of them begin with the first sample
    that is written, for the file says how long the encoder's delay is.

    Args:
        path: the file to make, whatever its name ends in.
        sample_rate: samples per second.
        names: of the streams.
        tags: of the song; those that ffmpeg has no name for, and the cover, are left out.

    Raises:
        MissingExtraError: ffmpeg is not installed.
    """

    def __init__(self, path: Path, sample_rate: int, names: Sequence[str], tags: Tags) -> None:
        self._name = path.name
        self._streams = len(names)
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
        source = ["-f", "f32le", "-ar", str(sample_rate), "-ac", str(2 * len(names)), "-i", "pipe:"]
        self._process = BoundedProcess(
            [
                *(program, "-v", "error", "-nostdin", "-y", "-threads", "1"),
                *("-protocol_whitelist", "file,pipe", *source),
                *("-filter_complex", ";".join(pairs), *maps),
                *("-c:a", "aac", "-aac_coder", "fast", "-q:a", QUALITY),
                *("-disposition:a", "0", "-disposition:a:0", "default", *titles),
                *(x for name, text in texts.items() for x in ("-metadata", f"{name}={text}")),
                *("-f", "ipod", f"file:{path}"),
            ],
            fed=True,
        )

    def write(self, samples: Samples) -> None:
        """Append samples.

        Args:
            samples: float32 [stream, 2, time].

        Raises:
            ResourceError: ffmpeg has given up.
        """
        interleaved = samples.reshape(2 * self._streams, -1).T.astype("<f4", order="C")
        if not self._process.write(interleaved.data.cast("B")):
            self.close()

    def close(self) -> None:
        """Finish the file.

        Raises:
            ResourceError: ffmpeg could not.
        """
        if complaint := self._process.finish():
            raise ResourceError(
                f"ffmpeg could not write {self._name!r} ({complaint}): free some space or choose "
                "another folder, and see that this ffmpeg has its AAC encoder"
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

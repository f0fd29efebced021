"""Decoding by libsndfile: WAV, FLAC, MP3, Ogg Vorbis, Opus, AIFF."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from unbraid.audio.mpeg import MpegStream
from unbraid.audio.ogg import is_cut_short
from unbraid.audio.sniff import Container, Decoder
from unbraid.types import Samples

_STEP_SAMPLES = 4096
_MPEG_STEP_SAMPLES = 1152
_UNKNOWN_LENGTH = 1 << 48
_UNKNOWN_BYTES = 0xFFFF_FF00
VORBIS_CHANNELS: dict[int, list[int]] = {
    3: [0, 2, 1],
    5: [0, 2, 1, 3, 4],
    6: [0, 2, 1, 5, 3, 4],
    7: [0, 2, 1, 6, 5, 3, 4],
    8: [0, 2, 1, 7, 5, 6, 3, 4],
}
"""Where WAV's channels are in Vorbis and Opus, which put C before R and LFE last."""

_CUT_SHORT = re.compile(
    r"^ *(?:data|SSND|Data Size|riff|Riff size) *: (\d+) \(should be (\d+)\)", re.MULTILINE
)


def explain(error: soundfile.LibsndfileError) -> str:
    """The reason libsndfile gives, without the signs around it."""
    reason: str = error.error_string
    return reason.removeprefix("Error : ").rstrip(".")


def _file_name(path: Path) -> str | bytes:
    """The name as soundfile takes it even if it is no text, as names on Unix may be."""
    return str(path) if sys.platform == "win32" else os.fsencode(path)


class ForwardSoundFile(soundfile.SoundFile):  # type: ignore[misc]  # soundfile is untyped
    """A sound file used from beginning to end: soundfile would else seek after every block."""

    def seekable(self) -> bool:
        """Whether to seek: no."""
        return False


class SndfileSource:
    """A recording that libsndfile decodes; see `decode.Source`."""

    decoder: Decoder = "libsndfile"

    def __init__(self, path: Path, container: Container) -> None:
        """Open `path`.

        Raises:
            soundfile.LibsndfileError: libsndfile cannot read it.
        """
        self._stream = MpegStream(path, container.start) if container.start else None
        try:
            self._sound = ForwardSoundFile(self._stream or _file_name(path))
        except soundfile.LibsndfileError:
            if self._stream:
                self._stream.close()
            raise
        self.container = container.name
        self.sample_rate: int = self._sound.samplerate
        self.channels: int = self._sound.channels
        self.codec: str = self._sound.subtype_info
        self.complaint: str | None = None
        self._step_samples = _MPEG_STEP_SAMPLES if self._stream else _STEP_SAMPLES
        in_vorbis_order = self._sound.format == "OGG" and self.channels in VORBIS_CHANNELS
        self._order = VORBIS_CHANNELS[self.channels] if in_vorbis_order else slice(None)
        self._decoded = 0
        self._cut_short = self._sound.format == "OGG" and is_cut_short(path)

    @property
    def promised_length(self) -> int | None:
        """Samples by the header, which libsndfile has silently shortened to what the file holds."""
        frames: int = self._sound.frames
        if frames > _UNKNOWN_LENGTH or (self._stream and not self._stream.indexed):
            return None
        cut = _CUT_SHORT.search(self._sound.extra_info)
        promised, present = (int(size) for size in cut.groups()) if cut else (1, 1)
        return frames * promised // present if 0 < present < promised < _UNKNOWN_BYTES else frames

    def blocks(self, block_samples: int) -> Iterator[Samples]:
        """Decode to float32 [channel, time] of at most `block_samples` samples."""
        while (block := self._block(block_samples)).size:
            yield block
        if self._cut_short and not self.complaint:
            self.complaint = "the file has no last page, it was probably cut short"

    def _block(self, block_samples: int) -> Samples:
        steps = []
        for start in range(0, block_samples, self._step_samples):
            steps.append(self._step(min(self._step_samples, block_samples - start)))
            if not steps[-1].size:
                break
        return np.ascontiguousarray(np.concatenate(steps).T[self._order])

    def _step(self, samples: int) -> Samples:
        """The next samples, float32 [time, channel]; nothing after the end or a fault.

        libsndfile gives nothing of a step in which it fails, so steps are small and never reach
        beyond the end, where other data may follow.
        """
        step: Samples = np.zeros((0, self.channels), np.float32)
        samples = min(samples, self._sound.frames - self._decoded)
        if samples and not self.complaint:
            try:
                step = self._sound.read(samples, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                self.complaint = explain(error)
        self._decoded += len(step)
        return step

    def close(self) -> None:
        """Close the file."""
        self._sound.close()
        if self._stream:
            self._stream.close()

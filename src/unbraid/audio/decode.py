"""Decoding of recordings, block by block, whatever their format, rate and length."""

import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import soundfile

from unbraid.audio.apart import ApartSource
from unbraid.audio.ffmpeg import FfmpegSource
from unbraid.audio.resample import Resampler, resample_blocks
from unbraid.audio.sndfile import SndfileSource, explain
from unbraid.audio.sniff import Container, Decoder, identify
from unbraid.errors import AudioError, MissingExtraError
from unbraid.types import AudioSignal, Samples

BLOCK_SAMPLES = 65_536

_SAMPLE_RATES = range(1_000, 1_000_001)
_CHANNELS = range(1, 65)
_ROUNDING_S = 0.05


class Source(Protocol):
    """What a decoder makes of a file.

    Attributes:
        sample_rate: samples per second.
        channels: channels of every block.
        codec: how the samples are coded, for people.
        container: kind of file, for people.
        decoder: the program at work.
        complaint: what the decoder could not make sense of, known after the last block.
    """

    sample_rate: int
    channels: int
    codec: str
    container: str
    decoder: Decoder
    complaint: str | None

    @property
    def promised_length(self) -> int | None:
        """Samples per channel by the file's header, not to be trusted."""

    def blocks(self, block_samples: int) -> Iterator[Samples]:
        """Decode to float32 [channel, time] of at most `block_samples` samples."""

    def close(self) -> None:
        """Release the file."""


class AudioReader:
    """A recording, open for decoding from beginning to end, once.

        with open_audio("song.mp3") as reader:
            length = sum(block.shape[1] for block in reader.blocks())

    Attributes:
        sample_rate: samples per second.
        channels: channels of every block.
        codec: how the samples are coded, for people ("Vorbis", "Signed 24 bit PCM").
        container: kind of file, for people ("Ogg", "WAV").
        decoder: the program at work.
        promised_length: samples per channel by the file's header, not to be trusted; None where
            it states none.
        warnings: what was wrong with the recording, known after the last block.
        on_block: called with each block when it is decoded; to be set before, if at all.
    """

    def __init__(self, source: Source, name: str) -> None:
        self.sample_rate = source.sample_rate
        self.channels = source.channels
        self.codec = source.codec
        self.container = source.container
        self.decoder = source.decoder
        self.promised_length = source.promised_length
        self.warnings: tuple[str, ...] = ()
        self.on_block: Callable[[Samples], None] | None = None
        self._source = source
        self._name = name

    def blocks(self, block_samples: int = BLOCK_SAMPLES) -> Iterator[Samples]:
        """Decode.

        Args:
            block_samples: greatest length of a block, in samples.

        Yields:
            float32 [channel, time], full scale 1.0, though decoders may exceed it.

        Raises:
            AudioError: there are no samples, or some are not finite numbers.
        """
        decoded = 0
        for block in self._source.blocks(block_samples):
            if not np.isfinite(block).all():
                raise AudioError(
                    f"{self._name!r} holds samples that are no finite numbers, near "
                    f"{decoded / self.sample_rate:.1f} s: export it again"
                )
            decoded += block.shape[1]
            if self.on_block:
                self.on_block(block)
            yield block
        if not decoded:
            raise AudioError(
                f"{self._name!r} holds no samples "
                f"({self._source.complaint or 'its length is 0'}): copy or export it again"
            )
        self.warnings = tuple(self._shortcomings(decoded))

    def _shortcomings(self, decoded: int) -> Iterator[str]:
        if self._source.complaint:
            yield (
                f"{self.decoder} gave {decoded / self.sample_rate:.1f} s "
                f"and complained: {self._source.complaint}"
            )
        missing = (self.promised_length or 0) - decoded
        if missing > _ROUNDING_S * self.sample_rate:
            yield (
                f"the header promises {self.promised_length:,} samples, "
                f"{decoded:,} could be decoded"
            )

    def close(self) -> None:
        """Release the file."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def open_audio(path: str | Path, *, apart: bool = False) -> AudioReader:
    """Open a recording for decoding.

    Args:
        path: any file that libsndfile or, where it is installed, ffmpeg can decode.
        apart: decode in a process of its own, as ffmpeg always does, for a recording that may be
            made to do harm.

    Raises:
        AudioError: it is missing, unreadable or no recording.
        MissingExtraError: it needs ffmpeg, which is not installed.
    """
    path = Path(path)
    source = _open(path, _identify(path), apart)
    if source.sample_rate not in _SAMPLE_RATES or source.channels not in _CHANNELS:
        source.close()
        raise AudioError(
            f"{path.name!r} claims {source.channels} channels at {source.sample_rate} Hz: "
            "its header is probably damaged; export it again"
        )
    return AudioReader(source, path.name)


def load(path: str | Path, sample_rate: int | None = None) -> AudioSignal:
    """Decode a whole recording into memory.

    Args:
        path: see `open_audio`.
        sample_rate: samples per second to resample to; None keeps the recording's own.

    Raises:
        AudioError: it is missing, unreadable or no recording.
        MissingExtraError: it needs ffmpeg, which is not installed.
    """
    with open_audio(path) as reader:
        target_rate = sample_rate or reader.sample_rate
        resampler = Resampler(reader.sample_rate, target_rate, reader.channels)
        blocks = list(resample_blocks(reader.blocks(), resampler))
    return AudioSignal(np.concatenate(blocks, axis=1), target_rate)


def _identify(path: Path) -> Container:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            raise AudioError(f"{path.name!r} is {kind}: name an audio file")
        with path.open("rb") as file:
            container = identify(file)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise AudioError(
            f"{path.name!r} cannot be read ({reason}): check its name and permissions"
        ) from error
    if not status.st_size:
        raise AudioError(f"{path.name!r} is empty: copy or download it again")
    if not container:
        raise AudioError(
            f"{path.name!r} is not a recording of a known kind: "
            "give WAV, FLAC, MP3, Ogg, Opus, AIFF, M4A or a video"
        )
    return container


def _open(path: Path, container: Container, apart: bool) -> Source:
    """Open by libsndfile what is meant for it, by ffmpeg the rest and what libsndfile refuses."""
    if container.decoder == "ffmpeg":
        return FfmpegSource(path, container)
    try:
        if apart:
            return ApartSource(path, container, BLOCK_SAMPLES)
        return SndfileSource(path, container)
    except soundfile.LibsndfileError as error:
        try:
            return FfmpegSource(path, container)
        except (AudioError, MissingExtraError) as refusal:
            lacking = isinstance(refusal, MissingExtraError)
            raise AudioError(
                f"{path.name!r} begins like {container.name} but cannot be decoded "
                f"({explain(error)}): copy or export it again"
                + (", or install FFmpeg, which knows more codecs" if lacking else "")
            ) from error

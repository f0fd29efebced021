"""Encoding of stems, block by block: WAV, FLAC, MP3, Ogg Vorbis, Opus.

Whole-number formats are rounded here, to the nearest step of 1 / 2^(bits − 1): what was read from
such a file is written back as it was. Nothing is ever clipped; what does not fit is refused.
"""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
import soundfile

from unbraid.audio.formats import Encoding, encoding_of
from unbraid.audio.resample import Resampler
from unbraid.audio.sink import Sink
from unbraid.audio.sndfile import VORBIS_CHANNELS, explain
from unbraid.audio.tags import Tags, id3v2, texts_of
from unbraid.errors import InputError, ResourceError
from unbraid.types import AudioFormat, BitDepth, Samples

_STEP_SAMPLES = 16_384
_MOST_WAV_BYTES = (1 << 32) - (1 << 20)
_SAMPLE_BYTES: dict[BitDepth, int] = {"16": 2, "24": 3, "32f": 4}
_INTEGER_BITS = {"PCM_16": 16, "PCM_24": 24}
_LIBSNDFILE_TAGS = {
    **{name: name for name in ("title", "artist", "album", "date", "genre", "comment")},
    "track": "tracknumber",
}


class AudioWriter:
    """A sound file in the making; `open_writer` makes one.

    Attributes:
        sample_rate: samples per second in the file.
    """

    def __init__(
        self, path: Path, sample_rate: int, channels: int, encoding: Encoding, tags: Tags
    ) -> None:
        self.sample_rate = encoding.fitting_rate(sample_rate)
        self._name = path.name
        self._bits = _INTEGER_BITS.get(encoding.subtype)
        self._resampler = Resampler(sample_rate, self.sample_rate, channels)
        in_vorbis_order = encoding.container == "OGG" and channels in VORBIS_CHANNELS
        self._order = np.argsort(VORBIS_CHANNELS[channels]) if in_vorbis_order else slice(None)
        is_mp3 = encoding.container == "MP3"
        self._sink = Sink(path, id3v2(tags) if is_mp3 else b"")
        with self._sink.guard():
            self._sound = encoding.open(self._sink, self.sample_rate, channels)
            texts = {} if is_mp3 else texts_of(tags)
            for name, field in _LIBSNDFILE_TAGS.items():
                if name in texts:
                    setattr(self._sound, field, texts[name])

    def write(self, samples: Samples) -> None:
        """Append samples.

        Args:
            samples: float32 [channel, time], finite; within full scale if the format holds whole
                numbers, of which +1.0 becomes the largest.

        Raises:
            InputError: they are not.
            ResourceError: the disk is full.
        """
        peak = np.abs(samples).max(initial=0.0)
        if not np.isfinite(peak) or (self._bits and peak > 1.0):
            raise InputError(
                f"{self._name!r} cannot hold samples that peak at {peak:.6g}: "
                "scale them to full scale, or write 32-bit float WAV"
            )
        self._encode(self._resampler.push(samples))

    def _encode(self, samples: Samples) -> None:
        """Encode in steps: libvorbis keeps a whole one on its stack."""
        for start in range(0, samples.shape[1], _STEP_SAMPLES):
            step = samples[self._order, start : start + _STEP_SAMPLES].T
            with self._sink.guard():
                self._sound.write(_quantised(step, self._bits) if self._bits else step.copy("C"))

    def close(self) -> None:
        """Finish the file.

        Raises:
            ResourceError: the disk is full.
        """
        channels = self._resampler.channels
        try:
            self._encode(self._resampler.push(np.zeros((channels, 0), np.float32), last=True))
        finally:
            self._abandon()

    def _abandon(self) -> None:
        """Release the file as it is."""
        with self._sink.guard():
            self._sound.close()
            self._sink.close()

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
            with suppress(ResourceError):
                self._abandon()


def open_writer(
    path: str | Path,
    sample_rate: int,
    channels: int,
    format: AudioFormat = "wav",
    bit_depth: BitDepth = "24",
    tags: Tags | None = None,
    length: int | None = None,
) -> AudioWriter:
    """Begin a sound file, as a context manager; one left by an exception stays incomplete.

        with open_writer("bass.wav", 44_100, channels=2) as writer:
            writer.write(np.zeros((2, 44_100), np.float32))

    Args:
        path: the file to make, whatever its name ends in.
        sample_rate: samples per second of what will be written. Opus is resampled to 48 kHz, MP3
            to the next rate it knows if it does not know this one.
        channels: number of channels, in WAV's order.
        format: kind of file.
        bit_depth: of WAV and FLAC; the others have none.
        tags: put into the file; all of them only into MP3, into the others those texts that
            libsndfile writes, which few programs read in RF64.
        length: samples per channel to expect; WAV becomes RF64 where they do not fit into 4 GB.

    Raises:
        InputError: the format cannot hold this.
        ResourceError: the file cannot be made.
    """
    encoding = encoding_of(format, bit_depth)
    size = (length or 0) * channels * _SAMPLE_BYTES[bit_depth]
    if encoding.container == "WAV" and size > _MOST_WAV_BYTES:
        encoding = replace(encoding, container="RF64")
    elif encoding.container == "WAV" and channels > 2:
        encoding = replace(encoding, container="WAVEX")  # plain WAV is defined for two
    path = Path(path)
    try:
        encoding.try_out(sample_rate, channels)
    except (soundfile.LibsndfileError, ValueError) as error:
        reason = explain(error) if isinstance(error, soundfile.LibsndfileError) else error
        raise InputError(
            f"{path.name!r}: {format} cannot hold {channels} channels at {sample_rate} Hz "
            f"({reason}): choose wav"
        ) from error
    return AudioWriter(path, sample_rate, channels, encoding, tags or Tags())


def _quantised(samples: Samples, bits: int) -> npt.NDArray[np.int32]:
    """Round float32 samples to whole numbers of `bits` bits, at the upper end of int32.

    Both multiplications are by powers of two, and so exact.
    """
    full_scale = 1 << (bits - 1)
    steps = np.minimum(np.rint(samples * np.float32(full_scale)), full_scale - 1)
    return np.ascontiguousarray(steps.astype(np.int32) << (32 - bits))

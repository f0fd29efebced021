"""The formats that stems are written in, as libsndfile is asked for them."""

import io
from dataclasses import dataclass
from typing import Any

import soundfile

from unbraid.audio.sndfile import ForwardSoundFile
from unbraid.errors import InputError, MissingExtraError
from unbraid.types import AudioFormat, BitDepth

_SFC_SET_ADD_PEAK_CHUNK = 0x1050


@dataclass(frozen=True)
class Encoding:
    """One way to write a file.

    Attributes:
        container: libsndfile's name of the file format.
        subtype: libsndfile's name of the sample format.
        sample_rates: samples per second that the format knows; empty for any.
        compression_level: 0 is best quality for MP3, Vorbis and Opus, and fastest for FLAC.
        bitrate_mode: of MP3, "CONSTANT" or "VARIABLE"; None for libsndfile's choice.
    """

    container: str
    subtype: str
    sample_rates: tuple[int, ...] = ()
    compression_level: float | None = None
    bitrate_mode: str | None = None

    def fitting_rate(self, sample_rate: int) -> int:
        """The rate to write at: the same, or the next that the format knows."""
        if not self.sample_rates or sample_rate in self.sample_rates:
            return sample_rate
        higher = (rate for rate in self.sample_rates if rate > sample_rate)
        return next(higher, self.sample_rates[-1])

    def open(self, sink: Any, sample_rate: int, channels: int) -> ForwardSoundFile:
        """Begin a file in `sink`, an open file or the like.

        Raises:
            soundfile.LibsndfileError, ValueError: libsndfile cannot do this.
        """
        sound = ForwardSoundFile(
            sink,
            "w",
            sample_rate,
            channels,
            self.subtype,
            format=self.container,
            compression_level=self.compression_level,
            bitrate_mode=self.bitrate_mode,
        )
        _leave_time_out(sound)
        return sound

    def try_out(self, sample_rate: int, channels: int) -> None:
        """Begin a file in memory and let it go; raises what `open` raises."""
        self.open(io.BytesIO(), self.fitting_rate(sample_rate), channels).close()


_MP3_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
_LOSSY: dict[AudioFormat, Encoding] = {
    "mp3": Encoding("MP3", "MPEG_LAYER_III", _MP3_RATES, compression_level=0.0),
    "ogg": Encoding("OGG", "VORBIS", compression_level=0.2),
    "opus": Encoding("OGG", "OPUS", (48_000,), compression_level=0.5),
}
"""About 245 (variable bit rate V0), 224 and 256 kbit/s for music in stereo."""

_LOSSLESS: dict[tuple[AudioFormat, BitDepth], Encoding] = {
    ("wav", "16"): Encoding("WAV", "PCM_16"),
    ("wav", "24"): Encoding("WAV", "PCM_24"),
    ("wav", "32f"): Encoding("WAV", "FLOAT"),
    ("flac", "16"): Encoding("FLAC", "PCM_16", compression_level=0.5),
    ("flac", "24"): Encoding("FLAC", "PCM_24", compression_level=0.5),
}


def encoding_of(format: AudioFormat, bit_depth: BitDepth) -> Encoding:
    """How to write a format.

    Raises:
        InputError: there is no such format.
    """
    encoding = _LOSSY.get(format) or _LOSSLESS.get((format, bit_depth))
    if not encoding:
        depths = [depth for known, depth in _LOSSLESS if known == format]
        raise InputError(
            f"{format} cannot hold {bit_depth} samples: choose {' or '.join(depths)}"
            if depths
            else f"{format!r} is no format to write: choose wav, flac, mp3, ogg or opus"
        )
    return encoding


def small_mp3(kbit_per_s: int | None) -> Encoding:
    """MP3 for listening on a page, nothing above 16 kHz; below 40 kbit/s, nothing above 12 kHz.

    Args:
        kbit_per_s: one bit rate throughout; None for about 100, more or less as the music needs it,
            which is quicker.
    """
    rate, most, least = (24_000, 160, 8) if kbit_per_s and kbit_per_s < 40 else (32_000, 320, 32)
    if kbit_per_s is None:
        return Encoding("MP3", "MPEG_LAYER_III", (rate,), 0.5, "VARIABLE")
    level = (most - kbit_per_s) / (most - least)  # as libsndfile has them
    return Encoding("MP3", "MPEG_LAYER_III", (rate,), level, "CONSTANT")


def check_writable(format: AudioFormat, bit_depth: BitDepth) -> None:
    """Make sure, before any work, that a format can be written here.

    Args:
        format: kind of file.
        bit_depth: of WAV and FLAC; the others have none.

    Raises:
        InputError: there is no such format.
        MissingExtraError: this libsndfile was built without it.
    """
    encoding = encoding_of(format, bit_depth)
    try:
        encoding.try_out(44_100, channels=2)
    except (soundfile.LibsndfileError, ValueError) as error:
        raise MissingExtraError(
            f"the libsndfile of this system cannot write {format}: "
            "pip install --force-reinstall soundfile brings one that can, or choose wav"
        ) from error


def _leave_time_out(sound: ForwardSoundFile) -> None:
    """Write no PEAK chunk: it holds the time of writing, and the same stem should give one file.

    libsndfile has a command for this, soundfile no public way to give it.
    """
    soundfile._snd.sf_command(sound._file, _SFC_SET_ADD_PEAK_CHUNK, soundfile._ffi.NULL, 0)

"""Stems written as audio files that never clip and still sum to the mixture."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

from unbraid.audio import Tags, open_writer
from unbraid.errors import InputError
from unbraid.export.broadcast import add_broadcast_chunk
from unbraid.export.folder import ResultFolder
from unbraid.export.growing import GrowingStems
from unbraid.export.levels import Level, decibels, measure, minus, scaled, stretches, total
from unbraid.export.limiter import CEILING, limited
from unbraid.export.manifest import AudioRecord, StemRecord
from unbraid.export.tagging import complete_tags
from unbraid.separation.quality import SILENT_PEAK
from unbraid.types import AudioFormat, BitDepth, ProcessOptions, Read, StemName

RESIDUAL_DB = -60.0  # below this, relative to the mixture, a residual is not worth a file
FLOATING = ("wav", "32f")
OPUS_RATE = 48_000


@dataclass(frozen=True)
class Encoding:
    """How all stems of a song are written: in common, so that they still sum to the mixture.

    Attributes:
        format: of the files.
        bit_depth: of WAV and FLAC.
        gain: factor on all samples.
        limited: whether peaks are turned down.
        warning: what the user should know of it.
    """

    format: AudioFormat
    bit_depth: BitDepth
    gain: float = 1.0
    limited: bool = False
    warning: str | None = None

    @property
    def sample_format(self) -> str:
        """The type of a sample in the files."""
        if self.format not in ("wav", "flac"):
            return "lossy"
        return "32-bit float" if self.bit_depth == "32f" else f"{self.bit_depth}-bit"


@dataclass(frozen=True)
class WrittenStems:
    """What `write_stems` has done, for the manifest."""

    audio: AudioRecord
    stems: dict[StemName, StemRecord]
    warnings: tuple[str, ...]


def check_options(options: ProcessOptions) -> None:
    """Refuse combinations that cannot be written.

    Raises:
        InputError: says which option does not fit.
    """
    if options.bit_depth == "32f" and options.format != "wav":
        raise InputError(f"32-bit float fits only WAV, not {options.format}; use --format wav")
    if options.residual == "other" and options.stems is not None and not options.with_rest:
        raise InputError(
            "--residual other needs all stems of the model; leave out --stems, or use --with-rest"
        )


def choose_encoding(options: ProcessOptions, peak: float) -> Encoding:
    """How to write stems whose loudest sample is `peak`.

    Beyond full scale only floating point holds; formats without it get all stems lowered alike,
    unless their peaks are to be limited.
    """
    encoding = Encoding(options.format, options.bit_depth)
    if peak <= 1.0 or (options.clip == "float" and (options.format, options.bit_depth) == FLOATING):
        return encoding
    over = f"the stems reach {decibels(peak):+.1f} dBFS"
    if options.clip == "limit":
        return replace(
            encoding, limited=True, warning=f"{over}; their peaks were limited to 0 dBFS"
        )
    if options.clip == "float" and options.format == "wav":
        return replace(
            encoding, bit_depth="32f", warning=f"{over}: all are written as 32-bit float"
        )
    gain = CEILING / peak
    return replace(
        encoding, gain=gain, warning=f"{over}: all were lowered by {-(decibels(gain) or 0):.2f} dB"
    )


@dataclass(frozen=True)
class _Parts:
    """Stems with their levels, and what they leave of the mixture."""

    stems: dict[StemName, Read]
    mixture: Read
    length: int
    levels: dict[StemName, Level]
    residual: Read
    residual_level: Level

    @classmethod
    def measured(cls, stems: dict[StemName, Read], mixture: Read, length: int) -> Self:
        residual = minus(mixture, stems.values())
        levels = {name: measure(read, length) for name, read in stems.items()}
        return cls(stems, mixture, length, levels, residual, measure(residual, length))

    def with_residual_in(self, name: StemName) -> Self:
        """The same with the residual added to one stem."""
        stems = {**self.stems, name: total([self.stems[name], self.residual])}
        return self.measured(stems, self.mixture, self.length)

    def encoded(self, encoding: Encoding) -> Self:
        """The same as it goes into files."""
        if encoding.gain == 1.0 and not encoding.limited:
            return self
        stems = {name: scaled(read, encoding.gain) for name, read in self.stems.items()}
        if encoding.limited:
            stems = {name: limited(read, self.length) for name, read in stems.items()}
        return self.measured(stems, scaled(self.mixture, encoding.gain), self.length)

    @property
    def peak(self) -> float:
        return max(level.peak for level in [*self.levels.values(), self.residual_level])

    @property
    def residual_ratio(self) -> float:
        """RMS of the residual relative to the mixture's."""
        loudness = measure(self.mixture, self.length).rms
        return self.residual_level.rms / loudness if loudness > 0 else 0.0


def write_stems(
    folder: ResultFolder,
    stems: GrowingStems,
    mixture: Read,
    options: ProcessOptions,
    *,
    file_name: Callable[[StemName], str],
    tags: Tags,
    sample_rate: int,
    complete: bool,
    on_progress: Callable[[int], None],
) -> WrittenStems:
    """Write the stems of a song, and what they leave of it.

    Args:
        folder: of the song.
        stems: all samples of all stems.
        mixture: the song.
        options: format, depth, clipping and residual.
        file_name: gives the name of a stem's file, without folder and extension.
        tags: written into formats that take them.
        sample_rate: samples per second.
        complete: whether the stems are meant to sum to the mixture.
        on_progress: gets the samples written so far, over all stems.
    """
    parts = _Parts.measured(
        {name: partial(stems.read, name) for name in stems.names}, mixture, stems.written
    )
    if complete and options.residual == "other" and "other" in parts.stems:
        parts = parts.with_residual_in("other")
    encoding = choose_encoding(options, parts.peak)
    parts = parts.encoded(encoding)

    files = {
        name: folder.path / "stems" / f"{file_name(name)}.{encoding.format}" for name in parts.stems
    }
    tracks = {files[name]: read for name, read in parts.stems.items()}
    ratio = parts.residual_ratio if complete else 0.0
    residual_file = None
    if options.residual == "file" and ratio > 10 ** (RESIDUAL_DB / 20):
        residual_file = folder.path / "extra" / f"residual.{encoding.format}"
        residual = parts.residual
        tracks[residual_file] = limited(residual, parts.length) if encoding.limited else residual
    written = 0
    lacking: str | None = None
    for file, read in tracks.items():
        with folder.writing(file) as path:
            with open_writer(
                path, sample_rate, 2, encoding.format, encoding.bit_depth, tags, length=parts.length
            ) as writer:
                for start, stop in stretches(parts.length):
                    writer.write(read(start, stop))
                    written += stop - start
                    on_progress(written)
            if encoding.format == "wav":
                add_broadcast_chunk(path, file.stem)  # all begin together
            lacking = complete_tags(path, encoding.format, tags) or lacking

    return WrittenStems(
        audio=AudioRecord(
            format=encoding.format,
            sample_format=encoding.sample_format,
            sample_rate=OPUS_RATE if encoding.format == "opus" else sample_rate,
            gain_db=decibels(encoding.gain) or 0.0,
            limited=encoding.limited,
            residual_db=decibels(ratio) if complete else None,
            residual=folder.relative(residual_file) if residual_file else None,
        ),
        stems={
            name: StemRecord(
                file=folder.relative(files[name]),
                peak_db=decibels(level.peak),
                rms_db=decibels(level.rms),
                silent=level.peak < SILENT_PEAK,
            )
            for name, level in parts.levels.items()
        },
        warnings=tuple(warning for warning in (encoding.warning, lacking) if warning),
    )

"""The manifest: what a result folder holds, of what it was made and how to make it again.

Its fields are described in docs/manifest.md.
"""

from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from unbraid.separation.runtime import Runtime
from unbraid.types import ProcessOptions

SCHEMA_VERSION: Literal[1] = 1

TempoSource = Literal["song", "given", "default"]

R = TypeVar("R", bound=BaseModel)


class Record(BaseModel):
    """Base of the manifest's parts: unknown fields are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class InputRecord(Record):
    """The recording that was taken apart."""

    file: str
    sha256: str
    container: str
    codec: str
    sample_rate: int
    channels: int
    downmix: str | None
    duration_s: float
    title: str | None
    artist: str | None
    album: str | None
    album_artist: str | None = None
    year: str | None = None
    track: int | None = None
    genre: str | None = None
    comment: str | None = None
    isrc: str | None = None


class UnavailableModel(Record):
    """A model that was asked for and could not be had."""

    name: str
    reason: str


class ModelRecord(Record):
    """The separation model, with the SHA-256 of the weights of each of its networks."""

    name: str
    weights: dict[str, str]
    licence: str
    fallback_from: UnavailableModel | None = None


class StemRecord(Record):
    """One written stem."""

    file: str
    peak_db: float | None
    rms_db: float | None
    silent: bool


class QualityRecord(Record):
    """How good the stems are, as far as that shows without the true ones: 0 to 1."""

    whole: float | None
    stems: dict[str, float | None]


class AudioRecord(Record):
    """How all stems are written."""

    format: str
    sample_format: str
    sample_rate: int
    gain_db: float
    limited: bool
    residual_db: float | None
    residual: str | None


class MidiRecord(Record):
    """The MIDI files; the notes of `corrected` stems were set right by hand."""

    tempo_bpm: float
    tempo_source: TempoSource
    files: dict[str, str]
    raw: dict[str, str] = {}
    quantised: bool = False
    notes: dict[str, int]
    corrected: tuple[str, ...] = ()


class PassRecord(Record):
    """One way of a network through the song."""

    stems: tuple[str, ...]
    weights: tuple[float, ...]
    segment_samples: int
    overlap_samples: int
    shift: int


class Reproduce(Record):
    """All that the bytes of the stems depend on."""

    input_sha256: str
    model: str
    weights: dict[str, str]
    stems: tuple[str, ...]
    with_rest: bool
    runtimes: dict[str, Runtime]
    threads: int
    passes: tuple[PassRecord, ...]
    seed: int | None
    versions: dict[str, str]


class Manifest(Record):
    """The content of manifest.json."""

    schema_version: Literal[1] = SCHEMA_VERSION
    unbraid_version: str
    created: str
    input: InputRecord
    model: ModelRecord
    options: ProcessOptions
    audio: AudioRecord
    stems: dict[str, StemRecord]
    quality: QualityRecord
    midi: MidiRecord | None
    analysis: str | None = None
    exports: dict[str, tuple[str, ...]] = {}
    warnings: tuple[str, ...]
    reproduce: Reproduce
    from_cache: bool = False
    seconds: dict[str, float]

    def files(self) -> tuple[str, ...]:
        """All files it names, relative to the result folder."""
        midi = (*self.midi.files.values(), *self.midi.raw.values()) if self.midi else ()
        single = (file for file in (self.audio.residual, self.analysis) if file)
        return (*(stem.file for stem in self.stems.values()), *single, *midi)


def read_manifest(file: Path) -> Manifest | None:
    """The manifest in `file`; None if there is none that this version understands."""
    return read_record(Manifest, file)


def read_reproduce(file: Path) -> Reproduce | None:
    """The reproduce block in `file`; None if there is none that this version understands."""
    return read_record(Reproduce, file)


def read_record(kind: type[R], file: Path) -> R | None:
    """The record in `file`; None if there is none that this version understands."""
    try:
        return kind.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None

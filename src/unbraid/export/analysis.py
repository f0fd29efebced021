"""analysis.json: what the music of a song is.

Its fields are described in docs/analysis.md.
"""

import json
from pathlib import Path
from typing import Literal

from unbraid.analysis.activity import Span
from unbraid.export.manifest import QualityRecord, Record, read_record
from unbraid.spelling import Mode
from unbraid.types import Drum, Metre

SCHEMA_VERSION: Literal[1] = 1


class TempoPoint(Record):
    """How fast the beats are at a moment."""

    time: float
    bpm: float


class TempoRecord(Record):
    """How fast the beats are."""

    steady: bool
    rubato: bool
    confidence: float
    curve: tuple[TempoPoint, ...]


class KeyName(Record):
    """What the key may be as well."""

    tonic: str
    mode: Mode
    confidence: float


class KeySpan(Record):
    """A key and the seconds in which it rules."""

    start: float
    end: float
    tonic: str
    mode: Mode


class KeyRecord(Record):
    """The key."""

    tonic: str
    mode: Mode
    confidence: float
    camelot: str
    relative: str
    parallel: str
    alternatives: tuple[KeyName, ...]
    segments: tuple[KeySpan, ...]


class ChordRecord(Record):
    """A chord in Harte's notation and the seconds in which it rules."""

    start: float
    end: float
    label: str


class SectionRecord(Record):
    """A part of the song and its seconds; what comes again has the label that it had."""

    start: float
    end: float
    label: str


class StrokeRecord(Record):
    """A stroke on the drums."""

    time: float
    drum: Drum
    key: int
    velocity: int


class LoudnessRecord(Record):
    """How loud the song is."""

    integrated_lufs: float | None


class StemAnalysis(Record):
    """How loud a stem is, and when it sounds, in seconds."""

    peak_db: float | None
    rms_db: float | None
    sounding: tuple[Span, ...]


class SoundRecord(Record):
    """Something to be heard, in how much of the song, and, by a network, how likely."""

    label: str
    share: float
    score: float | None = None


class AnalysisRecord(Record):
    """The content of analysis.json."""

    schema_version: Literal[1] = SCHEMA_VERSION
    duration_s: float
    bpm: int | float | None
    tempo: TempoRecord
    beats: tuple[float, ...]
    downbeats: tuple[float, ...]
    metre: Metre | None
    key: KeyRecord | None
    tuning_cents: float
    chords: tuple[ChordRecord, ...]
    sections: tuple[SectionRecord, ...] = ()
    drums: tuple[StrokeRecord, ...] | None
    loudness: LoudnessRecord
    stems: dict[str, StemAnalysis]
    quality: QualityRecord
    sounds: tuple[SoundRecord, ...]


def dump_analysis(record: AnalysisRecord) -> str:
    """JSON with a line for each field, for the lists are long."""
    fields = record.model_dump(mode="json")
    dumped = (f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in fields.items())
    return "{\n" + ",\n".join(dumped) + "\n}\n"


def read_analysis(file: Path) -> AnalysisRecord | None:
    """The analysis in `file`; None if there is none that this version understands."""
    return read_record(AnalysisRecord, file)

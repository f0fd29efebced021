"""Results in memory, as the exports read them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.export.probing import reading

from unbraid.audio import Tags
from unbraid.demo import DemoSong
from unbraid.export.analysis import (
    AnalysisRecord,
    ChordRecord,
    KeyRecord,
    LoudnessRecord,
    StrokeRecord,
    TempoPoint,
    TempoRecord,
)
from unbraid.export.levels import total
from unbraid.export.manifest import (
    AudioRecord,
    InputRecord,
    Manifest,
    ModelRecord,
    QualityRecord,
    Reproduce,
    StemRecord,
)
from unbraid.export.song import Song
from unbraid.types import ProcessOptions, Samples, StemName

RATE = 44_100


def song_of(
    samples: Mapping[StemName, Samples],
    sample_rate: int = RATE,
    tags: Tags | None = None,
    **known: Any,
) -> Song:
    """A result of these stems; `known` are more fields of a song."""
    stems = {name: reading(each) for name, each in samples.items()}
    length = next(iter(samples.values())).shape[1]
    return Song(
        folder=Path("song"),
        manifest=manifest_of(tuple(samples), length / sample_rate, sample_rate),
        tags=tags or Tags(),
        stems=stems,
        mixture=total(stems.values()),
        length=length,
        sample_rate=sample_rate,
        **{"analysis": None, "notes": {}, **known},
    )


def analysis_of(demo: DemoSong, duration_s: float) -> AnalysisRecord:
    """The truth about the beginning of the demonstration song."""
    beats = tuple(beat for beat in demo.beats_s if beat < duration_s)
    chords = [chord for chord in demo.chords if chord.start_s < duration_s]
    return AnalysisRecord(
        duration_s=duration_s,
        bpm=demo.tempo_bpm,
        tempo=TempoRecord(
            steady=True,
            rubato=False,
            confidence=1,
            curve=tuple(TempoPoint(time=beat, bpm=demo.tempo_bpm) for beat in beats),
        ),
        beats=beats,
        downbeats=tuple(beat for beat in demo.downbeats_s if beat < duration_s),
        metre="4/4",
        key=KeyRecord(
            tonic="D",
            mode="major",
            confidence=1,
            camelot="10B",
            relative="B minor",
            parallel="D minor",
            alternatives=(),
            segments=(),
        ),
        tuning_cents=0,
        chords=tuple(
            ChordRecord(start=chord.start_s, end=chord.end_s, label=chord.label) for chord in chords
        ),
        drums=tuple(
            StrokeRecord(time=beat, drum="kick" if k % 2 == 0 else "snare", key=36, velocity=100)
            for k, beat in enumerate(beats)
        ),
        loudness=LoudnessRecord(integrated_lufs=-14),
        stems={},
        quality=QualityRecord(whole=None, stems={}),
        sounds=(),
    )


def manifest_of(names: tuple[StemName, ...], duration_s: float, sample_rate: int) -> Manifest:
    """What a manifest has to say."""
    return Manifest(
        unbraid_version="0",
        created="2026-01-01T00:00:00+00:00",
        input=InputRecord(
            file="song.wav",
            sha256="",
            container="WAV",
            codec="",
            sample_rate=sample_rate,
            channels=2,
            downmix=None,
            duration_s=duration_s,
            title=None,
            artist=None,
            album=None,
        ),
        model=ModelRecord(name="lite", weights={}, licence="MIT"),
        options=ProcessOptions(),
        audio=AudioRecord(
            format="wav",
            sample_format="PCM_24",
            sample_rate=sample_rate,
            gain_db=0,
            limited=False,
            residual_db=None,
            residual=None,
        ),
        stems={
            name: StemRecord(file=f"stems/{k}.wav", peak_db=-3, rms_db=-20.5, silent=False)
            for k, name in enumerate(names)
        },
        quality=QualityRecord(whole=0.7, stems=dict.fromkeys(names, 0.7)),
        midi=None,
        warnings=("a warning <b>",),
        reproduce=Reproduce(
            input_sha256="",
            model="lite",
            weights={},
            stems=names,
            with_rest=False,
            runtimes={},
            threads=1,
            passes=(),
            seed=None,
            versions={},
        ),
        seconds={},
    )

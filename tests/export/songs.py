"""Results in memory, as the exports read them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.export.probing import reading

from unbraid.audio import Tags
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

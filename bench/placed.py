"""A long result in the storage of a server, as a worker would leave it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from tests.service.serving import Served

from unbraid.demo import DemoSong, demo_song
from unbraid.export.midi import stem_tracks, write_midi
from unbraid.service.claims import Claims
from unbraid.service.db import Database
from unbraid.service.peaks import MIX, Outline, draw
from unbraid.service.storage import Storage, peaks_key, result_key
from unbraid.types import BeatGrid, StemName

STEMS: Mapping[StemName, StemName] = {  # and which of the demonstration's they sound like
    "vocals": "vocals",
    "drums": "drums",
    "bass": "bass",
    "guitar": "other",
    "piano": "other",
    "other": "vocals",
}


def place(server: Served, folder: Path, length_s: int) -> str:
    """Place a song of six stems: the demonstration, over and over.

    Args:
        server: one without workers.
        folder: for what is made on the way.
        length_s: of the song.

    Returns:
        The id of the job, which is done.
    """
    demo = demo_song()
    upload = server.client.post("/api/v1/uploads/demo").json()["id"]
    server.client.post("/api/v1/jobs", json={"upload_id": upload}).raise_for_status()
    database = Database(f"sqlite:///{server.data / 'unbraid.sqlite'}")
    storage = Storage(server.data / "objects")
    claims = Claims(database, lease_s=600, max_attempts=1)
    claim = claims.take("bench")
    assert claim
    sounds = {name: folder / f"{name}.wav" for name in STEMS}
    for name, file in sounds.items():
        _loop(demo.stems[STEMS[name]].samples, demo.mixture.sample_rate, length_s, file)
    mixture = folder / "mixture.wav"
    _loop(demo.mixture.samples, demo.mixture.sample_rate, length_s, mixture)
    files = [
        ("manifest.json", None, None, _dump(folder / "manifest.json", _manifest(length_s))),
        ("analysis.json", None, None, _dump(folder / "analysis.json", _music(demo, length_s))),
        *((f"stems/{name}.wav", "stem", name, file) for name, file in sounds.items()),
        *(
            (f"midi/{name}.mid", "midi", name, _midi(demo, name, length_s, folder))
            for name in STEMS
            if name != "drums"
        ),
    ]
    stored = [
        {
            "name": name,
            "key": result_key(claim.job_id, number),
            "size_bytes": storage.put(result_key(claim.job_id, number), file),
            "kind": kind,
            "of": of,
        }
        for number, (name, kind, of, file) in enumerate(files)
    ]
    outlines = {name: Outline.of(file) for name, file in {MIX: mixture, **sounds}.items()}
    peaks = draw(outlines, folder / "peaks")
    storage.put(peaks_key(claim.job_id), folder / "peaks")
    assert claims.finish(claim, stored, peaks)
    database.close()
    return claim.job_id


def _loop(samples: np.ndarray[Any, Any], rate: int, length_s: int, file: Path) -> None:
    left = length_s * rate
    with soundfile.SoundFile(file, "w", rate, 2, "PCM_16") as out:
        while left > 0:
            out.write(samples[:, :left].T)
            left -= samples.shape[1]


def _dump(file: Path, content: Mapping[str, Any]) -> Path:
    file.write_text(json.dumps(content))
    return file


def _manifest(length_s: int) -> dict[str, Any]:
    model = {"name": "htdemucs_6s", "licence": "MIT"}
    return {"input": {"duration_s": length_s}, "model": model, "warnings": []}


def _turns(demo: DemoSong, length_s: int) -> list[float]:
    """When the song begins again."""
    return [float(start) for start in np.arange(0, length_s, demo.mixture.duration_s)]


def _midi(demo: DemoSong, name: StemName, length_s: int, folder: Path) -> Path:
    notes = [
        replace(note, start_s=note.start_s + start, end_s=note.end_s + start)
        for start in _turns(demo, length_s)
        for note in demo.notes[STEMS[name]]
    ]
    file = folder / f"{name}.mid"
    write_midi(file, stem_tracks({name: notes}), BeatGrid.steady(demo.tempo_bpm, length_s))
    return file


def _music(demo: DemoSong, length_s: int) -> dict[str, Any]:
    turns = _turns(demo, length_s)
    beats = [beat + start for start in turns for beat in demo.beats_s]
    return {
        "duration_s": length_s,
        "bpm": demo.tempo_bpm,
        "tempo": {
            "steady": True,
            "rubato": False,
            "confidence": 1,
            "curve": [{"time": beat, "bpm": demo.tempo_bpm} for beat in beats],
        },
        "beats": beats,
        "downbeats": [bar + start for start in turns for bar in demo.downbeats_s],
        "metre": "4/4",
        "key": None,
        "chords": [
            {"start": chord.start_s + start, "end": chord.end_s + start, "label": chord.label}
            for start in turns
            for chord in demo.chords
        ],
        "sections": [
            {"start": start, "end": start + demo.mixture.duration_s, "label": "AB"[k % 2]}
            for k, start in enumerate(turns)
        ],
        "drums": [
            {"time": beat, "drum": ("kick", "snare")[k % 2], "key": 36, "velocity": 60 + k % 60}
            for k, beat in enumerate(beats)
        ],
        "loudness": {"integrated_lufs": -14},
        "stems": {name: {"peak_db": -3, "rms_db": -20} for name in STEMS},
        "quality": {"whole": 0.8, "stems": dict.fromkeys(STEMS, 0.8)},
    }

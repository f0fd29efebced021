"""The songs that a training hears: composed ones, some of whose stems are real recordings.

Recorded stems know nothing of the song. Where the voice of another song sounds over it, a network
learns what a voice is by its sound.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np

from train import recordings, synthesis
from train.synthesis.mixing import mix_part, mix_stem
from train.synthesis.score import STEMS, Plan
from unbraid.types import Samples, StemName

RECORDED = {"vocals": 0.7, "drums": 0.25, "bass": 0.15, "other": 0.25}
"""Share of the songs in which a stem that sounds is a recorded one, where there are some."""

Group = Literal["songs", "voices", "speech"]
VOICES: dict[Group, float] = {"songs": 0.4, "voices": 0.45, "speech": 0.15}
"""Share of the recorded voices that comes from each group, where it holds some."""


@dataclass(frozen=True)
class Song:
    """A song to train on.

    Attributes:
        stems: float32 [4, 2, time] at 44.1 kHz: vocals, drums, bass, other.
    """

    stems: Samples


def song(seed: int, length_s: float, material: Path | None = None) -> Song:
    """Compose a song and exchange some of its stems for recordings.

    Args:
        seed: the same one gives the same samples.
        length_s: in seconds.
        material: folder that `train.fetch_material` has filled; None for none.
    """
    composed = synthesis.song(seed, length_s, material)
    if material:
        rng = np.random.default_rng((seed, 1))
        for name, stem in zip(STEMS, composed.stems, strict=True):
            _exchange(name, stem, composed.score.plan, material, rng)
    return Song(composed.stems)


def _exchange(
    name: StemName, stem: Samples, plan: Plan, material: Path, rng: np.random.Generator
) -> None:
    """Put a recording, as loud as the stem is, in its place, or leave it."""
    recorded = rng.random() < RECORDED[name]
    group = _voices(material, rng) if name == "vocals" else "songs"
    folders = _productions(material, name) if group == "songs" else _singers(material, group)
    level = float(np.sqrt(np.mean(np.square(stem))))
    if not (recorded and folders and level):
        return
    files = folders[int(rng.integers(len(folders)))]
    track = recordings.track(files, stem.shape[1], rng)
    if group != "songs" and track.any():  # productions are mixed, others come as they were recorded
        part = mix_part(track.astype(np.float64), "lead", rng)
        track = mix_stem(part, "vocals", plan, rng).astype(np.float32)
    track_level = float(np.sqrt(np.mean(np.square(track))))
    if track_level:
        stem[:] = track * np.float32(level / track_level)


def _voices(material: Path, rng: np.random.Generator) -> Group:
    """A group that holds voices."""
    shares = {
        group: share
        for group, share in VOICES.items()
        if (_productions(material, "vocals") if group == "songs" else _singers(material, group))
    }
    chosen = rng.random() * sum(shares.values())
    for group, share in shares.items():
        chosen -= share
        if chosen <= 0:
            return group
    return "songs"


@lru_cache
def _singers(material: Path, group: Group) -> tuple[tuple[Path, ...], ...]:
    """Of each singer or speaker, the notes or phrases."""
    found = (recordings.recordings(folder) for folder in sorted((material / group).glob("*")))
    return tuple(files for files in found if files)


@lru_cache
def _productions(material: Path, name: StemName) -> tuple[tuple[Path, ...], ...]:
    """The recordings of a stem, each for itself."""
    folders = sorted((material / "songs").glob(f"*-{name}"))
    return tuple((file,) for folder in folders for file in recordings.recordings(folder))

"""The songs that a training hears: composed ones, some of whose stems are real recordings.

Recorded stems know nothing of the song. Where the voice of another song sounds over it, a network
learns what a voice is by its sound.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from train import recordings, synthesis
from train.synthesis.score import STEMS
from unbraid.types import Samples, StemName

RECORDED = {"vocals": 0.6, "drums": 0.25, "bass": 0.15, "other": 0.25}
"""Share of the songs in which a stem that sounds is a recorded one, where there are some."""
SINGERS = 0.25  # of recorded voices are single notes of singers, the others those of whole songs


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
    stems = synthesis.song(seed, length_s, material).stems
    if material:
        rng = np.random.default_rng((seed, 1))
        for name, stem in zip(STEMS, stems, strict=True):
            _exchange(name, stem, material, rng)
    return Song(stems)


def _exchange(name: StemName, stem: Samples, material: Path, rng: np.random.Generator) -> None:
    """Put a recording, as loud as the stem is, in its place, or leave it."""
    recorded, sung = rng.random() < RECORDED[name], rng.random() < SINGERS
    folders = _singers(material) if name == "vocals" and sung else _productions(material, name)
    level = float(np.sqrt(np.mean(np.square(stem))))
    if not (recorded and folders and level):
        return
    files = folders[int(rng.integers(len(folders)))]
    track = recordings.track(files, stem.shape[1], rng)
    track_level = float(np.sqrt(np.mean(np.square(track))))
    if track_level:
        stem[:] = track * np.float32(level / track_level)


@lru_cache
def _singers(material: Path) -> tuple[tuple[Path, ...], ...]:
    """Of each singer, the notes."""
    found = (recordings.recordings(folder) for folder in sorted((material / "voices").glob("*")))
    return tuple(files for files in found if files)


@lru_cache
def _productions(material: Path, name: StemName) -> tuple[tuple[Path, ...], ...]:
    """The recordings of a stem, each for itself."""
    folders = sorted((material / "songs").glob(f"*-{name}"))
    return tuple((file,) for folder in folders for file in recordings.recordings(folder))

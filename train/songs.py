"""The songs that a training hears: composed ones, some of whose stems are real recordings.

Recorded stems know nothing of the song. Where the voice of another song sounds over it, a network
learns what a voice is by its sound.

Of whole recordings without a voice nothing else is known. The separator that ships takes them
apart, and what it took for a voice is put back, so that a network learns from real music what is
none, and keeps of drums and bass what is known already.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from train import recordings, synthesis
from train.synthesis.score import STEMS
from unbraid.demo.room import RATE
from unbraid.separation import separate
from unbraid.types import AudioSignal, Samples, StemName

RECORDED = {"vocals": 0.6, "drums": 0.25, "bass": 0.15, "other": 0.25}
"""Share of the songs in which a stem that sounds is a recorded one, where there are some."""
INSTRUMENTAL = 0.4  # of the songs are accompanied by a recording, where there are some
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
        if rng.random() < INSTRUMENTAL and (files := _instrumentals(material)):
            _accompany(stems[1:], files[int(rng.integers(len(files)))], rng)
        for name, stem in zip(STEMS, stems, strict=True):
            _exchange(name, stem, material, rng)
    return Song(stems)


def _accompany(stems: Samples, file: Path, rng: np.random.Generator) -> None:
    """Put a recording without a voice, as loud as all stems together are, in their place.

    Args:
        stems: drums, bass, other.
        file: the recording.
        rng: chooses where it begins.
    """
    level = _level(stems.sum(0))
    mixture = recordings.excerpt(file, stems.shape[2], rng)
    if not (level and (mixture_level := _level(mixture))):
        return
    found = separate(AudioSignal(mixture, RATE), threads=1)
    for name, stem in zip(STEMS[1:], stems, strict=True):
        stem[:] = found[name].samples
    stems[-1] += found["vocals"].samples
    stems *= np.float32(level / mixture_level)


def _exchange(name: StemName, stem: Samples, material: Path, rng: np.random.Generator) -> None:
    """Put a recording, as loud as the stem is, in its place, or leave it."""
    recorded, sung = rng.random() < RECORDED[name], rng.random() < SINGERS
    folders = _singers(material) if name == "vocals" and sung else _productions(material, name)
    level = _level(stem)
    if not (recorded and folders and level):
        return
    files = folders[int(rng.integers(len(folders)))]
    track = recordings.track(files, stem.shape[1], rng)
    if track_level := _level(track):
        stem[:] = track * np.float32(level / track_level)


def _level(samples: Samples) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(samples))))


@lru_cache
def _instrumentals(material: Path) -> tuple[Path, ...]:
    """Whole recordings without a voice."""
    return recordings.recordings(material / "instrumentals")


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

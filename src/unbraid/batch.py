"""Many songs, one after another or side by side; a bad one does not stop the others."""

import glob
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Generic, TypeVar

from unbraid.errors import AudioError, Cancelled, UnbraidError
from unbraid.export.naming import safe_name
from unbraid.types import OnProgress, Progress

# Which files of a folder are taken for recordings.
UNCOMPRESSED = {".wav", ".wave", ".rf64", ".w64", ".aif", ".aiff", ".aifc", ".caf", ".au"}
COMPRESSED = {".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".m4b", ".aac", ".wma", ".mka"}
VIDEOS = {".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi"}
SUFFIXES = UNCOMPRESSED | COMPRESSED | VIDEOS

T = TypeVar("T")


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """What became of a song: a result or an error.

    Attributes:
        path: the recording.
        result: what was made of it.
        error: why nothing was.
    """

    path: Path
    result: T | None = None
    error: UnbraidError | None = None


def find_songs(inputs: Sequence[str]) -> list[Path]:
    """Expand folders (with all below them) and patterns into recordings, in order, each once.

    A path that names nothing is kept, so that it is reported with the other bad files.

    Raises:
        AudioError: a folder or pattern holds no recordings.
    """
    songs: list[Path] = []
    for text in inputs:
        path = Path(text)
        if path.is_dir() and path.suffix.lower() not in SUFFIXES:
            found = sorted(p for p in path.rglob("*") if _is_recording(p))
        elif glob.has_magic(text) and not path.exists():
            found = sorted(Path(p) for p in glob.glob(text, recursive=True))  # noqa: PTH207
        else:
            found = [path]
        if not found:
            raise AudioError(f"{text}: no recordings there; name a file, a folder or a pattern")
        songs += found
    return list(dict.fromkeys(songs))


def _is_recording(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()


def distinct_names(songs: Sequence[Path]) -> dict[Path, str]:
    """A file name for each song, without extension: its own, numbered where several have the same.

    >>> distinct_names([Path("a/x.wav"), Path("b/x.wav")])
    {PosixPath('a/x.wav'): 'x', PosixPath('b/x.wav'): 'x (2)'}
    """
    names: dict[Path, str] = {}
    for song in songs:
        name = safe_name(song.stem)
        numbered = (f"{name} ({number})" for number in count(2))
        names[song] = next(text for text in chain([name], numbered) if text not in names.values())
    return names


def run_all(
    songs: Sequence[Path],
    work: Callable[[Path, OnProgress], T],
    *,
    jobs: int,
    cancel: threading.Event,
    on_progress: Callable[[Path, Progress], None],
    resumable: bool = False,
) -> Iterator[Outcome[T]]:
    """Do the same work on each song, and yield each outcome as it comes.

    Args:
        songs: the recordings.
        work: gets a recording and where to report its progress.
        jobs: songs at work at once.
        cancel: stops all work at its next report once it is set.
        on_progress: gets the song and its progress, from the thread that works on it.
        resumable: whether the same work goes on where it was stopped.
    """
    cancelled = "cancelled; the same command goes on from here" if resumable else "cancelled"

    def attempt(song: Path) -> Outcome[T]:
        def report(progress: Progress) -> None:
            if cancel.is_set():
                raise Cancelled(cancelled)
            on_progress(song, progress)

        try:
            return Outcome(song, result=work(song, report))
        except UnbraidError as error:
            return Outcome(song, error=error)

    with ThreadPoolExecutor(jobs) as pool:
        for future in as_completed([pool.submit(attempt, song) for song in songs]):
            yield future.result()

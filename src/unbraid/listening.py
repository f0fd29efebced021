"""What is in a recording, without keeping its stems."""

import tempfile
from dataclasses import replace
from pathlib import Path

from unbraid.analysing import FILE
from unbraid.errors import ResourceError
from unbraid.export.analysis import AnalysisRecord, read_analysis
from unbraid.pipeline import process
from unbraid.separation.cache import FileCache
from unbraid.types import OnProgress, ProcessOptions
from unbraid.weights import ModelStore


def analyze(
    path: Path | str,
    options: ProcessOptions = ProcessOptions(),  # noqa: B008  it is frozen
    *,
    fallback: str | None = None,
    threads: int | None = None,
    store: ModelStore | None = None,
    cache: FileCache | None = None,
    on_progress: OnProgress | None = None,
) -> AnalysisRecord:
    """Find the tempo, beats, key, chords and drum strokes of a recording in its stems.

    Args:
        path: the recording.
        options: of these, how it is separated.
        fallback: see `process`, as all that follows.
        threads: threads of the networks.
        store: where models lie.
        cache: where results are kept.
        on_progress: called between units of work; may raise `Cancelled` to stop.

    Raises:
        UnbraidError: as `process` does.
    """
    with tempfile.TemporaryDirectory(prefix="unbraid-") as folder:
        result = process(
            path,
            folder,
            replace(options, midi=False, analysis=True),
            fallback=fallback,
            threads=threads,
            store=store,
            cache=cache,
            on_progress=on_progress,
        )
        found = read_analysis(result.folder / FILE)
    if found is None:
        raise ResourceError(f"{FILE} vanished from {folder} while it was read; run it again")
    return found

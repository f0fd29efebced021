"""The command line's `analyze`."""

from pathlib import Path
from typing import TYPE_CHECKING

from unbraid import terminal
from unbraid.cli.cache import LIMIT_GB, CacheDir, CacheLimit, NoCache, open_cache
from unbraid.cli.models import Mirror, ModelsDir, Offline
from unbraid.cli.options import Device, Fallback, Json, Model, Quiet, Songs, Tags, Threads
from unbraid.cli.running import Output, find, run, usage
from unbraid.types import OnProgress, ProcessOptions, SeparationOptions

if TYPE_CHECKING:
    from unbraid.export.analysis import AnalysisRecord


def analyze(
    songs: Songs,
    model: Model = None,
    device: Device = SeparationOptions.device,
    fallback: Fallback = None,
    tags: Tags = None,
    models_dir: ModelsDir = None,
    offline: Offline = False,
    mirror: Mirror = None,
    threads: Threads = None,
    no_cache: NoCache = False,
    cache_dir: CacheDir = None,
    cache_limit: CacheLimit = LIMIT_GB,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say what is in songs: tempo, beats, key, chords, drums, loudness."""
    from unbraid.listening import analyze
    from unbraid.weights import ModelStore

    options = ProcessOptions(
        model=model or ProcessOptions.model,
        separation=SeparationOptions(device=device),
        tags=tags,
    )
    with usage():
        store = ModelStore(models_dir, offline=offline, mirror=mirror)
    cache = None if no_cache else open_cache(cache_dir, cache_limit)

    def work(path: Path, report: OnProgress) -> "AnalysisRecord":
        return analyze(
            path,
            options,
            fallback=fallback,
            threads=threads,
            store=store,
            cache=cache,
            on_progress=report,
        )

    run(find(songs), work, terminal.show_analysis, 1, Output(as_json, quiet))

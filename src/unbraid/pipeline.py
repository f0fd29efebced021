"""The way of a song through all stages, from a file to a result folder."""

import contextlib
import datetime
import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from unbraid import __version__
from unbraid.audio import check_writable, describe_downmix, open_audio, read_tags
from unbraid.errors import ResourceError, resource_error
from unbraid.export.folder import ResultFolder, claim
from unbraid.export.manifest import (
    InputRecord,
    Manifest,
    ModelRecord,
    PassRecord,
    Reproduce,
    read_manifest,
    read_reproduce,
)
from unbraid.export.midi import check_tempo
from unbraid.export.naming import check_template, safe_name
from unbraid.export.reuse import Recipe, keep_result, kept_result
from unbraid.export.stems import check_options
from unbraid.inference import available_cores
from unbraid.separation import MixtureFile, Separator, choose_stems, load_separator
from unbraid.separation.cache import FileCache
from unbraid.separation.loading import architecture, fetch_weights
from unbraid.separation.machine import read_machine
from unbraid.separation.runtime import Runtime, check_device, choose_runtime
from unbraid.stages import (
    Job,
    StageClock,
    export_song,
    pitched_stems,
    separate_song,
    transcribe_song,
)
from unbraid.types import OnProgress, ProcessOptions, Stage
from unbraid.weights import ModelEntry, ModelStore, OnTransfer, Transfer

LIBRARIES = ("numpy", "scipy", "soxr", "soundfile", "onnxruntime")
ENGINE_LIBRARIES = {"demucs": ("torch", "demucs", "openvino"), "openunmix": ("torch",)}


@dataclass(frozen=True)
class Result:
    """A song taken apart.

    Attributes:
        folder: where its files are.
        manifest: what they are.
        skipped: whether an earlier run had finished it.
    """

    folder: Path
    manifest: Manifest
    skipped: bool = False


def process(
    path: Path | str,
    out: Path | str,
    options: ProcessOptions = ProcessOptions(),  # noqa: B008  it is frozen
    *,
    overwrite: bool = False,
    threads: int | None = None,
    store: ModelStore | None = None,
    cache: FileCache | None = None,
    on_progress: OnProgress | None = None,
) -> Result:
    """Take a recording apart into the folder `out`/<track>.

    A run that was interrupted goes on where it stopped; a finished one is not repeated.

    Args:
        path: the recording.
        out: folder of results, made if needed.
        options: what to make and how to write it.
        overwrite: begin anew instead, and take nothing from the cache.
        threads: threads of the networks; None for the cores this process may use. A run that goes
            on keeps the number it began with, for the last bits of the result depend on it.
        store: where models lie; None for the user's cache folder.
        cache: where results are kept and, for the same samples, options, model, threads and
            versions, copied from; None for nowhere.
        on_progress: called between units of work; may raise `Cancelled` to stop.

    Raises:
        InputError: options that do not fit together, or a stem that the model lacks.
        AudioError: the recording is missing or unreadable.
        ModelError: the model is unknown, cannot be pulled or is damaged.
        MissingExtraError: a program or package that this needs is not installed.
        ResourceError: not enough memory or disk, or `out` cannot be written.
    """
    path, out = Path(path), Path(out)
    check_options(options)
    check_template(options.name)
    check_writable(options.format, options.bit_depth)
    if options.midi_tempo is not None:
        check_tempo(options.midi_tempo)
    store = store or ModelStore()
    entry = store.find(options.model)
    choose_stems(entry, options.stems)
    check_device(options.separation.device, read_machine())
    clock = StageClock(on_progress)
    try:
        with open_audio(path) as reader:
            out.mkdir(parents=True, exist_ok=True)
            with clock.running("decode", None) as report:
                mixture = MixtureFile(reader, entry.sample_rate, out, report)
        with mixture, claim(out, safe_name(path.stem), mixture.sha256) as folder:
            if overwrite:
                folder.clear_partial()
            elif manifest := _finished(folder, entry, options):
                if read_reproduce(folder.state) == manifest.reproduce:
                    folder.discard_partial()  # left by a run that was killed at its very end
                return Result(folder.path, manifest, skipped=True)
            job = Job(path, options, reader, read_tags(path), mixture, folder, clock, store, entry)
            try:
                manifest = _make(job, threads or available_cores(), cache, overwrite)
            except (OSError, ResourceError):
                folder.discard_partial()  # gives back what little room there is
                raise
            return Result(folder.path, manifest)
    except MemoryError as error:
        raise ResourceError(
            "the memory does not suffice; close other programs, or use fewer --jobs"
        ) from error
    except OSError as error:
        raise resource_error(error) from error


def _finished(folder: ResultFolder, entry: ModelEntry, options: ProcessOptions) -> Manifest | None:
    """The manifest of an earlier run that made just this, if its files are still there."""
    manifest = read_manifest(folder.manifest)
    if manifest is None or manifest.options != options:
        return None
    known = {file.sha256 for member in entry.members for file in member.files if file.is_exact}
    if known and known.isdisjoint(manifest.model.weights.values()):
        return None  # the model was another one then
    return manifest if all((folder.path / file).is_file() for file in manifest.files()) else None


def _make(job: Job, threads: int, cache: FileCache | None, overwrite: bool) -> Manifest:
    """All after decoding: copied from the cache, or made and kept there."""
    local = fetch_weights(job.options.model, job.options.stems, job.store, _pulling(job))
    runtime = choose_runtime(job.options.separation, architecture(local), read_machine())
    recipe = _recipe(job, local.sha256, runtime, threads)
    kept = _copy_kept(job, recipe, cache) if cache and not overwrite else None
    manifest = kept or _take_apart(job, runtime, threads)
    with job.folder.writing(job.folder.manifest) as file:
        file.write_text(manifest.model_dump_json(indent=2) + "\n", "utf-8")
    if cache and not kept:
        made = manifest.reproduce
        recipe = _recipe(job, made.weights, made.runtime, made.threads)
        keep_result(cache, recipe, job.folder, manifest)
    job.folder.discard_partial()
    return manifest


def _copy_kept(job: Job, recipe: Recipe, cache: FileCache) -> Manifest | None:
    """The result of an earlier run copied into the folder, if the cache has it."""
    with kept_result(cache, recipe) as kept:
        if kept is None:
            return None
        job.clock.expect({"export": job.mixture.duration_s})
        with job.clock.running("export", job.mixture.duration_s) as report:
            kept.copy_to(job.folder)
            report(job.mixture.duration_s)
    return kept.manifest.model_copy(
        update={
            "created": _now(),
            "input": _input_record(job),
            "from_cache": True,
            "seconds": job.clock.seconds,
        }
    )


def _recipe(job: Job, weights: Mapping[str, str], runtime: Runtime, threads: int) -> Recipe:
    options = job.options
    return Recipe(
        unbraid_version=__version__,
        input_sha256=job.mixture.sha256,
        input_warnings=tuple(job.reader.warnings),
        tags=job.tags,
        track=job.path.stem if "{track}" in options.name else None,
        weights=dict(weights),
        options=options,
        runtime=replace(runtime, reasons=()),
        threads=threads,
        versions=_versions(job),
    )


def _take_apart(job: Job, runtime: Runtime, threads: int) -> Manifest:
    """The stages after decoding."""
    separator, reproduce = _begin(job, runtime, threads)
    job.clock.expect(_workload(job, separator))
    stems = separate_song(job, separator)
    entry, complete = separator.entry, separator.stems == separator.entry.stems
    del separator  # gives back the memory of its network before the notes need theirs
    job.folder.manifest.unlink(missing_ok=True)  # of other options, whose files are now replaced
    midi = transcribe_song(job, stems, reproduce.threads) if job.options.midi else None
    written = export_song(job, stems, complete)
    return Manifest(
        unbraid_version=__version__,
        created=_now(),
        input=_input_record(job),
        model=ModelRecord(name=entry.name, weights=reproduce.weights, licence=entry.licence),
        options=job.options,
        audio=written.audio,
        stems=written.stems,
        midi=midi,
        warnings=(*job.reader.warnings, *written.warnings),
        reproduce=reproduce,
        seconds=job.clock.seconds,
    )


def _workload(job: Job, separator: Separator) -> dict[Stage, float]:
    """Seconds of audio that each stage goes through."""
    duration_s = job.mixture.duration_s
    stems = len(separator.stems) + job.options.with_rest
    pitched = len(pitched_stems(separator.stems)) if job.options.midi else 0
    return {
        "separate": duration_s,
        "transcribe": duration_s * pitched,
        "export": duration_s * stems,
    }


def _begin(job: Job, runtime: Runtime, threads: int) -> tuple[Separator, Reproduce]:
    """Load the model as unfinished work used it; work made in another way is cleared away."""
    earlier = read_reproduce(job.folder.state)
    for count in (earlier.threads, threads) if earlier else (threads,):
        separator = _load(job, runtime, count)
        reproduce = _reproduce(job, separator)
        if reproduce == earlier:
            return separator, reproduce
    job.folder.clear_partial()
    with job.folder.writing(job.folder.state) as file:
        file.write_text(reproduce.model_dump_json(indent=2) + "\n", "utf-8")
    return separator, reproduce


def _load(job: Job, runtime: Runtime, threads: int) -> Separator:
    """The model, pulled if it is not here."""
    options = job.options
    return load_separator(
        options.model,
        options.stems,
        threads,
        options=options.separation,
        runtime=runtime,
        store=job.store,
        on_transfer=_pulling(job),
    )


def _pulling(job: Job) -> OnTransfer:
    """Reports how far a model's files have come."""

    def report(transfer: Transfer) -> None:
        job.clock.report_pull(transfer.done / transfer.total if transfer.total else None)

    return report


def _reproduce(job: Job, separator: Separator) -> Reproduce:
    return Reproduce(
        input_sha256=job.mixture.sha256,
        model=separator.entry.name,
        weights=dict(separator.weights),
        stems=separator.stems,
        with_rest=job.options.with_rest,
        runtime=separator.runtime,
        threads=separator.threads,
        passes=tuple(
            PassRecord(
                stems=each.network.stems,
                weights=each.weights,
                segment_samples=each.network.segment_samples,
                overlap_samples=each.network.overlap_samples,
                shift=each.shift,
            )
            for each in separator.passes
        ),
        seed=job.options.separation.seed,
        versions=_versions(job),
    )


def _versions(job: Job) -> dict[str, str]:
    """Of the libraries that the last bits of a result depend on, as far as they are installed."""
    versions = {}
    for name in LIBRARIES + ENGINE_LIBRARIES.get(job.entry.engine, ()):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _input_record(job: Job) -> InputRecord:
    reader = job.reader
    return InputRecord(
        file=job.path.name,
        sha256=job.mixture.sha256,
        container=reader.container,
        codec=reader.codec,
        sample_rate=reader.sample_rate,
        channels=reader.channels,
        downmix=describe_downmix(reader.channels),
        duration_s=job.mixture.duration_s,
        title=job.tags.title,
        artist=job.tags.artist,
        album=job.tags.album,
    )

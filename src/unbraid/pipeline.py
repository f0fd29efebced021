"""The way of a song through all stages, from a file to a result folder."""

import contextlib
import datetime
import importlib.metadata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from unbraid import __version__
from unbraid.analysing import Analysis, analyse_song, write_analysis
from unbraid.analysis.tags import check_tagger
from unbraid.audio import AudioReader, Tags, check_writable, describe_downmix, open_audio, read_tags
from unbraid.errors import MissingExtraError, ModelError, ResourceError, resource_error
from unbraid.export.folder import ResultFolder, claim
from unbraid.export.growing import GrowingStems
from unbraid.export.manifest import (
    InputRecord,
    Manifest,
    ModelRecord,
    PassRecord,
    QualityRecord,
    Reproduce,
    UnavailableModel,
    read_manifest,
    read_reproduce,
)
from unbraid.export.naming import check_template, safe_name
from unbraid.export.reuse import Recipe, keep_result, kept_result
from unbraid.export.stems import check_options
from unbraid.export.tempo_map import check_tempo
from unbraid.inference import available_cores
from unbraid.separation import LoadedModel, MixtureFile, ModelChoice, choose_models
from unbraid.separation.cache import FileCache
from unbraid.separation.loading import digests, fetch_models, load_models, way_of
from unbraid.separation.machine import read_machine
from unbraid.separation.quality import judged_s
from unbraid.separation.runtime import Runtime, check_device
from unbraid.separation.way import Way
from unbraid.stages import (
    Job,
    StageClock,
    export_song,
    judge_song,
    separate_song,
)
from unbraid.transcribing import (
    material_of,
    midi_warnings,
    transcribe_song,
    transcribed_stems,
    write_song,
)
from unbraid.types import OnProgress, ProcessOptions, Stage
from unbraid.weights import ModelStore, OnTransfer, Transfer

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
    fallback: str | None = None,
    overwrite: bool = False,
    threads: int | None = None,
    store: ModelStore | None = None,
    cache: FileCache | None = None,
    open_recording: Callable[[Path], AudioReader] = open_audio,
    on_progress: OnProgress | None = None,
) -> Result:
    """Take a recording apart into the folder `out`/<track>.

    A run that was interrupted goes on where it stopped; a finished one is not repeated.

    Args:
        path: the recording.
        out: folder of results, made if needed.
        options: what to make and how to write it.
        fallback: model to take if that of the options is not available, for it cannot be pulled,
            or a package that it needs is missing; the manifest then says so. None raises that.
        overwrite: begin anew instead, and take nothing from the cache.
        threads: threads of the networks; None for the cores this process may use. A run that goes
            on keeps the number it began with, for the last bits of the result depend on it.
        store: where models lie; None for the user's cache folder.
        cache: where results are kept and, for the same samples, options, model, threads and
            versions, copied from; None for nowhere.
        open_recording: opens it for decoding.
        on_progress: called between units of work; may raise `Cancelled` to stop.

    Raises:
        InputError: options that do not fit together, or a stem that a model lacks.
        AudioError: the recording is missing or unreadable.
        ModelError: a model is unknown, cannot be pulled or is damaged.
        MissingExtraError: a program or package that this needs is not installed.
        ResourceError: not enough memory or disk, or `out` cannot be written.
    """
    check_options(options)
    check_template(options.name)
    check_writable(options.format, options.bit_depth)
    if options.midi_tempo is not None:
        check_tempo(options.midi_tempo)
    if options.tags and options.analysis:
        check_tagger(options.tags)
        cache = None  # a name does not say which weights it stands for
    check_device(options.separation.device, read_machine())
    store = store or ModelStore()
    work = partial(
        _process,
        Path(path),
        Path(out),
        overwrite=overwrite,
        threads=threads or available_cores(),
        store=store,
        cache=cache,
        open_recording=open_recording,
        on_progress=on_progress,
    )
    wish = _Wish(options, _choose(options, store))
    if fallback is None:
        return work(wish)
    way = replace(options.separation, weights={})  # which are those of other models
    instead = replace(options, model=fallback, separation=way)
    choice = _choose(instead, store)
    try:
        return work(wish)
    except (ModelError, MissingExtraError) as error:
        missed = UnavailableModel(name=wish.choice.name, reason=str(error))
    return work(_Wish(instead, choice, missed))


@dataclass(frozen=True)
class _Wish:
    """What to make, with which models, and in the place of which."""

    options: ProcessOptions
    choice: ModelChoice
    fallback_from: UnavailableModel | None = None


def _choose(options: ProcessOptions, store: ModelStore) -> ModelChoice:
    return choose_models(options.model, options.stems, options.separation.weights, store)


def _process(
    path: Path,
    out: Path,
    wish: _Wish,
    *,
    overwrite: bool,
    threads: int,
    store: ModelStore,
    cache: FileCache | None,
    open_recording: Callable[[Path], AudioReader],
    on_progress: OnProgress | None,
) -> Result:
    """Take a recording apart, or find that it was done."""
    clock = StageClock(on_progress)
    try:
        with open_recording(path) as reader:
            out.mkdir(parents=True, exist_ok=True)
            with clock.running("decode", None) as report:
                mixture = MixtureFile(reader, wish.choice.sample_rate, out, report)
        with mixture, claim(out, safe_name(path.stem), mixture.sha256) as folder:
            if overwrite:
                folder.clear_partial()
            elif manifest := _finished(folder, wish):
                if read_reproduce(folder.state) == manifest.reproduce:
                    folder.discard_partial()  # left by a run that was killed at its very end
                return Result(folder.path, manifest, skipped=True)
            job = Job(
                path=path,
                options=wish.options,
                choice=wish.choice,
                fallback_from=wish.fallback_from,
                reader=reader,
                tags=read_tags(path),
                mixture=mixture,
                folder=folder,
                clock=clock,
                store=store,
            )
            try:
                manifest = _make(job, threads, cache, overwrite)
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


def _finished(folder: ResultFolder, wish: _Wish) -> Manifest | None:
    """The manifest of an earlier run that made just this, if its files are still there."""
    manifest = read_manifest(folder.manifest)
    if manifest is None or manifest.options != wish.options:
        return None
    if _name(manifest.model.fallback_from) != _name(wish.fallback_from):
        return None
    members = (member for part in wish.choice.parts for member in part.entry.members)
    known = {file.sha256 for member in members for file in member.files if file.is_exact}
    if known and known.isdisjoint(manifest.model.weights.values()):
        return None  # the model was another one then
    return manifest if all((folder.path / file).is_file() for file in manifest.files()) else None


def _name(model: UnavailableModel | None) -> str | None:
    return model.name if model else None


def _make(job: Job, threads: int, cache: FileCache | None, overwrite: bool) -> Manifest:
    """All after decoding: copied from the cache, or made and kept there."""
    fetched = fetch_models(job.choice, job.store, _pulling(job))
    way = way_of(fetched, job.options.separation)
    recipe = _recipe(job, digests(fetched), way.runtimes, threads)
    kept = _copy_kept(job, recipe, cache) if cache and not overwrite else None
    manifest = kept or _take_apart(job, way, threads)
    with job.folder.writing(job.folder.manifest) as file:
        file.write_text(manifest.model_dump_json(indent=2) + "\n", "utf-8")
    if cache and not kept:
        made = manifest.reproduce
        recipe = _recipe(job, made.weights, made.runtimes, made.threads)
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


def _recipe(
    job: Job, weights: Mapping[str, str], runtimes: Mapping[str, Runtime], threads: int
) -> Recipe:
    options = job.options
    return Recipe(
        unbraid_version=__version__,
        input_sha256=job.mixture.sha256,
        warnings=_warnings(job),
        tags=job.tags,
        track=job.path.stem if "{track}" in options.name else None,
        weights=dict(weights),
        options=options,
        runtimes={name: replace(runtime, reasons=()) for name, runtime in runtimes.items()},
        threads=threads,
        versions=_versions(job),
    )


def _warnings(job: Job) -> tuple[str, ...]:
    """What the user should know before any work."""
    if missed := job.fallback_from:
        fallback = f"{job.choice.name} in the place of {missed.name}: {missed.reason}"
        return (fallback, *job.reader.warnings)
    return job.reader.warnings


def _take_apart(job: Job, way: Way, threads: int) -> Manifest:
    """The stages after decoding."""
    separated = None
    while separated is None:
        try:
            separated = _separate(job, way, threads)
        except Exception as error:
            other = way.after(error)
            if other is None:
                raise
            way = other
    stems, reproduce = separated
    job.folder.manifest.unlink(missing_ok=True)  # of other options, whose files are now replaced
    quality = judge_song(job, stems, reproduce.threads)
    music = analyse_song(job, stems) if job.options.midi or job.options.analysis else None
    song = material_of(job, stems)
    played = transcribe_song(song, reproduce.threads)
    midi = None
    if music and job.options.midi:
        midi = write_song(song, played, music.rhythm.grid, music.chords, music.key)
    written = export_song(job, stems, _tags(job, music))
    scores = QualityRecord(whole=quality.whole, stems=quality.stems)
    analysis = None
    if music and job.options.analysis:
        analysis = write_analysis(job, music, played.strokes, written.stems, scores)
    return Manifest(
        unbraid_version=__version__,
        created=_now(),
        input=_input_record(job),
        model=ModelRecord(
            name=job.choice.name,
            weights=reproduce.weights,
            licence=job.choice.licence,
            fallback_from=job.fallback_from,
        ),
        options=job.options,
        audio=written.audio,
        stems=written.stems,
        quality=scores,
        midi=midi,
        analysis=analysis,
        warnings=(
            *_warnings(job),
            *way.warnings,
            *quality.warnings,
            *midi_warnings(job.options, midi),
            *written.warnings,
        ),
        reproduce=reproduce,
        seconds=job.clock.seconds,
    )


def _tags(job: Job, music: Analysis | None) -> Tags:
    """Those of the recording, with the tempo and the key that were found."""
    if music is None:
        return job.tags
    key = music.key
    return replace(job.tags, bpm=music.rhythm.tempo.bpm, key=key.symbol if key else None)


def _separate(job: Job, way: Way, threads: int) -> tuple[GrowingStems, Reproduce]:
    """Separate the song; the memory of the networks is given back before others need theirs."""
    separator, reproduce = _begin(job, way.runtimes, threads)
    job.clock.expect(_workload(job, separator))
    return separate_song(job, separator), reproduce


def _workload(job: Job, separator: LoadedModel) -> dict[Stage, float]:
    """Seconds of audio that each stage goes through."""
    duration_s = job.mixture.duration_s
    stems = len(separator.stems) + job.options.with_rest
    analysed = job.options.midi or job.options.analysis
    transcribed = len(transcribed_stems(separator.stems, job.options))
    return {
        "separate": duration_s,
        "judge": judged_s(duration_s, stems),
        "analyse": duration_s * analysed,
        "transcribe": duration_s * transcribed,
        "export": duration_s * stems,
    }


def _begin(
    job: Job, runtimes: Mapping[str, Runtime], threads: int
) -> tuple[LoadedModel, Reproduce]:
    """Load the model as unfinished work used it; work made in another way is cleared away."""
    earlier = read_reproduce(job.folder.state)
    for count in (earlier.threads, threads) if earlier else (threads,):
        separator = _load(job, runtimes, count)
        reproduce = _reproduce(job, separator)
        if reproduce == earlier:
            return separator, reproduce
    job.folder.clear_partial()
    with job.folder.writing(job.folder.state) as file:
        file.write_text(reproduce.model_dump_json(indent=2) + "\n", "utf-8")
    return separator, reproduce


def _load(job: Job, runtimes: Mapping[str, Runtime], threads: int) -> LoadedModel:
    """The model, pulled if it is not here."""
    return load_models(
        job.choice,
        threads,
        job.options.separation,
        store=job.store,
        runtimes=runtimes,
        on_transfer=_pulling(job),
    )


def _pulling(job: Job) -> OnTransfer:
    """Reports how far a model's files have come."""

    def report(transfer: Transfer) -> None:
        job.clock.report_pull(transfer.done / transfer.total if transfer.total else None)

    return report


def _reproduce(job: Job, separator: LoadedModel) -> Reproduce:
    return Reproduce(
        input_sha256=job.mixture.sha256,
        model=separator.choice.name,
        weights=dict(separator.weights),
        stems=separator.stems,
        with_rest=job.options.with_rest,
        runtimes=dict(separator.runtimes),
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
    engines = {part.entry.engine for part in job.choice.parts}
    libraries = (name for engine in engines for name in ENGINE_LIBRARIES.get(engine, ()))
    for name in (*LIBRARIES, *libraries):
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
        album_artist=job.tags.album_artist,
        year=job.tags.year,
        track=job.tags.track,
        genre=job.tags.genre,
        comment=job.tags.comment,
        isrc=job.tags.isrc,
    )

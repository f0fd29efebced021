"""`unbraid process` and `unbraid separate`."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from unbraid import terminal
from unbraid.cli.cache import LIMIT_GB, CacheDir, CacheLimit, NoCache, open_cache
from unbraid.cli.export import USUAL
from unbraid.cli.models import Mirror, ModelsDir, Offline
from unbraid.cli.options import (
    Clip,
    Depth,
    Device,
    Exports,
    Fallback,
    Format,
    FrameThreshold,
    Jobs,
    Json,
    MaxFrequency,
    MidiTempo,
    MinFrequency,
    MinNote,
    MinVelocity,
    Model,
    Monophonic,
    NameTemplate,
    OnsetThreshold,
    Out,
    Overlap,
    PitchBends,
    Precision,
    Preset,
    Quantize,
    Quiet,
    Residual,
    Resume,
    Seed,
    Segment,
    Shifts,
    Songs,
    StemList,
    Strength,
    Swing,
    SwingGrid,
    Tags,
    Threads,
    TwoStems,
    VelocityCurve,
    Weights,
    WithRest,
    read_tempo,
)
from unbraid.cli.running import Output, find, run, usage
from unbraid.presets import PRESETS
from unbraid.types import (
    CleanupOptions,
    OnProgress,
    ProcessOptions,
    QuantiseOptions,
    SeparationOptions,
    StemName,
    TranscriptionOptions,
)
from unbraid.weights import ModelStore

if TYPE_CHECKING:
    from unbraid.separation.cache import FileCache

STEMS = ProcessOptions()
NOTES = TranscriptionOptions()
CLEANUP = CleanupOptions()
MONOPHONIC = ",".join(CLEANUP.monophonic)
STEPS = QuantiseOptions()
SEPARATION = SeparationOptions()


def process(
    songs: Songs,
    out: Out = Path("out"),
    preset: Preset = None,
    model: Model = None,
    weights: Weights = None,
    stems: StemList = None,
    two_stems: TwoStems = None,
    with_rest: WithRest = None,
    format: Format = STEMS.format,
    bit_depth: Depth = STEMS.bit_depth,
    clip: Clip = STEMS.clip,
    name: NameTemplate = STEMS.name,
    residual: Residual = STEMS.residual,
    shifts: Shifts = None,
    seed: Seed = SEPARATION.seed,
    device: Device = SEPARATION.device,
    precision: Precision = None,
    segment: Segment = None,
    overlap: Overlap = None,
    fallback: Fallback = None,
    models_dir: ModelsDir = None,
    offline: Offline = False,
    mirror: Mirror = None,
    tags: Tags = None,
    midi_tempo: MidiTempo = "auto",
    onset_threshold: OnsetThreshold = NOTES.onset_threshold,
    frame_threshold: FrameThreshold = NOTES.frame_threshold,
    min_note: MinNote = NOTES.min_note_duration_s,
    min_frequency: MinFrequency = NOTES.min_frequency_hz,
    max_frequency: MaxFrequency = NOTES.max_frequency_hz,
    pitch_bends: PitchBends = NOTES.pitch_bends,
    monophonic: Monophonic = MONOPHONIC,
    min_velocity: MinVelocity = CLEANUP.min_velocity,
    velocity_curve: VelocityCurve = CLEANUP.velocity_curve,
    quantize: Quantize = None,
    quantize_strength: Strength = STEPS.strength,
    swing: Swing = STEPS.swing,
    swing_grid: SwingGrid = STEPS.swing_grid,
    exports: Exports = USUAL,
    resume: Resume = True,
    jobs: Jobs = 1,
    threads: Threads = None,
    no_cache: NoCache = False,
    cache_dir: CacheDir = None,
    cache_limit: CacheLimit = LIMIT_GB,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Take songs apart: stems, the notes of each stem as MIDI, and what the music is."""
    from unbraid.exporting import check_exports

    with usage():
        names = () if exports == "none" else check_exports(_items(exports))
        notes = TranscriptionOptions(
            onset_threshold, frame_threshold, min_note, min_frequency, max_frequency, pitch_bends
        )
        cleanup = CleanupOptions(
            monophonic=tuple(_items(monophonic)),
            min_velocity=min_velocity,
            velocity_curve=velocity_curve,
        )
        steps = quantize and QuantiseOptions(quantize, quantize_strength, swing, swing_grid)
    options = _options(
        preset,
        _given(
            shifts=shifts,
            seed=seed,
            weights=_weights(weights),
            device=device,
            precision=precision,
            segment_s=segment,
            overlap=overlap,
        ),
        model=model,
        stems=_stems(stems, two_stems),
        with_rest=True if two_stems else with_rest,
        tags=tags,
        midi_tempo=read_tempo(midi_tempo),
        transcription=notes,
        cleanup=cleanup,
        quantise=steps,
        format=format,
        bit_depth=bit_depth,
        clip=clip,
        name=name,
        residual=residual,
    )
    _process(
        songs,
        out,
        options,
        _store(models_dir, offline, mirror),
        None if no_cache else open_cache(cache_dir, cache_limit),
        jobs,
        threads,
        fallback=fallback,
        overwrite=not resume,
        exports=names,
        output=Output(as_json, quiet),
    )


def separate(
    songs: Songs,
    out: Out = Path("out"),
    preset: Preset = None,
    model: Model = None,
    weights: Weights = None,
    stems: StemList = None,
    two_stems: TwoStems = None,
    with_rest: WithRest = None,
    format: Format = STEMS.format,
    bit_depth: Depth = STEMS.bit_depth,
    clip: Clip = STEMS.clip,
    name: NameTemplate = STEMS.name,
    residual: Residual = STEMS.residual,
    shifts: Shifts = None,
    seed: Seed = SEPARATION.seed,
    device: Device = SEPARATION.device,
    precision: Precision = None,
    segment: Segment = None,
    overlap: Overlap = None,
    fallback: Fallback = None,
    models_dir: ModelsDir = None,
    offline: Offline = False,
    mirror: Mirror = None,
    resume: Resume = True,
    jobs: Jobs = 1,
    threads: Threads = None,
    no_cache: NoCache = False,
    cache_dir: CacheDir = None,
    cache_limit: CacheLimit = LIMIT_GB,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Separate songs into stems, without MIDI."""
    options = _options(
        preset,
        _given(
            shifts=shifts,
            seed=seed,
            weights=_weights(weights),
            device=device,
            precision=precision,
            segment_s=segment,
            overlap=overlap,
        ),
        model=model,
        stems=_stems(stems, two_stems),
        with_rest=True if two_stems else with_rest,
        midi=False,
        analysis=False,
        format=format,
        bit_depth=bit_depth,
        clip=clip,
        name=name,
        residual=residual,
    )
    _process(
        songs,
        out,
        options,
        _store(models_dir, offline, mirror),
        None if no_cache else open_cache(cache_dir, cache_limit),
        jobs,
        threads,
        fallback=fallback,
        overwrite=not resume,
        output=Output(as_json, quiet),
    )


def _process(
    songs: list[str],
    out: Path,
    options: ProcessOptions,
    store: ModelStore,
    cache: "FileCache | None",
    jobs: int,
    threads: int | None,
    *,
    fallback: str | None,
    overwrite: bool,
    output: Output,
    exports: Sequence[str] = (),
) -> None:
    from unbraid.exporting import export_result
    from unbraid.inference import available_cores
    from unbraid.pipeline import Result, process

    each = threads or max(1, available_cores() // jobs)

    def work(path: Path, report: OnProgress) -> Result:
        result = process(
            path,
            out,
            options,
            fallback=fallback,
            overwrite=overwrite,
            threads=each,
            store=store,
            cache=cache,
            on_progress=report,
        )
        if not exports:
            return result
        made = export_result(
            result.folder,
            exports,
            overwrite=overwrite,
            on_progress=lambda progress: report(replace(progress, fraction=None)),
        )
        problems = (f"{name}: {problem.message}" for name, problem in made.problems.items())
        manifest = result.manifest.model_copy(
            update={
                "exports": {**result.manifest.exports, **made.files},
                "warnings": (*result.manifest.warnings, *problems),
            }
        )
        return replace(result, manifest=manifest)

    run(find(songs), work, terminal.show_result, jobs, output, resumable=True)


def _store(folder: Path | None, offline: bool, mirror: str | None) -> ModelStore:
    with usage():
        return ModelStore(folder, offline=offline, mirror=mirror)


def _options(preset: str | None, separation: dict[str, Any], **options: Any) -> ProcessOptions:
    """What is given goes before the preset, and that before the usual."""
    base = PRESETS[preset].options if preset else ProcessOptions()
    with usage():
        return replace(base, separation=replace(base.separation, **separation), **_given(**options))


def _stems(stems: str | None, two_stems: str | None) -> tuple[StemName, ...] | None:
    if two_stems is None:
        return None if stems is None else tuple(_items(stems))
    if stems is not None:
        raise typer.BadParameter("--two-stems and --stems both name stems; give one of them")
    return (two_stems,)


def _weights(text: str | None) -> dict[StemName, tuple[float, ...]] | None:
    if text is None:
        return None
    weights = {}
    for item in _items(text):
        stem, _, numbers = item.partition("=")
        try:
            weights[stem.strip()] = tuple(map(float, numbers.split(":")))
        except ValueError:
            raise typer.BadParameter(
                f"--weights has {item!r}, which should be a stem with a number for each model, "
                "such as vocals=2:1"
            ) from None
    return weights


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _given(**options: Any) -> dict[str, Any]:
    """Those that are not None."""
    return {name: value for name, value in options.items() if value is not None}

"""What the command line shows: progress bars on stderr, tables on stdout."""

import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars
from rich.table import Table

from unbraid.presets import PRESETS
from unbraid.types import Progress, Stage

if TYPE_CHECKING:
    from unbraid.diagnosis import Diagnosis
    from unbraid.export.analysis import AnalysisRecord
    from unbraid.export.retiming import Retiming
    from unbraid.exporting import Exported
    from unbraid.pipeline import Result
    from unbraid.recording import Description
    from unbraid.transcript import Transcript
    from unbraid.trial import Trial
    from unbraid.weights import LocalModel, ModelEntry, Transfer

STAGES: dict[Stage, str] = {
    "fetch": "fetching",
    "decode": "reading",
    "pull": "pulling the model",
    "separate": "separating",
    "judge": "judging",
    "analyse": "analysing",
    "transcribe": "transcribing",
    "export": "writing",
}

out = Console(soft_wrap=True, highlight=False, markup=False, emoji=False)
err = Console(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False)


class SongBars:
    """A bar for each song at work: its stage and speed, and the seconds left of the song."""

    def __init__(self, *, quiet: bool) -> None:
        self._bars = Bars(
            TextColumn("{task.description}", markup=False),
            TextColumn("{task.fields[stage]}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[speed]}"),
            console=err,
            transient=True,
            disable=quiet or not err.is_terminal,
        )
        self._tasks: dict[Path, TaskID] = {}
        self._stages: dict[Path, tuple[Progress, float]] = {}
        self._lock = threading.Lock()

    def update(self, song: Path, progress: Progress) -> None:
        """Show how far a song has come; called from the thread that works on it."""
        with self._lock:
            if song not in self._tasks:
                self._tasks[song] = self._bars.add_task(song.stem, total=None, stage="", speed="")
            first, began = self._stages.get(song, (None, 0.0))
            if first is None or first.stage != progress.stage:
                first, began = self._stages[song] = progress, time.monotonic()
            self._bars.update(
                self._tasks[song],
                total=None if progress.fraction is None else 1.0,
                completed=progress.fraction or 0.0,
                stage=STAGES[progress.stage],
                speed=_speed(progress.done_s - first.done_s, time.monotonic() - began),
            )

    def finish(self, song: Path) -> None:
        """Take the bar of a song away."""
        if song in self._tasks:
            self._bars.remove_task(self._tasks.pop(song))

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bars.stop()


class TransferBars:
    """A bar for each file that is being downloaded."""

    def __init__(self, *, quiet: bool) -> None:
        self._bars = Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(compact=True),
            console=err,
            transient=True,
            disable=quiet or not err.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    def update(self, transfer: "Transfer") -> None:
        """Show how far a file has come."""
        if transfer.file not in self._tasks:
            self._tasks[transfer.file] = self._bars.add_task(transfer.file)
        self._bars.update(self._tasks[transfer.file], total=transfer.total, completed=transfer.done)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bars.stop()


def _speed(audio_s: float, elapsed_s: float) -> str:
    return f"{audio_s / elapsed_s:.0f}x real time" if elapsed_s > 0.5 else ""


def show_result(result: "Result") -> None:
    """Print a table of stems and notes, the times, and where the files are."""
    manifest = result.manifest
    midi = manifest.midi
    table = _table(manifest.input.file, "stem", "peak", "level", "quality", "notes", "files")
    for name, stem in manifest.stems.items():
        files = [stem.file, midi.files[name]] if midi and name in midi.files else [stem.file]
        notes = str(midi.notes[name]) if midi and name in midi.notes else ""
        levels = ("silent", "") if stem.silent else (_db(stem.peak_db), _db(stem.rms_db))
        score = _score(manifest.quality.stems[name])
        table.add_row(name, *levels, score, notes, ", ".join(files))
    out.print(table)
    if manifest.quality.whole is not None:
        out.print(f"quality  {_score(manifest.quality.whole)} of 1, an estimate; 0.5 is 3 dB SDR")
    if midi:
        origin = {"song": "the song's own", "given": "as given", "default": "no steady pulse found"}
        out.print(f"tempo    {midi.tempo_bpm:.4g} BPM, {origin[midi.tempo_source]}")
    out.print(f"time     {_time_spent(result)}")
    _show_warnings(manifest.warnings)
    out.print(f"folder   {result.folder}")


def _time_spent(result: "Result") -> str:
    if result.skipped:
        return "none: an earlier run has finished this (--overwrite makes it anew)"
    seconds = result.manifest.seconds
    spent_s = sum(seconds.values())
    stages = ", ".join(f"{STAGES[s]} {seconds[s]:.1f}" for s in STAGES if s in seconds)
    duration_s = result.manifest.input.duration_s
    speed = duration_s / spent_s
    source = ", from the cache" if result.manifest.from_cache else ""
    song = f"{duration_s:.1f} s of music{source}"
    return f"{spent_s:.1f} s for {song}, {speed:.1f}x real time ({stages})"


def show_transcript(transcript: "Transcript") -> None:
    """Print how many notes were found and where they are."""
    out.print(
        f"{len(transcript.notes)} notes, {transcript.tempo_bpm:.4g} BPM: {transcript.midi}",
    )
    _show_warnings(transcript.warnings)


def show_analysis(found: "AnalysisRecord") -> None:
    """Print what is in a song, a line for each fact."""
    for name, text in facts_of(found).items():
        out.print(f"{name:<9}{text}")


def facts_of(found: "AnalysisRecord") -> dict[str, str]:
    """What is in a song, in words."""
    key, grid = found.key, f"{len(found.beats)} beats in {found.metre}"
    if found.bpm is not None:
        drift = "" if found.tempo.steady else ", drifting"
        tempo = f"{found.bpm:g} BPM{drift}, {grid}, confidence {found.tempo.confidence:.2f}"
    else:
        tempo = f"rubato, {grid}" if found.tempo.rubato else "no steady pulse found"
    lufs = found.loudness.integrated_lufs
    lines = {
        "tempo": tempo,
        "key": f"{key.tonic} {key.mode} ({key.camelot}), confidence {key.confidence:.2f}"
        if key
        else "none",
        "tuning": f"{found.tuning_cents:+.0f} cents",
        "chords": " ".join(chord.label for chord in found.chords),
        "drums": f"{len(found.drums)} strokes" if found.drums is not None else "",
        "loudness": "silent" if lufs is None else f"{lufs:.1f} LUFS",
        "sounds": ", ".join(
            f"{each.label} {each.share if each.score is None else each.score:.0%}"
            for each in found.sounds
        ),
    }
    return {name: text for name, text in lines.items() if text}


def show_exported(exported: "Exported") -> None:
    """Print the files that were made, and what the others lack."""
    for name, files in exported.files.items():
        out.print(f"{name:<13}{', '.join(str(exported.folder / file) for file in files)}")
    for name, problem in exported.problems.items():
        show_error(f"{name}: {problem.message}")


def show_retiming(retiming: "Retiming") -> None:
    """Print how many notes were moved, and how far."""
    shift_ms = 1000 * retiming.mean_shift_s
    out.print(f"{retiming.notes} notes, moved by {shift_ms:.0f} ms on average: {retiming.midi}")


def show_description(description: "Description") -> None:
    """Print a recording's description, a line for each fact."""
    d = description
    tags = " - ".join(text for text in (d.artist, d.title) if text)
    lines = {
        "format": f"{d.container}, {d.codec}, {d.sample_rate} Hz, {d.channels} channels",
        "length": f"{d.duration_s:.3f} s, {d.length} samples",
        "peak": _db(d.peak_db),
        "loudness": "silent" if d.loudness_lufs is None else f"{d.loudness_lufs:.1f} LUFS",
        "downmix": d.downmix,
        "tags": tags + (f" ({d.album})" if d.album else "") + (", cover" if d.cover else ""),
    }
    out.print(d.file, style="bold")
    for name, text in lines.items():
        if text:
            out.print(f"{name:<9}{text}")
    _show_warnings(d.warnings)


def show_models(models: "Iterable[tuple[ModelEntry, int]]") -> None:
    """Print a table of the separation models, each with how many of its members are here."""
    table = _table("", "model", "here", "stems", "licence", "")
    for entry, here in models:
        count = len(entry.members)
        state = "yes" if here == count else f"{here} of {count}" if here else "no"
        table.add_row(entry.name, state, ", ".join(entry.stems), entry.licence, entry.summary)
    out.print(table)


def show_presets() -> None:
    """Print a table of the presets."""
    table = _table("", "preset", "")
    for name, preset in PRESETS.items():
        table.add_row(name, preset.purpose)
    out.print(table)


def show_local_model(local: "LocalModel") -> None:
    """Print the verified files of a model."""
    for member, file in local.files.items():
        out.print(f"{local.entry.name:<12} {local.sha256[member][:16]}…  {file}")


def show_trial(trial: "Trial") -> None:
    """Print the result for the demonstration song, and how close it comes to the truth."""
    show_result(trial.result)
    table = _table("Compared with the truth", "stem", "SDR", "gain over the mixture", "note F1")
    for name, sdr_db in trial.sdr_db.items():
        gain_db = sdr_db - trial.mixture_sdr_db[name]
        notes = f"{trial.notes[name].f1:.2f}" if name in trial.notes else ""
        table.add_row(name, f"{sdr_db:.1f} dB", f"{gain_db:+.1f} dB", notes)
    out.print(table)
    out.print(f"truth    {trial.truth}")
    out.print(
        "A synthesised song flatters a separator: these figures say that it works, not how well."
    )


def show_diagnosis(found: "Diagnosis") -> None:
    """Print what there is, and how a model would use it."""
    machine, model, gpu = found.machine, found.model, found.machine.gpu
    packages = [f"{name} {version or 'missing'}" for name, version in found.packages.items()]
    lines = {
        "unbraid": f"{found.unbraid}, Python {found.python}, {found.system}",
        "cores": f"{machine.cores}{', bfloat16' if machine.has_bfloat16 else ''}",
        "memory": f"{_gb(machine.available_bytes)} of {_gb(machine.memory_bytes)} available",
        "gpu": f"{gpu.name}, {_gb(gpu.memory_bytes)}" if gpu else "none",
        "packages": ", ".join(packages),
        "ffmpeg": found.ffmpeg or "missing",
        "models": f"{found.models_dir}, {_gb(found.models_free_bytes)} free",
        "cache": found.cache_dir,
        "network": "never asked" if found.offline else "asked for models that are not here",
        "model": f"{model.name}, {'here' if model.here else 'not here'}",
    }
    for name, runtime in model.runtimes.items():
        how = f"{runtime.device}, {runtime.provider}, {runtime.arithmetic}"
        lines[f"  {name}"] = f"{how}. {' '.join(runtime.reasons)}"
    if model.estimated_bytes:
        lines["  memory"] = f"about {_gb(model.estimated_bytes)}, however long the song"
    for name, text in lines.items():
        out.print(f"{name:<9} {text}")
    if model.problem:
        show_error(model.problem)


def _gb(count: int | None) -> str:
    return "unknown" if count is None else f"{count / 1e9:.1f} GB"


def show_settings(settings: "Iterable[tuple[str, str, str]]") -> None:
    """Print the variable, value and meaning of each setting."""
    show_table(("setting", "value", "means"), settings)


def show_table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print rows under the names of their columns."""
    table = _table("", *columns)
    for row in rows:
        table.add_row(*row)
    out.print(table)


def show_error(message: str) -> None:
    """Print one line to stderr."""
    err.print(f"error: {message}", style="red")


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title or None, title_justify="left", title_style="bold")
    for column in columns:
        table.add_column(column)
    return table


def _db(value: float | None) -> str:
    return "silent" if value is None else f"{value:.1f} dB"


def _score(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _show_warnings(warnings: Iterable[str]) -> None:
    for warning in warnings:
        out.print(f"note     {warning}", style="yellow")

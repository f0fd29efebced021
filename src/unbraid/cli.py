"""The command line: parses, calls the pipeline, presents.

Exit codes: 0 done, 2 usage, 3 a recording is missing or unreadable, 4 a model, program or package
is not available, 5 not enough memory or disk, 130 cancelled.
"""

import json
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from pydantic_core import to_jsonable_python

from unbraid import __version__, terminal
from unbraid.batch import Outcome, distinct_names, find_songs, run_all
from unbraid.cli_cache import LIMIT_GB, CacheDir, CacheLimit, NoCache, cache_app, open_cache
from unbraid.cli_models import Mirror, ModelsDir, Offline, models_app
from unbraid.errors import AudioError, InputError, UnbraidError
from unbraid.exit_codes import EXIT_CODES
from unbraid.types import (
    AudioFormat,
    BitDepth,
    ClipMode,
    OnProgress,
    ProcessOptions,
    ResidualMode,
    SeparationOptions,
    TranscriptionOptions,
)
from unbraid.weights import ModelStore

if TYPE_CHECKING:
    from unbraid.separation.cache import FileCache

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
app.add_typer(models_app, name="models")
app.add_typer(cache_app, name="cache")

Songs = Annotated[
    list[str], typer.Argument(help="Recordings, folders of them, or patterns.", metavar="SONG...")
]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder of results.", metavar="DIR")]
Model = Annotated[
    str, typer.Option(help="Separation model; `unbraid models list` shows them.", metavar="NAME")
]
StemList = Annotated[
    str | None, typer.Option("--stems", help="Only these, such as vocals,bass.", metavar="LIST")
]
WithRest = Annotated[
    bool, typer.Option("--with-rest", help="Also write the song without the chosen stems.")
]
Format = Annotated[AudioFormat, typer.Option(help="Audio format of the stems.")]
Depth = Annotated[BitDepth, typer.Option(help="Sample format of WAV and FLAC.")]
Clip = Annotated[
    ClipMode,
    typer.Option(help="Stems beyond full scale become float WAV, are all lowered, or limited."),
]
NameTemplate = Annotated[
    str,
    typer.Option(
        help="File names, of {stem}, {track}, {title}, {artist}, {album}, {model}.",
        metavar="TEMPLATE",
    ),
]
Residual = Annotated[
    ResidualMode,
    typer.Option(help="Where that goes which the stems leave of the song, if it can be heard."),
]
MidiTempo = Annotated[
    str, typer.Option(help="Beats per minute of the MIDI files: auto or a number.", metavar="BPM")
]
OnsetThreshold = Annotated[float, typer.Option(help="Activation that begins a note.", min=0, max=1)]
FrameThreshold = Annotated[
    float, typer.Option(help="Activation that keeps a note sounding.", min=0, max=1)
]
MinNote = Annotated[float, typer.Option(help="Shortest note in seconds.", min=0)]
MinFrequency = Annotated[float, typer.Option(help="Lowest note in Hz.", min=0)]
MaxFrequency = Annotated[float, typer.Option(help="Highest note in Hz.", min=0)]
PitchBends = Annotated[bool, typer.Option(help="Keep the bends of notes that sound alone.")]
Shifts = Annotated[
    int, typer.Option(help="Times the song is separated, shifted, for the mean of all.", min=0)
]
Seed = Annotated[int, typer.Option(help="Seed of the shifts.", min=0)]
Resume = Annotated[
    bool, typer.Option("--resume/--overwrite", help="Go on with earlier work, or begin anew.")
]
Jobs = Annotated[int, typer.Option(help="Songs at work at once.", min=1)]
Threads = Annotated[
    int | None, typer.Option(help="Threads of the networks; by default all cores.", min=1)
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document per song on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show errors only.")]

STEMS = ProcessOptions()
NOTES = TranscriptionOptions()
SEPARATION = SeparationOptions()


@app.callback(invoke_without_command=True)
def unbraid(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Takes a song apart: stems, and the notes of each stem as MIDI."""
    if version:
        terminal.out.print(__version__)


@app.command()
def process(
    songs: Songs,
    out: Out = Path("out"),
    model: Model = STEMS.model,
    stems: StemList = None,
    with_rest: WithRest = STEMS.with_rest,
    format: Format = STEMS.format,
    bit_depth: Depth = STEMS.bit_depth,
    clip: Clip = STEMS.clip,
    name: NameTemplate = STEMS.name,
    residual: Residual = STEMS.residual,
    shifts: Shifts = SEPARATION.shifts,
    seed: Seed = SEPARATION.seed,
    models_dir: ModelsDir = None,
    offline: Offline = False,
    mirror: Mirror = None,
    midi_tempo: MidiTempo = "auto",
    onset_threshold: OnsetThreshold = NOTES.onset_threshold,
    frame_threshold: FrameThreshold = NOTES.frame_threshold,
    min_note: MinNote = NOTES.min_note_duration_s,
    min_frequency: MinFrequency = NOTES.min_frequency_hz,
    max_frequency: MaxFrequency = NOTES.max_frequency_hz,
    pitch_bends: PitchBends = NOTES.pitch_bends,
    resume: Resume = True,
    jobs: Jobs = 1,
    threads: Threads = None,
    no_cache: NoCache = False,
    cache_dir: CacheDir = None,
    cache_limit: CacheLimit = LIMIT_GB,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Take songs apart: stems, and the notes of each stem as MIDI."""
    with _usage():
        notes = TranscriptionOptions(
            onset_threshold, frame_threshold, min_note, min_frequency, max_frequency, pitch_bends
        )
    options = ProcessOptions(
        model=model,
        separation=SeparationOptions(shifts, seed),
        stems=_names(stems),
        with_rest=with_rest,
        midi_tempo=_tempo(midi_tempo),
        transcription=notes,
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
        overwrite=not resume,
        output=_Output(as_json, quiet),
    )


@app.command()
def separate(
    songs: Songs,
    out: Out = Path("out"),
    model: Model = STEMS.model,
    stems: StemList = None,
    with_rest: WithRest = STEMS.with_rest,
    format: Format = STEMS.format,
    bit_depth: Depth = STEMS.bit_depth,
    clip: Clip = STEMS.clip,
    name: NameTemplate = STEMS.name,
    residual: Residual = STEMS.residual,
    shifts: Shifts = SEPARATION.shifts,
    seed: Seed = SEPARATION.seed,
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
    options = ProcessOptions(
        model=model,
        separation=SeparationOptions(shifts, seed),
        stems=_names(stems),
        with_rest=with_rest,
        midi=False,
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
        overwrite=not resume,
        output=_Output(as_json, quiet),
    )


@app.command()
def transcribe(
    recordings: Songs,
    out: Out = Path("out"),
    midi_tempo: MidiTempo = "auto",
    onset_threshold: OnsetThreshold = NOTES.onset_threshold,
    frame_threshold: FrameThreshold = NOTES.frame_threshold,
    min_note: MinNote = NOTES.min_note_duration_s,
    min_frequency: MinFrequency = NOTES.min_frequency_hz,
    max_frequency: MaxFrequency = NOTES.max_frequency_hz,
    pitch_bends: PitchBends = NOTES.pitch_bends,
    threads: Threads = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the notes of a stem, or of any recording, as DIR/<name>.mid."""
    from unbraid.transcript import Transcript, transcribe_file

    with _usage():
        options = TranscriptionOptions(
            onset_threshold, frame_threshold, min_note, min_frequency, max_frequency, pitch_bends
        )
    tempo_bpm = _tempo(midi_tempo)

    songs = _find(recordings)
    names = distinct_names(songs)

    def work(path: Path, report: OnProgress) -> Transcript:
        midi = out / f"{names[path]}.mid"
        return transcribe_file(
            path, midi, options, tempo_bpm=tempo_bpm, threads=threads, on_progress=report
        )

    _run(songs, work, terminal.show_transcript, 1, _Output(as_json, quiet))


@app.command()
def info(recordings: Songs, as_json: Json = False) -> None:
    """Say what recordings are: format, length, loudness, tags."""
    from unbraid.recording import describe

    _run(_find(recordings), describe, terminal.show_description, 1, _Output(as_json, quiet=False))


@app.command()
def demo(
    out: Out = Path("out"),
    threads: Threads = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a short original song, take it apart, and say how well."""
    from unbraid.trial import Trial, run_trial

    def work(path: Path, report: OnProgress) -> Trial:
        return run_trial(out, threads=threads, on_progress=report)

    _run([out / "demo.wav"], work, terminal.show_trial, 1, _Output(as_json, quiet))


@dataclass(frozen=True)
class _Output:
    """How results are shown."""

    as_json: bool
    quiet: bool


def _process(
    songs: list[str],
    out: Path,
    options: ProcessOptions,
    store: ModelStore,
    cache: "FileCache | None",
    jobs: int,
    threads: int | None,
    *,
    overwrite: bool,
    output: _Output,
) -> None:
    from unbraid.inference import available_cores
    from unbraid.pipeline import Result, process

    each = threads or max(1, available_cores() // jobs)

    def work(path: Path, report: OnProgress) -> Result:
        return process(
            path,
            out,
            options,
            overwrite=overwrite,
            threads=each,
            store=store,
            cache=cache,
            on_progress=report,
        )

    _run(_find(songs), work, terminal.show_result, jobs, output)


def _store(folder: Path | None, offline: bool, mirror: str | None) -> ModelStore:
    with _usage():
        return ModelStore(folder, offline=offline, mirror=mirror)


def _find(inputs: list[str]) -> list[Path]:
    try:
        return find_songs(inputs)
    except AudioError as error:
        terminal.show_error(str(error))
        raise typer.Exit(_exit_code([error])) from error


def _run(
    songs: Sequence[Path],
    work: Callable[[Path, OnProgress], T],
    show: Callable[[T], None],
    jobs: int,
    output: _Output,
) -> None:
    """Do the work on all recordings, show each result as it comes, and the errors at the end."""
    errors: dict[Path, UnbraidError] = {}
    with _interruptible() as cancel, terminal.SongBars(quiet=output.quiet) as bars:
        for outcome in run_all(songs, work, jobs=jobs, cancel=cancel, on_progress=bars.update):
            bars.finish(outcome.path)
            if outcome.error:
                errors[outcome.path] = outcome.error
            if output.as_json:
                _print_json(_document(outcome))
            elif outcome.result and not output.quiet:
                show(outcome.result)
    for path, error in errors.items():
        terminal.show_error(f"{path}: {str(error).removeprefix(f'{path.name!r} ')}")
    if errors:
        raise typer.Exit(_exit_code(list(errors.values())))


def _document(outcome: Outcome[Any]) -> dict[str, Any]:
    """What `--json` prints of a song."""
    if outcome.error:
        error = {"kind": type(outcome.error).__name__, "message": str(outcome.error)}
        return {"path": str(outcome.path), "error": error}
    document: dict[str, Any] = to_jsonable_python(outcome.result)
    return {"path": str(outcome.path), **document}


def _print_json(document: Any) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False))


def _names(stems: str | None) -> tuple[str, ...] | None:
    return (
        None if stems is None else tuple(name.strip() for name in stems.split(",") if name.strip())
    )


@contextmanager
def _usage() -> Iterator[None]:
    """Turn options that do not fit together into an error of usage."""
    try:
        yield
    except InputError as error:
        raise typer.BadParameter(str(error)) from error


def _tempo(text: str) -> float | None:
    if text == "auto":
        return None
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is neither auto nor a number") from None


def _exit_code(errors: Sequence[UnbraidError]) -> int:
    """Cancelled before all; an unreadable recording before the rest; else that of the first."""
    codes = [EXIT_CODES[type(error)] for error in errors]
    return next((code for code in (130, 3) if code in codes), codes[0])


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets; the second one stops at once."""
    cancel = threading.Event()

    def handler(number: int, frame: FrameType | None) -> None:
        cancel.set()
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield cancel
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def main() -> None:
    """Run the command line."""
    app()

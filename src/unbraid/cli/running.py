"""Work on recordings, shown as it goes: progress, results, errors at the end, exit codes."""

import json
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import typer
from pydantic_core import to_jsonable_python

from unbraid import terminal
from unbraid.batch import Outcome, find_songs, run_all
from unbraid.cli.exit_codes import EXIT_CODES
from unbraid.errors import AudioError, InputError, UnbraidError
from unbraid.types import OnProgress

T = TypeVar("T")


@dataclass(frozen=True)
class Output:
    """How results are shown."""

    as_json: bool
    quiet: bool


def find(inputs: list[str]) -> list[Path]:
    """The recordings that arguments name; ends the program where there are none."""
    try:
        return find_songs(inputs)
    except AudioError as error:
        terminal.show_error(str(error))
        raise typer.Exit(_exit_code([error])) from error


def run(
    songs: Sequence[Path],
    work: Callable[[Path, OnProgress], T],
    show: Callable[[T], None],
    jobs: int,
    output: Output,
    *,
    resumable: bool = False,
) -> None:
    """Do the work on all recordings, show each result as it comes, and the errors at the end."""
    errors: dict[Path, UnbraidError] = {}
    with _interruptible() as cancel, terminal.SongBars(quiet=output.quiet) as bars:
        outcomes = run_all(
            songs,
            work,
            jobs=jobs,
            cancel=cancel,
            on_progress=bars.update,
            resumable=resumable,
        )
        for outcome in outcomes:
            bars.finish(outcome.path)
            if outcome.error:
                errors[outcome.path] = outcome.error
            if output.as_json:
                print_json(_document(outcome))
            elif outcome.result and not output.quiet:
                show(outcome.result)
    for path, error in errors.items():
        terminal.show_error(f"{path}: {str(error).removeprefix(f'{path.name!r} ')}")
    if errors:
        raise typer.Exit(_exit_code(list(errors.values())))


@contextmanager
def usage() -> Iterator[None]:
    """Turn options that do not fit together into an error of usage."""
    try:
        yield
    except InputError as error:
        raise typer.BadParameter(str(error)) from error


def _document(outcome: Outcome[Any]) -> dict[str, Any]:
    """What `--json` prints of a song."""
    if outcome.error:
        error = {"kind": type(outcome.error).__name__, "message": str(outcome.error)}
        return {"path": str(outcome.path), "error": error}
    document: dict[str, Any] = to_jsonable_python(outcome.result)
    return {"path": str(outcome.path), **document}


def print_json(document: Any) -> None:
    """Print a document on a line of stdout."""
    typer.echo(json.dumps(document, ensure_ascii=False))


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

"""The command line: parses, calls the pipeline, presents.

Exit codes: 0 done, 2 usage, 3 a recording is missing or unreadable, 4 a model, program or package
is not available, 5 not enough memory or disk, 130 cancelled.
"""

from typing import Annotated

import typer

from unbraid import __version__, terminal
from unbraid.cli.accounts import keys_app, users_app
from unbraid.cli.analyze import analyze
from unbraid.cli.cache import cache_app
from unbraid.cli.demo import demo
from unbraid.cli.doctor import doctor
from unbraid.cli.export import export
from unbraid.cli.info import info
from unbraid.cli.midi import midi_app
from unbraid.cli.models import models_app
from unbraid.cli.process import process, separate
from unbraid.cli.serve import serve
from unbraid.cli.transcribe import transcribe

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
for command in (process, separate, transcribe, analyze, export, info, demo, doctor, serve):
    app.command()(command)
app.add_typer(models_app, name="models")
app.add_typer(midi_app, name="midi")
app.add_typer(cache_app, name="cache")
app.add_typer(users_app, name="users")
app.add_typer(keys_app, name="keys")


@app.callback(invoke_without_command=True)
def unbraid(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Takes a song apart: stems, and the notes of each stem as MIDI."""
    if version:
        terminal.out.print(__version__)


def main() -> None:
    """Run the command line."""
    app()

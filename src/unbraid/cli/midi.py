"""The command line's `midi`: work on MIDI files."""

from pathlib import Path
from typing import Annotated

import typer

from unbraid import terminal
from unbraid.cli.options import Grid, Json, Quiet, Strength, Swing, SwingGrid
from unbraid.cli.running import Output, run, usage
from unbraid.types import OnProgress, QuantiseOptions

STEPS = QuantiseOptions()

midi_app = typer.Typer(no_args_is_help=True, help="Work on MIDI files.")


@midi_app.command()
def quantize(
    file: Annotated[Path, typer.Argument(help="A MIDI file.", metavar="FILE")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write.", metavar="FILE")],
    grid: Grid = STEPS.grid,
    strength: Strength = STEPS.strength,
    swing: Swing = STEPS.swing,
    swing_grid: SwingGrid = STEPS.swing_grid,
    tempo: Annotated[
        float | None,
        typer.Option(
            help="Beats per minute from the beginning on, in the place of the file's own.",
            metavar="BPM",
        ),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Move the notes of a MIDI file onto its beats."""
    from unbraid.export.retiming import Retiming, quantise_file
    from unbraid.export.tempo_map import check_tempo

    with usage():
        options = QuantiseOptions(grid, strength, swing, swing_grid)
        if tempo is not None:
            check_tempo(tempo)

    def work(path: Path, report: OnProgress) -> Retiming:
        return quantise_file(path, out, options, tempo)

    run([file], work, terminal.show_retiming, 1, Output(as_json, quiet))

"""The command line's `export`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unbraid import terminal
from unbraid.cli.exit_codes import EXIT_CODES
from unbraid.cli.options import Json, Quiet
from unbraid.cli.running import Output, run, usage
from unbraid.types import OnProgress

if TYPE_CHECKING:
    from unbraid.exporting import Exported

USUAL = "report"


def export(
    results: Annotated[list[Path], typer.Argument(help="Folders of results.", metavar="RESULT...")],
    to: Annotated[
        str,
        typer.Option(
            help="Formats: report, musicxml, chords, dawproject, stem, multichannel, click, "
            "spectra.",
            metavar="LIST",
        ),
    ] = USUAL,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Make those that are there again.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Hand results over to notation programs, DAWs and DJ programs."""
    from unbraid.exporting import check_exports, export_result

    with usage():
        names = check_exports(name.strip() for name in to.split(",") if name.strip())
    codes = {kind.__name__: code for kind, code in EXIT_CODES.items()}
    failed: list[int] = []

    def work(path: Path, report: OnProgress) -> "Exported":
        exported = export_result(path, names, overwrite=overwrite, on_progress=report)
        failed.extend(codes[problem.kind] for problem in exported.problems.values())
        return exported

    run(results, work, terminal.show_exported, 1, Output(as_json, quiet))
    if failed:
        raise typer.Exit(failed[0])

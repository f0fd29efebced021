"""The command line's `cache`: where results are kept, and how much of them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic_core import to_jsonable_python

from unbraid import terminal
from unbraid.cli.exit_codes import EXIT_CODES
from unbraid.errors import resource_error

if TYPE_CHECKING:
    from unbraid.separation.cache import FileCache

GB = 10**9
LIMIT_GB = 10.0

cache_app = typer.Typer(no_args_is_help=True, help="The results of earlier runs.")

NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Neither take results from the cache nor keep them.")
]
CacheDir = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the cache.",
        metavar="DIR",
        envvar="UNBRAID_CACHE_DIR",
        show_default="the user's cache",
    ),
]
CacheLimit = Annotated[
    float,
    typer.Option(
        help="Size of the cache; the results not used for longest go first.",
        metavar="GB",
        envvar="UNBRAID_CACHE_LIMIT",
        min=0,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def open_cache(folder: Path | None, limit_gb: float) -> "FileCache":
    """The cache that the options name."""
    from unbraid.separation.cache import FileCache

    return FileCache(folder, round(limit_gb * GB))


@cache_app.command()
def info(
    cache_dir: CacheDir = None, cache_limit: CacheLimit = LIMIT_GB, as_json: Json = False
) -> None:
    """Show where the cache is and what it holds."""
    held = open_cache(cache_dir, cache_limit).info()
    if as_json:
        typer.echo(json.dumps(to_jsonable_python(held), ensure_ascii=False))
        return
    terminal.out.print(f"folder   {held.folder}")
    terminal.out.print(f"results  {held.entries}")
    terminal.out.print(f"size     {_gb(held.size_bytes)} of {_gb(held.limit_bytes)}")


@cache_app.command()
def clear(cache_dir: CacheDir = None) -> None:
    """Remove all results from the cache; result folders stay as they are."""
    try:
        removed = open_cache(cache_dir, LIMIT_GB).clear()
    except OSError as error:
        problem = resource_error(error)
        terminal.show_error(str(problem))
        raise typer.Exit(EXIT_CODES[type(problem)]) from error
    terminal.out.print(f"removed  {removed.entries} results, {_gb(removed.size_bytes)}")


def _gb(size_bytes: int) -> str:
    return f"{size_bytes / GB:.2f} GB"

"""The command line's `serve`: runs the service on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unbraid import terminal
from unbraid.cli.exit_codes import EXIT_CODES
from unbraid.errors import MissingExtraError, UnbraidError

if TYPE_CHECKING:
    from unbraid.service.settings import Settings

USAGE = 2  # also where an account or key is unknown, or a name is taken

Host = Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")]
Port = Annotated[
    int | None,
    typer.Option(help="Port; 0 takes a free one.", min=0, max=65535, show_default="8000"),
]
Workers = Annotated[
    int | None, typer.Option(help="Songs at work at once.", min=0, show_default="1")
]
Data = Annotated[
    Path | None,
    typer.Option(
        help="Folder of jobs, recordings and results.",
        metavar="DIR",
        show_default="the user's data folder",
    ),
]
ShowConfig = Annotated[
    bool, typer.Option("--show-config", help="Print and explain all settings, and end.")
]


def serve(
    host: Host = None,
    port: Port = None,
    workers: Workers = None,
    data: Data = None,
    show_config: ShowConfig = False,
) -> None:
    """Run the service: jobs over HTTP that survive a restart."""
    with explained():
        settings = read_settings(host=host, port=port, workers=workers, data=data)
        if show_config:
            terminal.show_settings(settings.explained())
        else:
            _serve(settings)


@contextmanager
def explained() -> Iterator[None]:
    """Show an error and end the program."""
    try:
        yield
    except UnbraidError as error:
        terminal.show_error(str(error))
        codes = [EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES]
        raise typer.Exit(codes[0] if codes else USAGE) from error


def read_settings(**given: Any) -> "Settings":
    """The service's settings, from the environment where none is given.

    Raises:
        MissingExtraError: the service is not installed.
    """
    try:
        from pydantic import ValidationError

        from unbraid.service.settings import Settings
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"the service needs {error.name}: pip install 'unbraid[service]'"
        ) from error
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        problems = [
            f"UNBRAID_{each['loc'][0]}".upper() + f": {each['msg']}" for each in error.errors()
        ]
        raise typer.BadParameter("; ".join(problems)) from error


def _serve(settings: "Settings") -> None:
    from unbraid.service.server import serve

    def show(address: str) -> None:
        terminal.out.print(f"Unbraid serves at {address}; its API is described at {address}/docs")

    serve(settings, show)

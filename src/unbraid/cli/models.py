"""The command line's `models`: lists, pulls, verifies and removes separation models."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic_core import to_jsonable_python

from unbraid import terminal
from unbraid.cli.exit_codes import EXIT_CODES
from unbraid.errors import UnbraidError

if TYPE_CHECKING:
    from unbraid.weights import ModelEntry, ModelStore

models_app = typer.Typer(no_args_is_help=True, help="The separation models.")

Names = Annotated[
    list[str],
    typer.Argument(help="Models, or folders with models of your own.", metavar="MODEL..."),
]
AnyNames = Annotated[
    list[str] | None, typer.Argument(help="Models; by default all here.", metavar="MODEL...")
]
ModelsDir = Annotated[
    Path | None,
    typer.Option(
        help="Folder of models.",
        metavar="DIR",
        envvar="UNBRAID_MODELS_DIR",
        show_default="the user's cache",
    ),
]
Offline = Annotated[bool, typer.Option(help="Never ask the network.", envvar="UNBRAID_OFFLINE")]
Mirror = Annotated[
    str | None,
    typer.Option(
        help="Address that stands in for the hosts of the models.",
        metavar="URL",
        envvar="UNBRAID_MODELS_MIRROR",
    ),
]
AcceptLicence = Annotated[
    bool, typer.Option("--accept-licence", help="Confirm a licence without being asked.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show errors only.")]


@models_app.command("list")
def list_models(models_dir: ModelsDir = None, as_json: Json = False) -> None:
    """Show the models, their stems and licences, and which are here; and the presets."""
    from unbraid.weights import models

    store = _store(models_dir)
    entries = models().values()
    if as_json:
        typer.echo(json.dumps([_document(store, entry) for entry in entries], ensure_ascii=False))
    else:
        terminal.show_models((entry, len(store.present(entry))) for entry in entries)
        terminal.show_presets()


@models_app.command()
def pull(
    names: Names,
    models_dir: ModelsDir = None,
    offline: Offline = False,
    mirror: Mirror = None,
    accept_licence: AcceptLicence = False,
    quiet: Quiet = False,
) -> None:
    """Bring models here and verify them."""
    with _explained():
        store = _store(models_dir, offline, mirror)
        entries = [store.find(name) for name in names]
        for entry in entries:
            if entry.non_commercial and not store.accepted(entry):
                _ask_licence(store, entry, accept_licence)
        with terminal.TransferBars(quiet=quiet) as bars:
            for entry in entries:
                local = store.fetch(entry, on_progress=bars.update)
                if not quiet:
                    terminal.show_local_model(local)


@models_app.command()
def verify(names: AnyNames = None, models_dir: ModelsDir = None) -> None:
    """Check the files of models against their digests."""
    with _explained():
        store = _store(models_dir)
        for entry in _chosen(store, names):
            terminal.show_local_model(store.verify(entry))


@models_app.command()
def path(
    name: Annotated[str | None, typer.Argument(help="A model.", metavar="MODEL")] = None,
    models_dir: ModelsDir = None,
) -> None:
    """Print the folder of all models, or of one."""
    with _explained():
        store = _store(models_dir)
        typer.echo(store.path(store.find(name)) if name else store.folder)


@models_app.command()
def remove(names: Names, models_dir: ModelsDir = None) -> None:
    """Delete the files of models."""
    with _explained():
        store = _store(models_dir)
        for entry in [store.find(name) for name in names]:
            store.remove(entry)


def _store(folder: Path | None, offline: bool = False, mirror: str | None = None) -> "ModelStore":
    from unbraid.weights import ModelStore

    return ModelStore(folder, offline=offline, mirror=mirror)


def _chosen(store: "ModelStore", names: list[str] | None) -> "Iterable[ModelEntry]":
    """The named models, or all that are here."""
    from unbraid.weights import models

    if names:
        return [store.find(name) for name in names]
    return [entry for entry in models().values() if store.present(entry)]


def _document(store: "ModelStore", entry: "ModelEntry") -> dict[str, object]:
    """What `--json` prints of a model."""
    facts: dict[str, object] = to_jsonable_python(entry)
    here = [member.name for member in store.present(entry)]
    return {**facts, "folder": str(store.path(entry)), "here": here}


def _ask_licence(store: "ModelStore", entry: "ModelEntry", accepted: bool) -> None:
    """Show a licence; keep that it is confirmed."""
    terminal.err.print(
        f"{entry.name} is under {entry.licence}: not for commercial use. See {entry.source}"
    )
    if accepted or _confirmed("Do you accept that?"):
        store.accept(entry)


def _confirmed(question: str) -> bool:
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:  # there is nobody to answer
        return False


@contextmanager
def _explained() -> Iterator[None]:
    """Show an error in one line, and end with its exit code."""
    try:
        yield
    except UnbraidError as error:
        terminal.show_error(str(error))
        raise typer.Exit(EXIT_CODES[type(error)]) from error

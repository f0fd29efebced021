"""The command line's `doctor`: what there is, and whether a model can run."""

import json
from typing import Annotated

import typer
from pydantic_core import to_jsonable_python

from unbraid import terminal
from unbraid.cli.cache import LIMIT_GB, CacheDir, open_cache
from unbraid.cli.exit_codes import EXIT_CODES
from unbraid.cli.models import ModelsDir, Offline
from unbraid.cli.options import Device, Model, Precision, Segment
from unbraid.errors import InputError
from unbraid.types import ProcessOptions, SeparationOptions
from unbraid.weights import ModelStore

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]

CODES = {kind.__name__: code for kind, code in EXIT_CODES.items()}
USUAL = SeparationOptions()


def doctor(
    model: Model = None,
    device: Device = USUAL.device,
    precision: Precision = None,
    segment: Segment = None,
    models_dir: ModelsDir = None,
    offline: Offline = False,
    cache_dir: CacheDir = None,
    as_json: Json = False,
) -> None:
    """Say what this machine has, and whether and how a model would run on it."""
    from unbraid.diagnosis import diagnose

    try:
        options = SeparationOptions(
            device=device, precision=precision or USUAL.precision, segment_s=segment
        )
    except InputError as error:
        raise typer.BadParameter(str(error)) from error
    found = diagnose(
        model or ProcessOptions.model,
        options,
        ModelStore(models_dir, offline=offline),
        open_cache(cache_dir, LIMIT_GB).folder,
        offline=offline,
    )
    if as_json:
        typer.echo(json.dumps(to_jsonable_python(found), ensure_ascii=False))
    else:
        terminal.show_diagnosis(found)
    if kind := found.model.problem_kind:
        raise typer.Exit(CODES[kind])

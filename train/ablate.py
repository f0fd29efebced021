"""What each part of a recipe is worth: the same training without it, one after the other.

    python -m train.ablate train/ablation.toml -o out/ablation

The file holds a recipe as [recipe], with the sections of `train.options`, and under [without.NAME]
what differs in each variation. FOLDER/ablation.md gets the figures; what is done already is not
done again.
"""

import argparse
import csv
import json
import tomllib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from train.data import renderer
from train.memory import keep_freed_memory
from train.options import Options, parse_options
from train.training import train
from train.validation import validate
from unbraid.errors import InputError, UnbraidError

SHOWN = ("loss", "false_voice", "false_drums", "false_bass", "rumble")

Figures = Mapping[str, float]
Variations = Mapping[str, Options]


def read_variations(file: Path) -> Variations:
    """The recipe of a file as "all", and its variations by their names.

    Raises:
        InputError: the file cannot be read, or holds what has no meaning.
    """
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{file} cannot be read: {error}") from error
    recipe = table.get("recipe", {})
    changes: dict[str, dict[str, Any]] = {"all": {}} | table.get("without", {})
    return {
        name: parse_options(_changed(recipe, change), f"{file}, {name}")
        for name, change in changes.items()
    }


def _changed(recipe: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe with other values."""
    sections = recipe.keys() | change.keys()
    return {name: {**recipe.get(name, {}), **change.get(name, {})} for name in sections}


def ablate(variations: Variations, folder: Path) -> dict[str, Figures]:
    """Train each variation, unless its figures are there, and write what came out.

    Returns:
        Of each variation the figures of the last step, as `train.validation.validate` names them.
    """
    found: dict[str, Figures] = {}
    for name, options in variations.items():
        place = folder / name
        figures = place / "figures.json"
        if not figures.exists():
            judge = partial(validate, options=options.validation)
            train(options, place, renderer(options.data), judge, report=lambda _: None)
            figures.write_text(json.dumps(_last_row(place / "curve.csv"), indent=2) + "\n")
        found[name] = json.loads(figures.read_text())
        (folder / "ablation.md").write_text(table(found))
        print(f"{name}: {found[name]}", flush=True)
    return found


def _last_row(curve: Path) -> Figures:
    with curve.open(newline="") as file:
        *_, last = csv.DictReader(file)
    return {name: float(value) for name, value in last.items() if value}


def table(found: Mapping[str, Figures]) -> str:
    """The figures of all variations, Markdown; those of the rest as what they lose or gain."""
    whole, *_ = found.values()
    names = [name for name in whole if name in SHOWN or name.startswith("sdr")]
    lines = [["", *names], ["---", *["---:"] * len(names)]]
    for name, figures in found.items():
        shown = [
            f"{figures[each]:.2f}" if figures is whole else f"{figures[each] - whole[each]:+.2f}"
            for each in names
        ]
        lines.append([name, *shown])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Ablate what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m train.ablate", description=__doc__)
    parser.add_argument("variations", type=Path, help="TOML file")
    parser.add_argument("-o", "--folder", type=Path, default=Path("out/ablation"))
    wanted = parser.parse_args(arguments)
    try:
        keep_freed_memory()
        ablate(read_variations(wanted.variations), wanted.folder)
    except UnbraidError as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()

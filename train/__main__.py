"""Trains the separator: python -m train [OPTIONS.toml] [-o FOLDER]; --help shows the rest."""

import argparse
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from train.data import renderer
from train.memory import keep_freed_memory
from train.options import read_options
from train.training import train
from train.validation import skipped, validate
from unbraid.errors import UnbraidError


def main() -> None:
    """Train as the command line says."""
    arguments = _parser().parse_args()
    try:
        options = read_options(arguments.options, _instead(arguments))
        keep_freed_memory()
        for reason in skipped(options.validation):
            print(reason)
        train(
            options,
            arguments.folder,
            renderer(options.data),
            partial(validate, options=options.validation),
            should_stop=_asked_by_ctrl_c(),
            report=partial(print, flush=True),
        )
    except UnbraidError as error:
        raise SystemExit(f"error: {error}") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train", description=__doc__)
    add = parser.add_argument
    add("options", nargs="?", type=Path, default=Path("train/lite.toml"), help="TOML file")
    add("-o", "--folder", type=Path, default=Path("out/lite"), help="where results go")
    add("--seed", type=int, help="of the excerpts and their augmentation")
    add("--minutes", type=float, help="stop after this time; the same command goes on later")
    add("--device", choices=["cpu", "cuda"], help="where to compute")
    add("--references", type=Path, help="folder of NAME.flac and NAME.STEM.flac to validate on")
    add("--instrumentals", type=Path, nargs="+", help="recordings without voice to validate on")
    add("--voices", type=Path, nargs="+", help="recordings of voices alone to validate on")
    return parser


def _instead(arguments: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """What the command line says in the place of the file, by section."""
    given = {name: value for name, value in vars(arguments).items() if value is not None}
    sections = {
        "run": ("seed", "minutes", "device"),
        "validation": ("references", "instrumentals", "voices"),
    }
    return {
        section: {name: given[name] for name in names if name in given}
        for section, names in sections.items()
    }


def _asked_by_ctrl_c() -> Callable[[], bool]:
    """Whether Ctrl-C was pressed; pressed again, it ends the program at once."""
    asked = False

    def note(_signal: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, note)
    return lambda: asked


if __name__ == "__main__":
    main()

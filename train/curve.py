"""The learning curve, as a table and as a picture."""

import csv
import importlib.util
from collections.abc import Mapping
from pathlib import Path

from unbraid.export.folder import writing

PANELS = {"loss": "loss", "sdr": "SDR, dB", "false_voice": "false voice, dB"}
"""First letters of the columns that share a panel, and its label."""


class Curve:
    """Rows of figures under `curve.csv`, drawn as `curve.png` where matplotlib is installed."""

    def __init__(self, folder: Path, steps: int = 0) -> None:
        """Go on with the curve of a folder.

        Args:
            folder: where the files lie.
            steps: those done so far; later rows are forgotten.
        """
        self._folder = folder
        self._rows: list[dict[str, str]] = []
        if (table := folder / "curve.csv").exists():
            with table.open(newline="") as file:
                rows = csv.DictReader(file)
                self._rows = [row for row in rows if int(row["step"]) <= steps]

    def add(self, step: int, figures: Mapping[str, float]) -> None:
        """Append a row; figures that others lack get a column of their own."""
        row = {"step": str(step)} | {name: f"{value:.6g}" for name, value in figures.items()}
        self._rows.append(row)
        columns = list(dict.fromkeys(name for row in self._rows for name in row))
        with (
            writing(self._folder / "curve.csv", self._folder) as unfinished,
            unfinished.open("w", newline="") as file,
        ):
            table = csv.DictWriter(file, columns)
            table.writeheader()
            table.writerows(self._rows)

    def draw(self) -> None:
        """Draw losses and figures over the hours of audio that the network has heard."""
        if not importlib.util.find_spec("matplotlib"):
            return
        from matplotlib.figure import Figure  # it is slow to import, and needed here alone

        names = {name for row in self._rows for name in row}
        panels = {
            label: shown
            for prefix, label in PANELS.items()
            if (shown := sorted(name for name in names if name.startswith(prefix)))
        }
        figure = Figure(figsize=(9, 3 * len(panels)), layout="constrained")
        plots = figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0]
        for plot, (label, shown) in zip(plots, panels.items(), strict=True):
            for name in shown:
                points = [
                    (float(row["audio_s"]) / 3600, float(row[name]))
                    for row in self._rows
                    if row.get(name)
                ]
                plot.plot(*zip(*points, strict=True), marker=".", label=name)
            plot.set_ylabel(label)
            plot.grid(alpha=0.3)
            plot.legend(fontsize="small")
        plots[-1].set_xlabel("hours of audio heard")
        with writing(self._folder / "curve.png", self._folder) as unfinished:
            figure.savefig(unfinished)

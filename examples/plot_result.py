"""Draws a result folder: the stems as waveforms, with the notes found in them. Needs matplotlib.

python examples/plot_result.py out/demo docs/result.png
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pretty_midi

from unbraid import Manifest, load

COLOURS = {"vocals": "#e4572e", "drums": "#6c757d", "bass": "#17bebb", "other": "#e0a800"}
COLUMNS = 1600  # of a waveform


def draw(folder: Path, picture: Path) -> None:
    """Draw the result in `folder` and save it as `picture`."""
    manifest = Manifest.model_validate_json((folder / "manifest.json").read_bytes())
    figure, axes = plt.subplots(
        len(manifest.stems), sharex=True, figsize=(11, 7), layout="constrained"
    )
    for axis, (name, stem) in zip(axes, manifest.stems.items(), strict=True):
        colour = COLOURS.get(name, "#555555")
        signal = load(folder / stem.file)
        peaks = np.array(
            [part.max() for part in np.array_split(np.abs(signal.samples[0]), COLUMNS)]
        )
        times_s = np.linspace(0, signal.duration_s, COLUMNS)
        axis.fill_between(times_s, -peaks, peaks, color=colour, alpha=0.3, linewidth=0)
        axis.set(ylabel=name, yticks=[], ylim=(-1, 1), xlim=(0, signal.duration_s))
        if manifest.midi and name in manifest.midi.files:
            notes = pretty_midi.PrettyMIDI(str(folder / manifest.midi.files[name])).instruments
            pitches = axis.twinx()
            pitches.set(
                ylim=(24, 96),
                yticks=[36, 48, 60, 72, 84],
                yticklabels=["C2", "C3", "C4", "C5", "C6"],
            )
            for note in notes[0].notes if notes else []:
                pitches.hlines(note.pitch, note.start, note.end, color=colour, linewidth=3)
    axes[-1].set_xlabel("seconds")
    figure.suptitle(manifest.input.file)
    figure.savefig(picture, dpi=100)


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))

"""Memory for a minute of music and for an hour of it."""

import sys
import tempfile
from pathlib import Path

from bench import recordings
from bench.measuring import Run, in_child, run_command
from bench.process import UNBRAID
from bench.results import Section, Target

MINUTES = (1, 60)
NAIVE_MINUTES = (1, 3)  # an hour would take about a hundred GB
MOST_MB = 700
MOST_GROWTH = 1.15


def bench() -> Section:
    """Run each command on the shorter and on the longer song."""
    found = {
        "`unbraid process`": [_measured(minutes, "process") for minutes in MINUTES],
        "`unbraid separate`": [_measured(minutes, "separate") for minutes in MINUTES],
        "script by hand": [_measured(minutes, None) for minutes in NAIVE_MINUTES],
    }
    lengths = dict.fromkeys(found, MINUTES) | {"script by hand": NAIVE_MINUTES}
    short, long = found["`unbraid process`"]
    growth = long.peak_mb / short.peak_mb
    return Section(
        title="Memory",
        text=(
            "Largest resident memory of the whole process. The songs are real recordings, one "
            "after the other and over again. The script (bench/naive.py) holds the song in memory."
        ),
        header=("", "shorter song", "peak", "longer song", "peak", "ratio", "time"),
        rows=[
            (
                name,
                f"{lengths[name][0]} min",
                f"{short.peak_mb:.0f} MB",
                f"{lengths[name][1]} min",
                f"{long.peak_mb:.0f} MB",
                f"{long.peak_mb / short.peak_mb:.2f}",
                f"{long.seconds:.0f} s",
            )
            for name, (short, long) in found.items()
        ],
        targets=[
            Target(
                f"at most {MOST_MB} MB at any length",
                f"{long.peak_mb:.0f} MB",
                max(short.peak_mb, long.peak_mb) <= MOST_MB,
            ),
            Target(
                f"an hour takes at most {MOST_GROWTH:.2f} times the memory of a minute",
                f"{growth:.2f}",
                growth <= MOST_GROWTH,
            ),
        ],
    )


def _measured(minutes: int, command: str | None) -> Run:
    """Run a command of ours, or else the script, on a song of some minutes."""
    with tempfile.TemporaryDirectory() as folder:
        song, out = Path(folder, "song.flac"), Path(folder, "out")
        out.mkdir()
        in_child(recordings.loop, minutes, song)
        if command:
            return run_command(UNBRAID, command, song, "-o", out, "--quiet")
        return run_command(sys.executable, "-m", "bench.naive", song, out)

"""Memory for a minute of music and for an hour of it."""

import sys
import tempfile
from pathlib import Path

from bench import recordings
from bench.measuring import Run, Runs, in_child, run_command
from bench.process import UNBRAID
from bench.results import Section, Target

MINUTES = (1, 60)
NAIVE_MINUTES = (1, 3)  # an hour would take about a hundred GB
SHORT_ROUNDS = 3  # the peak of equal runs differs by a few per cent
MOST_MB = 700
MOST_GROWTH = 1.15


def bench() -> Section:
    """Run each command on the shorter song, some times, and on the longer one."""
    peaks = {
        "`unbraid process`": _peaks_mb(MINUTES, "process"),
        "`unbraid separate`": _peaks_mb(MINUTES, "separate"),
        "script by hand": _peaks_mb(NAIVE_MINUTES, None),
    }
    short_mb, long_mb = peaks["`unbraid process`"].values()
    most_mb, growth = max(short_mb, long_mb), long_mb / short_mb
    return Section(
        title="Memory",
        text=(
            "Largest resident memory of the whole process. The songs are real recordings, one "
            "after the other and over again; of the shorter, it is the median of three runs. The "
            "script (bench/naive.py) holds the song in memory."
        ),
        header=("", "shorter song", "longer song", "ratio"),
        rows=[
            (
                name,
                *(f"{minutes} min: {peak_mb:.0f} MB" for minutes, peak_mb in found.items()),
                f"{found[max(found)] / found[min(found)]:.2f}",
            )
            for name, found in peaks.items()
        ],
        targets=[
            Target(
                f"at most {MOST_MB} MB at any length",
                f"{most_mb:.0f} MB",
                most_mb <= MOST_MB,
            ),
            Target(
                f"an hour takes at most {MOST_GROWTH:.2f} times the memory of a minute",
                f"{growth:.3f}",
                growth <= MOST_GROWTH,
            ),
        ],
    )


def _peaks_mb(lengths: tuple[int, int], command: str | None) -> dict[int, float]:
    """Peaks by minutes of song: the median of several runs on the shorter, one on the longer."""
    short, long = lengths
    runs = Runs([_measured(short, command) for _ in range(SHORT_ROUNDS)])
    return {short: runs.peak_mb, long: _measured(long, command).peak_mb}


def _measured(minutes: int, command: str | None) -> Run:
    """Run a command of ours, or else the script, on a song of some minutes."""
    with tempfile.TemporaryDirectory() as folder:
        song, out = Path(folder, "song.flac"), Path(folder, "out")
        out.mkdir()
        in_child(recordings.loop, minutes, song)
        if command:
            return run_command(UNBRAID, command, song, "-o", out, "--quiet", "--no-cache")
        return run_command(sys.executable, "-m", "bench.naive", song, out)

"""A song all the way, from the command to the files, beside a script that does the same by hand."""

import sys
import tempfile
from pathlib import Path

import soundfile

from bench import recordings
from bench.measuring import Run, alternately, run_command
from bench.results import TIMINGS, Section, Target, timings

ROUNDS = 3
LEAST_SPEED = 6
UNBRAID = Path(sys.executable).with_name("unbraid")


def bench() -> Section:
    """Run the command cold, run it again, and run the script."""
    song = recordings.folder() / recordings.SONG
    duration_s = soundfile.info(song).duration
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        found = alternately(
            {
                "`unbraid process`": lambda: process_command(song, out, "--overwrite"),
                "the same again": lambda: process_command(song, out),
                "script by hand": lambda: run_command(
                    sys.executable, "-m", "bench.naive", song, out
                ),
            },
            ROUNDS,
        )
    ours, again, _ = found.values()
    return Section(
        title="Whole way",
        text=(
            f"A song of {duration_s:.0f} s from the command to its stems and MIDI files, the start "
            "of Python included; again, when it finds its work done; and a script that calls the "
            "same networks through numpy and the basic-pitch package (bench/naive.py)."
        ),
        header=TIMINGS,
        rows=timings(found, duration_s),
        targets=[
            Target.speed("the whole way", LEAST_SPEED, duration_s / ours.seconds),
            Target(
                "a second run does not repeat the first",
                f"{again.seconds:.2f} s instead of {ours.seconds:.2f} s",
                again.seconds < ours.seconds / 4,
            ),
        ],
    )


def process_command(song: Path, out: Path, *options: str) -> Run:
    """Run `unbraid process` without its cache."""
    return run_command(UNBRAID, "process", song, "-o", out, "--quiet", "--no-cache", *options)

"""Time and memory of exports, each alone and all together."""

import tempfile
from functools import partial
from pathlib import Path

from bench import recordings
from bench.measuring import Run, alternately, in_child, run_command
from bench.process import UNBRAID
from bench.results import TIMINGS, Section, Target, timings
from unbraid.exporting import EXPORT_NAMES

MINUTES, ROUNDS = 3, 3
MOST_S, MOST_MB = 20, 700
ALL = ",".join(EXPORT_NAMES)


def bench() -> Section:
    """Take a song apart once, and export the result in every format, again and again."""
    with tempfile.TemporaryDirectory() as folder:
        song, out = Path(folder, "song.flac"), Path(folder, "out")
        in_child(recordings.loop, MINUTES, song)
        run_command(UNBRAID, "process", song, "-o", out, "--quiet", "--no-cache", "--export=none")
        found = alternately(
            {name: partial(_export, out / "song", name) for name in (ALL, *EXPORT_NAMES)}, ROUNDS
        )
    together = found.pop(ALL)
    return Section(
        title="Exports",
        text=(
            f"`unbraid export` of a song of {MINUTES} minutes and four stems, the start of Python "
            "included; the memory is that of the largest process, ffmpeg's among them."
        ),
        header=TIMINGS,
        rows=timings({"all together": together, **found}, 60 * MINUTES),
        targets=[
            Target(
                f"all together within {MOST_S} s",
                f"{together.seconds:.1f} s",
                together.seconds <= MOST_S,
            ),
            Target(
                f"at most {MOST_MB} MB", f"{together.peak_mb:.0f} MB", together.peak_mb <= MOST_MB
            ),
        ],
    )


def _export(result: Path, names: str) -> Run:
    return run_command(UNBRAID, "export", result, "--to", names, "--overwrite", "--quiet")

"""How much longer a song takes by way of the service than by the command alone."""

import tempfile
import time
from pathlib import Path

from tests.service.serving import Served

from bench.measuring import Run, alternately
from bench.process import process_command
from bench.results import Section, Target
from bench.service import write_song
from unbraid.inference import available_cores, keep_sessions
from unbraid.pipeline import process

SONG_S, ROUNDS, MOST = 180, 5, 0.05


def bench(song_s: int = SONG_S, rounds: int = ROUNDS) -> Section:
    """Take the same song apart by command, by service, and by the library within a process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        song = write_song(folder / "song.wav", song_s)
        keep_sessions(4)
        with Served(folder / "data", THREADS=str(available_cores())) as server:
            contenders = {
                "`unbraid process`": lambda: process_command(song, folder / "out", "--overwrite"),
                "the service": lambda: _served(server, song),
                "the library, networks loaded": lambda: _called(song, folder / "out"),
            }
            alternately(contenders, 1)  # to load networks, and files of libraries
            found = alternately(contenders, rounds)
    command, service, library = found.values()
    more, alone = service.seconds / command.seconds - 1, service.seconds - library.seconds
    return Section(
        title="Service: overhead",
        text=(
            f"A song of {song_s} s, from the command to its end, with the start of Python, and "
            "from the beginning of its upload to the service, whose worker has its network "
            "loaded, until the event that it is done has come; and by a call of the library in a "
            "process that has its network loaded too. Each uses all cores."
        ),
        header=("", "time", "time ratio"),
        rows=[
            (each, str(runs), f"{runs.seconds / command.seconds:.3f}")
            for each, runs in found.items()
        ],
        targets=[
            Target(
                f"the service takes at most {100 * MOST:g}% longer than the command",
                f"{100 * more:+.1f}%; {alone:+.2f} s beside the library",
                more <= MOST,
            )
        ],
    )


def _served(server: Served, song: Path) -> Run:
    began = time.perf_counter()
    job_id = server.submit(song)
    *_, last = server.watch(job_id)
    seconds = time.perf_counter() - began
    if last.get("state") != "done":
        raise RuntimeError(f"the job ended otherwise: {last}")
    server.client.delete(f"/api/v1/jobs/{job_id}")
    return Run(seconds, 0.0)


def _called(song: Path, out: Path) -> Run:
    began = time.perf_counter()
    process(song, out, overwrite=True)
    return Run(time.perf_counter() - began, 0.0)

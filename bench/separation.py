"""Separation in segments beside the whole song at once, the same network: speed and memory."""

import tempfile
from functools import partial
from pathlib import Path

import soundfile

from bench import naive, recordings
from bench.measuring import Run, alternately, in_child, timed
from bench.results import Section, Target
from unbraid.audio import open_audio
from unbraid.separation import MixtureFile, load_separator, separate_mixture

ROUNDS = 5
LEAST_SPEED = 15


def bench() -> Section:
    """Separate a song both ways; decoding is not counted, loading the network is."""
    song = recordings.folder() / recordings.SONG
    duration_s = soundfile.info(song).duration
    found = alternately(
        {"in segments": partial(in_child, _ours, song), "at once": partial(in_child, _naive, song)},
        ROUNDS,
    )
    ours, peer = found["in segments"], found["at once"]
    speed = duration_s / ours.seconds
    return Section(
        title="Separation",
        text=(
            f"`lite` on a song of {duration_s:.0f} s: Unbraid's segments beside the same network "
            "called once for the whole song (bench/naive.py). Decoding is not counted, loading the "
            "network is; memory is the whole process's, Python and libraries included."
        ),
        header=("", "time", "times real time", "peak memory"),
        rows=[
            (name, str(runs), f"{duration_s / runs.seconds:.1f}", f"{runs.peak_mb:.0f} MB")
            for name, runs in found.items()
        ]
        + [
            (
                "ratio",
                f"{peer.seconds / ours.seconds:.2f}x as fast",
                "",
                f"1/{peer.peak_mb / ours.peak_mb:.1f}",
            )
        ],
        targets=[
            Target(
                f"separation at least {LEAST_SPEED}x real time",
                f"{speed:.1f}x",
                speed >= LEAST_SPEED,
            )
        ],
    )


def _ours(song: Path) -> Run:
    with (
        tempfile.TemporaryDirectory() as folder,
        open_audio(song) as reader,
        MixtureFile(reader, 44_100, Path(folder)) as mixture,
    ):
        return timed(lambda: [None for _ in separate_mixture(load_separator("lite"), mixture)])


def _naive(song: Path) -> Run:
    samples, _ = soundfile.read(song, dtype="float32", always_2d=True)
    return timed(lambda: naive.separate(samples.T))

"""Separation in segments beside the whole song at once, the same network: speed and memory."""

import tempfile
from functools import partial
from pathlib import Path

import soundfile

from bench import naive, recordings
from bench.measuring import Run, alternately, in_child, timed
from bench.results import TIMINGS, Section, Target, timings
from unbraid.audio import open_audio
from unbraid.separation import MixtureFile, load_separator

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
    return Section(
        title="Separation",
        text=(
            f"`lite` on a song of {duration_s:.0f} s: Unbraid's segments beside the same network "
            "called once for the whole song (bench/naive.py). Decoding is not counted, loading the "
            "network is; memory is the whole process's, Python and libraries included."
        ),
        header=TIMINGS,
        rows=timings(found, duration_s),
        targets=[
            Target.speed("separation", LEAST_SPEED, duration_s / found["in segments"].seconds)
        ],
    )


def _ours(song: Path) -> Run:
    with (
        tempfile.TemporaryDirectory() as folder,
        open_audio(song) as reader,
        MixtureFile(reader, 44_100, Path(folder)) as mixture,
    ):
        return timed(lambda: [None for _ in load_separator("lite").stretches(mixture)])


def _naive(song: Path) -> Run:
    samples, _ = soundfile.read(song, dtype="float32", always_2d=True)
    return timed(lambda: naive.separate(samples.T))

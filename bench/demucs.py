"""Demucs's networks beside its own program: speed, memory, and whether the stems are the same.

The networks have the published sizes and random weights, which lie in a folder that both programs
read. With such weights the stems are noise, which takes as long as music.
"""

import math
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from bench import recordings
from bench.measuring import Run, Runs, alternately, in_child, run_command
from bench.process import UNBRAID
from bench.results import TIMINGS, Section, Target, timings
from unbraid.inference import available_cores

SOURCES = ("drums", "bass", "other", "vocals")
SEGMENT_S, STRIDE_S = 7.8, 0.75 * 7.8
SONG_S = 180
ROUNDS = 3
SHORT_MIN, LONG_MIN = 5, 60
LEAST_EXACT, LEAST_FAST, LEAST_BAG = 2.0, 3.0, 8.0
MOST_MB, MOST_GROWTH = 1500, 1.1
MOST_FIRST_S = 4
EXACT_DB, FAST_DB = -60, -40
PEER = Path(sys.executable).with_name("demucs")
WITHOUT_OPENVINO = (
    "import sys; sys.modules['openvino'] = None; from unbraid.cli import main; main()"
)
FIRST_SEGMENT = """
import os, sys
from pathlib import Path
from unbraid import ProcessOptions, process
from unbraid.weights import ModelStore
def stop(progress):
    if progress.stage == "separate" and progress.done_s:
        os._exit(0)
song, out, model, store = map(Path, sys.argv[1:])
options = ProcessOptions(str(model), midi=False)
process(song, out, options, store=ModelStore(store), on_progress=stop)
"""


def speed_bench() -> Section:
    """Let the programs take turns on a song, all stems and all networks of a model."""
    with _models() as models, tempfile.TemporaryDirectory() as folder:
        song = _song(SONG_S, Path(folder))
        contender = partial(_run_unbraid, song, models / "htdemucs", Path(folder))
        found = alternately(
            {
                "`demucs`": lambda: _run_demucs(song, models / "htdemucs", Path(folder)),
                "`unbraid separate`": lambda: contender("exact"),
                "`--precision fast`": lambda: contender("fast", "--precision", "fast"),
                "without the extra `fast`": lambda: contender("plain", program=_without_openvino()),
            },
            ROUNDS,
        )
        differences = {
            name: _difference_db(Path(folder), name) for name in ("exact", "fast", "plain")
        }
    peer, exact, fast, plain = (runs.seconds for runs in found.values())
    return Section(
        title="HTDemucs",
        text=(
            f"`htdemucs` on a song of {SONG_S} s, from the command to the stems: the `demucs` "
            "program, and Unbraid with the same weights, its networks once exported. "
            f"The stems differ from those of `demucs` by {differences['exact']:.0f} dB, in fast "
            f"precision by {differences['fast']:.0f} dB, over onnxruntime by "
            f"{differences['plain']:.0f} dB. {in_child(_limit, exact, fast)}"
        ),
        header=TIMINGS,
        rows=timings(found, SONG_S),
        targets=[
            _times_faster("exact precision", LEAST_EXACT, peer / exact),
            _times_faster("fast precision", LEAST_FAST, peer / fast),
            _times_faster("exact precision over onnxruntime", 1.0, peer / plain),
            _same("exact precision", EXACT_DB, differences["exact"]),
            _same("onnxruntime", EXACT_DB, differences["plain"]),
            _same("fast precision", FAST_DB, differences["fast"]),
        ],
    )


def first_bench() -> Section:
    """Wait for the first finished samples of a song."""
    with _models() as models, tempfile.TemporaryDirectory() as folder:
        song = _song(SONG_S, Path(folder))
        found = Runs([_first_segment(song, models / "htdemucs") for _ in range(ROUNDS)])
    return Section(
        title="First segment of HTDemucs",
        text=(
            f"From the start of Python to the first finished samples of a song of {SONG_S} s, in "
            "exact precision, the network once exported."
        ),
        header=("", "time", "peak memory"),
        rows=[("`htdemucs`", str(found), f"{found.peak_mb:.0f} MB")],
        targets=[
            Target(
                f"at most {MOST_FIRST_S} s", f"{found.seconds:.2f} s", found.seconds <= MOST_FIRST_S
            )
        ],
    )


def bag_bench() -> Section:
    """Take the voice alone, of which a bag of four networks has one that makes it."""
    with _models() as models, tempfile.TemporaryDirectory() as folder:
        song, model = _song(SONG_S, Path(folder)), models / "htdemucs_ft"
        two = ("--two-stems", "vocals")
        found = alternately(
            {
                "`demucs`": lambda: _run_demucs(song, model, Path(folder), *two),
                "`unbraid separate`": lambda: _run_unbraid(song, model, Path(folder), "ft", *two),
            },
            ROUNDS,
        )
    peer, ours = (runs.seconds for runs in found.values())
    return Section(
        title="One stem of a bag",
        text=(
            f"`--two-stems vocals` with `htdemucs_ft` on a song of {SONG_S} s. `demucs` runs "
            "all four networks, Unbraid the one that makes the voice."
        ),
        header=TIMINGS,
        rows=timings(found, SONG_S),
        targets=[_times_faster("the voice of htdemucs_ft", LEAST_BAG, peer / ours)],
    )


def memory_bench() -> Section:
    """Separate an hour of music; beside it a shorter song, with either program."""
    with _models() as models, tempfile.TemporaryDirectory() as folder:
        model, out = models / "htdemucs", Path(folder)
        short, long = (_song(60 * minutes, out) for minutes in (SHORT_MIN, LONG_MIN))
        peer = _run_demucs(short, model, out).peak_mb
        short_mb, long_mb = (
            _run_unbraid(song, model, out, "memory").peak_mb for song in (short, long)
        )
    return Section(
        title="Memory of HTDemucs",
        text="Largest resident memory of the whole process; `demucs` holds the song in memory.",
        header=("", f"{SHORT_MIN} min", f"{LONG_MIN} min"),
        rows=[
            ("`demucs`", f"{peer:.0f} MB", ""),
            ("`unbraid separate`", f"{short_mb:.0f} MB", f"{long_mb:.0f} MB"),
        ],
        targets=[
            Target(
                f"at most {MOST_MB} MB for {LONG_MIN} minutes",
                f"{long_mb:.0f} MB",
                long_mb <= MOST_MB,
            ),
            Target(
                f"{LONG_MIN} minutes take at most {MOST_GROWTH:g} times those of {SHORT_MIN}",
                f"{long_mb / short_mb:.2f}",
                long_mb <= MOST_GROWTH * short_mb,
            ),
        ],
    )


@contextmanager
def _models() -> Iterator[Path]:
    """A folder of models, and the networks that were exported of them in an earlier run."""
    with tempfile.TemporaryDirectory() as folder:
        in_child(_make_models, Path(folder))
        song = _song(8, Path(folder))
        for model in ("htdemucs", "htdemucs_ft"):
            for program in ((UNBRAID,), _without_openvino()):
                _run_unbraid(song, Path(folder, model), Path(folder), "warm", program=program)
        _run_unbraid(song, Path(folder, "htdemucs"), Path(folder), "warm", "--precision", "fast")
        os.sync()  # or the disk is busy with the networks while the programs run
        yield Path(folder)


def _make_models(folder: Path) -> None:
    """The networks of htdemucs and htdemucs_ft in the sizes that were published."""
    import torch

    signatures = [f"{seed:08x}" for seed in range(4)]
    for model, count in (("htdemucs", 1), ("htdemucs_ft", 4)):
        (folder / model).mkdir()
        for seed, signature in enumerate(signatures[:count]):
            module: Any = _network(seed)
            args, kwargs = module._init_args_kwargs
            package = {
                "klass": type(module),
                "args": args,
                "kwargs": kwargs,
                "state": module.half().state_dict(),
                "training_args": {},
            }
            torch.save(package, folder / model / f"{signature}.th")
        bag = f"models: {signatures[:count]}\n"
        if count > 1:
            bag += f"weights: {np.eye(count).tolist()}\n"
        (folder / model / f"{model}.yaml").write_text(bag, "utf-8")


def _network(seed: int) -> Any:
    import torch
    from demucs.htdemucs import HTDemucs

    torch.manual_seed(seed)
    return HTDemucs(
        list(SOURCES), segment=Fraction(39, 5), bottom_channels=512, dconv_mode=3
    ).eval()


def _song(seconds: float, folder: Path) -> Path:
    song = folder / f"{seconds:g}.wav"
    flac = folder / "song.flac"
    in_child(recordings.loop, seconds / 60, flac)
    samples, rate = soundfile.read(flac, dtype="int16", always_2d=True)
    soundfile.write(song, samples, rate, "PCM_16")
    flac.unlink()
    return song


def _run_demucs(song: Path, model: Path, folder: Path, *options: str) -> Run:
    usual = ("-d", "cpu", "--shifts", "0", "--int24", "--clip-mode", "none")
    return run_command(
        PEER, "--repo", model, "-n", model.name, *usual, "-o", folder / "peer", *options, song
    )


def _run_unbraid(
    song: Path,
    model: Path,
    folder: Path,
    name: str,
    *options: str,
    program: tuple[object, ...] = (UNBRAID,),
) -> Run:
    usual = ("--residual", "off", "--no-cache", "--overwrite", "--quiet")
    where = ("-o", folder / name, "--models-dir", _store(model))
    return run_command(*program, "separate", song, "--model", model, *where, *usual, *options)


def _store(model: Path) -> Path:
    return model.parent / "store"


def _without_openvino() -> tuple[object, ...]:
    return (sys.executable, "-c", WITHOUT_OPENVINO)


def _first_segment(song: Path, model: Path) -> Run:
    with tempfile.TemporaryDirectory() as out:
        return run_command(sys.executable, "-c", FIRST_SEGMENT, song, out, model, _store(model))


def _difference_db(folder: Path, name: str) -> float:
    """Of all stems of a run of ours to those of demucs."""
    error = power = 0.0
    for stem in SOURCES:
        theirs, ours = (
            soundfile.read(next((folder / run).rglob(f"{stem}.wav")), dtype="float32")[0]
            for run in ("peer", name)
        )
        error += float(np.square(ours - theirs).sum(dtype=np.float64))
        power += float(np.square(theirs).sum(dtype=np.float64))
    return 10 * math.log10(error / power)


def _limit(exact_s: float, fast_s: float) -> str:
    """How much of what this machine multiplies at best the programs reach."""
    work, segments = _operations(), math.ceil(SONG_S / STRIDE_S)
    reached = ", ".join(
        f"{work * segments / seconds / 1e9:.0f} of {_matrix_speed(precision) / 1e9:.0f} in {name}"
        for seconds, precision, name in ((exact_s, "f32", "float32"), (fast_s, "bf16", "bfloat16"))
    )
    return (
        f"A segment takes {work / 1e9:.0f} GFLOP in matrix products and convolutions. GFLOP/s over "
        f"the whole run, of those that a product of large matrices reaches here: {reached}."
    )


def _operations() -> float:
    """Multiplications and additions of a segment, twice the products."""
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    torch.backends.mha.set_fastpath_enabled(False)  # which is not counted
    network = _network(0)
    mixture = torch.zeros(1, 2, round(SEGMENT_S * network.samplerate))
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        network(mixture)
    return float(counter.get_total_flops())


def _matrix_speed(precision: str, size: int = 4096) -> float:
    """Operations per second of a matrix product by OpenVINO."""
    import openvino
    from openvino import opset15 as ops

    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(2, size, size)).astype(np.float32)
    x = ops.parameter([size, size], np.float32)
    model = openvino.Model([ops.matmul(x, ops.constant(right), False, False)], [x])
    settings = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": available_cores()}
    request = openvino.Core().compile_model(model, "CPU", settings).create_infer_request()
    request.infer([left])

    def seconds() -> float:
        began = time.perf_counter()
        request.infer([left], share_inputs=True, share_outputs=True)
        return time.perf_counter() - began

    return 2 * size**3 / min(seconds() for _ in range(5))


def _times_faster(what: str, least: float, reached: float) -> Target:
    return Target(
        f"{what} at least {least:g} times as fast as `demucs`", f"{reached:.2f}", reached >= least
    )


def _same(what: str, most_db: float, reached_db: float) -> Target:
    return Target(
        f"stems in {what} within {most_db} dB", f"{reached_db:.0f} dB", reached_db <= most_db
    )

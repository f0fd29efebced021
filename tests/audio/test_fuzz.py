"""Thousands of damaged recordings, decoded in processes of their own so that a crash is seen."""

import faulthandler
import os
import random
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from unbraid.audio import Tags, open_audio, open_writer, read_tags
from unbraid.errors import AudioError, MissingExtraError
from unbraid.types import AudioFormat

BATCHES = 14
FILES_PER_BATCH = 160
MOST_SECONDS = 10.0


def make_seeds(folder: Path) -> None:
    rng = np.random.default_rng(0)
    music = rng.uniform(-0.5, 0.5, (2, 8_000)).astype(np.float32)
    tags = Tags(title="Title", artist="Artist", album="Album", year="1973", track=1)
    formats: tuple[AudioFormat, ...] = ("wav", "flac", "mp3", "ogg", "opus")
    for format in formats:
        with open_writer(folder / f"seed.{format}", 44_100, 2, format, "16", tags) as writer:
            writer.write(music)
    if shutil.which("ffmpeg"):
        for name in ("seed.m4a", "seed.webm", "seed.caf", "seed.w64"):
            command = ["ffmpeg", "-v", "error", "-i", str(folder / "seed.wav"), str(folder / name)]
            subprocess.run(command, check=True)


def mutated(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """`data` damaged in one of the ways in which files are."""
    damaged = bytearray(data)
    header = rng.random() < 0.5
    for _ in range(rng.choice((1, 2, 8, 64))):
        at = rng.randrange(min(len(damaged), 200) if header else len(damaged))
        damaged[at] = rng.choice((0, 0xFF, 0x7F, 0x80, rng.randrange(256)))
    at, size = rng.randrange(len(damaged)), rng.randrange(1, 2_000)
    match rng.randrange(6):
        case 0:
            del damaged[at:]
        case 1:
            del damaged[at : at + size]
        case 2:
            damaged[at:at] = damaged[at : at + size]
        case 3:
            damaged[at:at] = other[at : at + size]
    return bytes(damaged)


def decode_batch(seeds: Path, work: Path, seed: int) -> None:
    """Decode a batch; a crash or a hang leaves the file at fault in `work`."""
    faulthandler.enable()
    rng = random.Random(seed)
    recordings = [path.read_bytes() for path in sorted(seeds.iterdir())]
    for _ in range(FILES_PER_BATCH):
        damaged = work / "damaged"
        damaged.write_bytes(mutated(rng.choice(recordings), rng.choice(recordings), rng))
        started = time.monotonic()
        read_tags(damaged)
        with suppress(AudioError, MissingExtraError), open_audio(damaged) as reader:
            for block in reader.blocks():
                assert block.dtype == np.float32
                assert block.shape[0] == reader.channels
        assert time.monotonic() - started < MOST_SECONDS
        damaged.unlink()


@pytest.mark.slow
def test_damaged_recordings_decode_or_are_refused(tmp_path: Path) -> None:
    seeds, temporary = tmp_path / "seeds", tmp_path / "temporary"
    seeds.mkdir()
    temporary.mkdir()
    make_seeds(seeds)
    for batch in range(BATCHES):
        work = tmp_path / f"batch{batch}"
        work.mkdir()
        done = subprocess.run(
            [sys.executable, __file__, seeds, work, str(batch)],
            env={**os.environ, "TMPDIR": str(temporary)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{work}: {done.stderr}"
        assert not list(work.iterdir())
    assert not list(temporary.iterdir())


if __name__ == "__main__":
    decode_batch(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))

"""Decoding in a process of its own."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from unbraid.audio import AudioReader, open_audio
from unbraid.audio.apart import ApartSource
from unbraid.audio.decode import BLOCK_SAMPLES
from unbraid.audio.sniff import identify
from unbraid.errors import AudioError

RATE = 44_100


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, 0.5, (30 * RATE, 2)).astype(np.float32)


def outcome(reader: AudioReader) -> Sequence[object]:
    with reader:
        samples = np.concatenate(list(reader.blocks()), axis=1)
    facts = (reader.sample_rate, reader.channels, reader.codec, reader.container, reader.decoder)
    return [samples.tobytes(), *facts, reader.promised_length, reader.warnings]


@pytest.mark.parametrize("extension", ["wav", "flac", "mp3", "ogg"])
def test_what_comes_is_the_same_as_from_within(
    tmp_path: Path, noise: np.ndarray, extension: str
) -> None:
    file = tmp_path / f"näme with space.{extension}"
    soundfile.write(file, noise[: 3 * RATE], RATE)
    assert outcome(open_audio(file, apart=True)) == outcome(open_audio(file))
    cut = tmp_path / f"cut.{extension}"
    cut.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert outcome(open_audio(cut, apart=True)) == outcome(open_audio(cut))


def test_what_cannot_be_read_is_refused_alike(tmp_path: Path) -> None:
    file = tmp_path / "broken.flac"
    file.write_bytes(b"fLaC" + bytes(100))
    refusals = []
    for apart in (False, True):
        with pytest.raises(AudioError) as refused:
            open_audio(file, apart=apart)
        refusals.append(str(refused.value))
    assert refusals[0] == refusals[1]


def children() -> set[str]:
    """The processes that this one has begun."""
    return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="reads Linux's /proc")
def test_the_process_can_open_nothing_more_and_knows_no_secret(
    tmp_path: Path, noise: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret")
    file = tmp_path / "long.wav"  # more than a pipe holds, so the process waits
    soundfile.write(file, noise, RATE)
    with file.open("rb") as opened:
        container = identify(opened)
    assert container
    others = children()
    source = ApartSource(file, container, BLOCK_SAMPLES)
    (child,) = children() - others
    rows = Path(f"/proc/{child}/limits").read_text().splitlines()
    limits = {row[:26].strip(): row[26:].split()[:2] for row in rows}
    assert limits["Max open files"] == ["0", "0"]
    assert limits["Max file size"] == ["0", "0"]
    assert limits["Max core file size"] == ["0", "0"]
    assert int(limits["Max address space"][1]) <= 2 << 30
    assert int(limits["Max cpu time"][1]) <= 3600
    assert b"a secret" not in Path(f"/proc/{child}/environ").read_bytes()
    os.kill(int(child), signal.SIGKILL)
    with pytest.raises(AudioError, match="cannot be decoded"):
        list(source.blocks(BLOCK_SAMPLES))
    source.close()

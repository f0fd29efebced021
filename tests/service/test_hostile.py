"""Recordings that are made to do harm."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.service.serving import Served

STEM = {"stems": ["bass"], "residual": "off", "midi": False, "analysis": False}
HOURS = 3
BOMB_RATE = 8_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("data"), MAX_DURATION_S="120") as server:
        yield server


@pytest.fixture(scope="module")
def bomb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hours of silence in a small file."""
    file = tmp_path_factory.mktemp("bomb") / "bomb.flac"
    silence = np.zeros(BOMB_RATE * 3600, np.int16)
    with soundfile.SoundFile(file, "w", BOMB_RATE, 1, "PCM_16") as sound:
        for _ in range(HOURS):
            sound.write(silence)
    assert file.stat().st_size < 1_000_000
    return file


def error_of(server: Served, recording: Path) -> dict[str, str]:
    job_id = server.submit(recording, options=STEM)
    *_, last = server.watch(job_id)
    assert last["state"] == "failed"
    assert server.job(job_id)["steps"][0]["attempts"] <= 1
    error: dict[str, str] = last["error"]
    return error


def test_a_small_file_that_decodes_to_hours_is_refused(server: Served, bomb: Path) -> None:
    error = error_of(server, bomb)
    assert error["type"] == "audio"
    assert "longer than the 120 s" in error["detail"]


def test_such_a_file_is_no_true_stem_either(server: Served, bomb: Path, song: Path) -> None:
    job_id = server.submit(song, options=STEM)
    assert list(server.watch(job_id))[-1]["state"] == "done"
    sent = server.client.put("/api/v1/uploads/bomb.flac", content=bomb.read_bytes()).json()
    wish = {"stems": {"bass": sent["id"]}}
    task = server.client.post(f"/api/v1/jobs/{job_id}/scores", json=wish).json()
    *_, last = server.watch(task["id"])
    assert (last["state"], last["error"]["type"]) == ("failed", "audio")
    assert "longer than the 120 s" in last["error"]["detail"]
    assert server.job(job_id)["scores"] is None


def test_a_file_that_hides_its_length_is_refused_once_it_is_too_long(
    server: Served, bomb: Path, tmp_path: Path
) -> None:
    told = bytearray(bomb.read_bytes())
    told[21] &= 0xF0  # of STREAMINFO, the samples in all: 36 bits, of which 0 means unknown
    told[22:26] = bytes(4)
    hiding = tmp_path / "hiding.flac"
    hiding.write_bytes(told)
    error = error_of(server, hiding)
    assert error["type"] == "audio"
    server_work = list((server.data / "work").glob("*/out/*"))
    assert sum(file.stat().st_size for file in server_work if file.is_file()) < 100_000_000

"""Faults around the server: its disk, its database, its clients, its clock."""

import os
import resource
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from tests.service.serving import Event, Served, wait_for

STEM = {"stems": ["bass"], "residual": "off", "midi": False, "analysis": False}
JOBS = "/api/v1/jobs"
CLOCK = """
import pathlib, time
offset = pathlib.Path(__file__).with_name("offset")
real = time.time
time.time = lambda: real() + float(offset.read_text())
"""


def limit_files(pids: list[int], max_bytes: int | None) -> None:
    """Let no file of these processes grow beyond a size, as if the disk were full."""
    most = resource.RLIM_INFINITY if max_bytes is None else max_bytes
    for pid in pids:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


def until(events: Iterator[Event], **facts: object) -> Event:
    """The next event that has these facts."""
    return next(event for event in events if facts.items() <= event.items())


def assert_done_once(server: Served, job_id: str) -> None:
    events = list(server.watch(job_id))
    assert [event["number"] for event in events] == list(range(1, len(events) + 1))
    assert [event.get("state") for event in events].count("done") == 1
    assert events[-1]["state"] == "done"
    files = server.job(job_id)["files"]
    assert all(server.client.get(file["url"]).status_code == 200 for file in files)


def test_a_job_waits_out_a_full_disk(tmp_path: Path, song: Path) -> None:
    with Served(tmp_path) as server:
        wait_for(lambda: bool(server.workers))
        workers = server.workers
        limit_files(workers, 1_000_000)
        job_id = server.submit(song, options=STEM)
        events = server.watch(job_id)
        until(events, state="running")
        until(events, state="queued")  # it is to be tried again
        limit_files(workers, None)
        assert_done_once(server, job_id)


def test_a_full_disk_refuses_recordings_and_leaves_nothing(tmp_path: Path, song: Path) -> None:
    with Served(tmp_path, "--workers", "0") as server:
        limit_files([server.process.pid], 1_000_000)
        full = server.client.put("/api/v1/uploads/a.wav", content=song.read_bytes())
        assert full.status_code == 503
        assert full.headers["content-type"] == "application/problem+json"
        assert not [file for file in (tmp_path / "objects").rglob("*") if file.is_file()]
        limit_files([server.process.pid], None)
        server.upload(song)


def test_a_locked_database_is_waited_for(tmp_path: Path, song: Path) -> None:
    with Served(tmp_path) as server:
        job_id = server.submit(song, options=STEM)
        until(server.watch(job_id), stage="separate")
        with sqlite3.connect(tmp_path / "unbraid.sqlite", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            cancelled: list[int] = []
            late = threading.Thread(
                target=lambda: cancelled.append(
                    server.client.post(f"{JOBS}/{job_id}/cancel").status_code
                )
            )
            late.start()
            assert server.job(job_id)["state"] == "running"  # readers do not wait
            time.sleep(1)
            assert not cancelled
            other.execute("ROLLBACK")
        late.join()
        assert cancelled == [202]
        assert list(server.watch(job_id))[-1]["state"] in ("cancelled", "done")


def test_a_job_outlives_the_absence_of_its_database(
    tmp_path: Path, long_song: Path, postgres: str
) -> None:
    at = f"host={postgres} user=unbraid dbname=postgres"
    with psycopg.connect(at, autocommit=True) as operator:
        operator.execute("CREATE DATABASE leaves")
        with Served(tmp_path, DATABASE=f"postgresql://unbraid@/leaves?host={postgres}") as server:
            job_id = server.submit(long_song, options=STEM)
            until(server.watch(job_id), stage="separate")
            operator.execute("ALTER DATABASE leaves ALLOW_CONNECTIONS false")
            operator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'leaves'"
            )
            gone = server.client.get(JOBS)
            assert (gone.status_code, gone.headers["retry-after"]) == (503, "10")
            assert gone.json()["type"] == "urn:unbraid:service-unavailable"
            assert server.client.get("/health").status_code == 200
            operator.execute("ALTER DATABASE leaves ALLOW_CONNECTIONS true")
            assert_done_once(server, job_id)
            unstorable = server.client.get(f"{JOBS}/a%00b")
            assert (unstorable.status_code, unstorable.json()["status"]) == (422, 422)


def test_clients_that_vanish_leave_nothing_behind(tmp_path: Path, song: Path) -> None:
    def sockets() -> int:
        opened = Path(f"/proc/{server.process.pid}/fd").iterdir()
        return sum(
            os.path.realpath(each).rpartition("/")[2].startswith("socket:") for each in opened
        )

    with Served(tmp_path, "--workers", "0") as server:
        job_id = server.submit(song)
        stored = {file for file in (tmp_path / "objects").rglob("*") if file.is_file()}
        server.client.get("/health")
        before = sockets()
        address = urlsplit(server.address)
        host = "HTTP/1.1\r\nHost: localhost\r\n"
        for head in (
            f"PUT /api/v1/uploads/a.wav {host}Content-Length: 999999\r\n\r\nx",
            f"GET {JOBS}/{job_id}/events {host}\r\n",
        ) * 5:
            with socket.create_connection((address.hostname, address.port)) as client:
                client.sendall(head.encode())
                if head.startswith("GET"):
                    assert b"200" in client.recv(1000)
        wait_for(lambda: sockets() <= before)
        files = (tmp_path / "objects").rglob
        wait_for(lambda: {file for file in files("*") if file.is_file()} == stored)
        assert server.client.get(f"{JOBS}/{job_id}").json()["state"] == "queued"


@pytest.mark.parametrize(
    "jump_s", [pytest.param(86_400.0 * 2, marks=pytest.mark.slow), -86_400.0 * 2]
)
def test_a_clock_that_jumps_loses_nothing(
    tmp_path: Path, song: Path, monkeypatch: pytest.MonkeyPatch, jump_s: float
) -> None:
    clock = tmp_path / "clock"
    clock.mkdir()
    (clock / "sitecustomize.py").write_text(CLOCK)
    (clock / "offset").write_text("0")
    monkeypatch.setenv("PYTHONPATH", str(clock), prepend=":")
    with Served(tmp_path / "data", LEASE_S="2", MAX_ATTEMPTS="2") as server:
        job_id, next_id = (server.submit(song, options=STEM) for _ in range(2))
        until(server.watch(job_id), stage="separate")
        (clock / "new").write_text(str(jump_s))
        (clock / "new").replace(clock / "offset")
        for each in (job_id, next_id):
            assert_done_once(server, each)
            job = server.job(each)
            created, finished = (datetime.fromisoformat(job[at]) for at in ("created", "finished"))
            assert abs((finished - created).total_seconds() - jump_s) < 3_600

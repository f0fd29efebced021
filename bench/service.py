"""How soon the service answers, and tells of progress, while it takes a song apart."""

import asyncio
import os
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
import soundfile
from tests.service.serving import Served

from bench.results import Section, Target
from unbraid.demo import demo_song
from unbraid.service.db import Database, Event

SONG_S, UPLOAD_BYTES, REQUESTS, WATCHERS = 180, 10_000_000, 40, 200
SUBMIT_S, STATUS_S, LAG_S, FIRST_S, MEMORY_MB = 0.1, 0.02, 1.0, 1.0, 300


@dataclass
class _Found:
    """Seconds of each request, of events on their way, and until the first; memory of the server.

    The memory is that of the server without its workers.
    """

    submit: list[float] = field(default_factory=list)
    status: list[float] = field(default_factory=list)
    lag: list[float] = field(default_factory=list)
    first_s: float = 0.0
    memory_mb: float = 0.0


def bench(song_s: int = SONG_S, requests: int = REQUESTS, watchers: int = WATCHERS) -> Section:
    """Ask a server for much at once while a song is taken apart."""
    with tempfile.TemporaryDirectory() as folder:
        found = _measure(Path(folder), song_s, requests, watchers)
    times = (
        (f"upload of {UPLOAD_BYTES // 10**6} MB and submission", found.submit, SUBMIT_S),
        ("status of a job", found.status, STATUS_S),
        (f"an event at {watchers} watchers", found.lag, LAG_S),
    )
    return Section(
        title="Service",
        text=(
            f"`unbraid serve` with one worker, which takes a song of {song_s} s apart meanwhile; "
            f"the clients share its cores. {requests} requests of each kind, then {watchers} that "
            "watch the job at once, with the time from when an event is stored until it has come."
        ),
        header=("", "median", "95th percentile", "most"),
        rows=[
            (name, *(f"{1000 * np.quantile(taken, q):.0f} ms" for q in (0.5, 0.95, 1.0)))
            for name, taken, _ in times
        ],
        targets=[
            *(
                Target(
                    f"{name} within {1000 * most:.0f} ms at the 95th percentile",
                    f"{1000 * np.quantile(taken, 0.95):.0f} ms",
                    bool(np.quantile(taken, 0.95) <= most),
                )
                for name, taken, most in times
            ),
            Target(
                f"first progress within {FIRST_S:g} s of the submission",
                f"{found.first_s:.2f} s",
                found.first_s <= FIRST_S,
            ),
            Target(
                f"server within {MEMORY_MB} MB",
                f"{found.memory_mb:.0f} MB",
                found.memory_mb <= MEMORY_MB,
            ),
        ],
    )


def write_song(file: Path, song_s: int) -> Path:
    """The demonstration song, over and over again."""
    mixture = demo_song().mixture
    length = song_s * mixture.sample_rate
    samples = np.tile(mixture.samples, -(-length // mixture.length))[:, :length]
    soundfile.write(file, samples.T, mixture.sample_rate)
    return file


def _measure(folder: Path, song_s: int, requests: int, watchers: int) -> _Found:
    found, sent = _Found(), os.urandom(UPLOAD_BYTES)
    song, first_song = write_song(folder / "song.wav", song_s), write_song(folder / "first.wav", 20)
    with Served(folder / "data") as server:
        upload = server.upload(song)
        list(server.watch(server.submit(first_song)))  # the worker is up, its network loaded
        began = time.time()
        job_id = server.client.post("/api/v1/jobs", json={"upload_id": upload}).json()["id"]
        sent_jobs: list[str] = []
        for _ in range(requests):
            found.submit.append(_timed(lambda: sent_jobs.append(_submit(server, sent))))
            server.client.delete(f"/api/v1/jobs/{sent_jobs.pop()}")
            found.status.append(_timed(lambda: server.job(job_id)))
        seen = server.job(job_id)["last_event"]
        came = asyncio.run(_watch(server.address, job_id, seen, watchers))
        stored = _stored(server.data, job_id)
        found.lag = [moment - stored[number].at for number, moment in came]
        first = next(event for event in stored.values() if event.kind == "progress")
        found.first_s = first.at - began
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        found.memory_mb = int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1000
    return found


def _timed(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return time.perf_counter() - began


def _submit(server: Served, recording: bytes) -> str:
    upload = server.client.put("/api/v1/uploads/noise.wav", content=recording).json()["id"]
    wish = {"upload_id": upload, "priority": "low"}
    return str(server.client.post("/api/v1/jobs", json=wish).json()["id"])


async def _watch(
    address: str, job_id: str, seen: int, watchers: int
) -> Sequence[tuple[int, float]]:
    """Numbers of events after `seen`, and when they came, at all watchers."""
    came: list[tuple[int, float]] = []
    url, headers = f"{address}/api/v1/jobs/{job_id}/events", {"Last-Event-ID": str(seen)}
    limits = httpx.Limits(max_connections=watchers)

    async def watch(client: httpx.AsyncClient) -> None:
        async with client.stream("GET", url, headers=headers) as answer:
            came.extend(
                [
                    (int(line[4:]), time.time())
                    async for line in answer.aiter_lines()
                    if line.startswith("id: ")
                ]
            )

    async with httpx.AsyncClient(timeout=600, limits=limits) as client:
        await asyncio.gather(*(watch(client) for _ in range(watchers)))
    return came


def _stored(data: Path, job_id: str) -> dict[int, Event]:
    database = Database(f"sqlite:///{data / 'unbraid.sqlite'}")
    with database.read() as session:
        events = session.query(Event).where(Event.job_id == job_id).order_by(Event.number).all()
    database.close()
    return {event.number: event for event in events}

"""A server in a process of its own, and a client that talks to it as users do."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
from typer.testing import CliRunner

from unbraid.cli import app

DEADLINE_S = 120.0
COMMAND = [sys.executable, "-c", "from unbraid.cli import main; main()"]

Event = dict[str, Any]


def wait_for(what: Callable[[], bool]) -> None:
    until = time.monotonic() + DEADLINE_S
    while not what():
        assert time.monotonic() < until, "this did not come"
        time.sleep(0.02)


@dataclass
class Watching:
    """A stream of events that can be left at any time."""

    lines: Iterator[str]

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        fields: dict[str, str] = {}
        for line in self.lines:
            if not line and "data" in fields:
                data = json.loads(fields["data"])
                return {"number": int(fields["id"]), "kind": fields["event"], **data}
            name, _, value = line.partition(": ")
            fields[name] = value
        raise StopIteration


class Served:
    """`unbraid serve` on a data folder, which can be killed and started again."""

    def __init__(self, data: Path, *arguments: str, **settings: str) -> None:
        self.data = data
        self._arguments = arguments
        usual = {"CACHE_LIMIT": "0", "LEASE_S": "30", "THREADS": "1", "QUICK_WORKERS": "0"}
        usual |= {"UNDO_MINUTES": "0", "MIN_FREE_GB": "0"}
        self._settings = {f"UNBRAID_{name}": value for name, value in (usual | settings).items()}
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "serve", "--port", "0", "--data", str(self.data), *self._arguments],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | self._settings,
        )
        assert self.process.stdout
        words = self.process.stdout.readline().split()
        self.address = next(word for word in words if word.startswith("http")).rstrip(";")
        self.client = httpx.Client(base_url=self.address, timeout=DEADLINE_S)

    def command(self, *arguments: str, given: str = "") -> str:
        """Run `unbraid` on the same data, in this process; gives what it prints."""
        runner = CliRunner(env=self._settings)
        done = runner.invoke(app, [*arguments, "--data", str(self.data)], input=given)
        assert done.exit_code == 0, done.output
        return done.stdout

    @property
    def workers(self) -> list[int]:
        """Process ids of its workers."""
        pid = self.process.pid
        tasks = Path(f"/proc/{pid}/task").glob("*/children")
        return [int(child) for task in tasks for child in task.read_text().split()]

    def kill(self) -> None:
        """End the server without a word."""
        self.process.kill()
        self._end()

    def stop(self) -> int:
        """Ask it to stop; gives its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self._end()

    def _end(self) -> int:
        code = self.process.wait(DEADLINE_S)
        assert self.process.stdout
        self.process.stdout.close()
        self.client.close()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.stop()

    def upload(self, song: Path) -> str:
        answer = self.client.put(f"/api/v1/uploads/{song.name}", content=song.read_bytes())
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def submit(self, song: Path, **wish: Any) -> str:
        answer = self.client.post("/api/v1/jobs", json={"upload_id": self.upload(song), **wish})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        job: dict[str, Any] = self.client.get(f"/api/v1/jobs/{job_id}").json()
        return job

    def watch(self, job_id: str, after: int = 0) -> Iterator[Event]:
        headers = {"Last-Event-ID": str(after)}
        url = f"/api/v1/jobs/{job_id}/events"
        with self.client.stream("GET", url, headers=headers) as answer:
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield from Watching(answer.iter_lines())


def alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False

"""What brings jobs to workers.

`LocalQueue` runs worker processes on this machine. The database alone knows which jobs there are;
workers claim them there, and are only woken from here.
"""

import logging
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.exc import OperationalError

from unbraid.service import worker_metrics
from unbraid.service.claims import Claims
from unbraid.service.settings import Settings
from unbraid.service.worker import QUICK, STOP, WAKE

LOOK_S = 0.2  # between looks at the workers
EXPIRE_S = 1.0  # between looks for leases that have run out
STABLE_S = 5.0  # that a worker must have lived for the next one to begin at once
MAX_PAUSE_S = 10.0
SECRET = "UNBRAID_SECRET"  # which workers have no use for

log = logging.getLogger(__name__)


class JobQueue(Protocol):
    """Runs jobs somewhere."""

    def start(self) -> None:
        """Begin to run jobs."""

    def stop(self) -> None:
        """Stop; jobs that are being run are handed back."""

    def enqueue(self, job_id: str) -> None:
        """Tell of a job that was queued in the database."""

    def cancel(self, job_id: str) -> None:
        """Tell of a job that was asked to stop in the database."""


@dataclass
class _Worker:
    """A worker process and its name in claims."""

    name: str
    process: "subprocess.Popen[str]"
    born: float
    quick: bool

    def tell(self, wish: str) -> None:
        """Say something to it, if it still lives."""
        assert self.process.stdin
        try:
            self.process.stdin.write(wish)
            self.process.stdin.flush()
        except BrokenPipeError:
            log.debug("%s has died", self.name)


class LocalQueue:
    """Worker processes on this machine. Satisfies `JobQueue`."""

    def __init__(self, settings: Settings, claims: Claims, server: str) -> None:
        """Prepare a queue.

        Args:
            settings: how many workers, and what they work with.
            claims: the jobs.
            server: names this data folder; workers that claim under it are ours.
        """
        self._settings, self._claims, self._server = settings, claims, server
        self._workers: list[_Worker] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._keeper: threading.Thread | None = None
        self.restarts = 0

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers that are running."""
        with self._lock:
            return [each.process.pid for each in self._workers if each.process.poll() is None]

    def start(self) -> None:
        """Queue again what an earlier server left, and start the workers."""
        self._claims.server_returned(self._server)
        worker_metrics.begin(self._settings)
        with self._lock:
            self._workers = [
                *(self._spawn() for _ in range(self._settings.workers)),
                *(self._spawn(quick=True) for _ in range(self._settings.quick_workers)),
            ]
        self._keeper = threading.Thread(target=self._keep, name="workers", daemon=True)
        self._keeper.start()

    def stop(self) -> None:
        """Let each worker end its segment and hand its job back; kill those that take too long."""
        self._stopping.set()
        if self._keeper:
            self._keeper.join()
        for worker in self._workers:
            worker.tell(STOP)
        until = time.monotonic() + self._settings.grace_s
        for worker in self._workers:
            try:
                worker.process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
            self._bury(worker)
        self._claims.server_returned(self._server)

    def enqueue(self, job_id: str) -> None:
        """Wake the workers."""
        with self._lock:
            for worker in self._workers:
                worker.tell(WAKE)

    def cancel(self, job_id: str) -> None:
        """Workers see the wish in the database when they next report."""

    def _keep(self) -> None:
        """Replace workers that die, and take jobs back from those that hang."""
        pause_s, expired = 0.0, time.monotonic()
        while not self._stopping.wait(LOOK_S):
            try:
                if time.monotonic() - expired > EXPIRE_S:
                    expired = time.monotonic()
                    self._kill(self._claims.expire())
                dead = [worker for worker in self._workers if worker.process.poll() is not None]
                for worker in dead:
                    log.warning("%s has died (%s)", worker.name, worker.process.returncode)
                    self._claims.worker_died(worker.name)
                    young = time.monotonic() - worker.born < STABLE_S
                    pause_s = min(MAX_PAUSE_S, 2 * pause_s or LOOK_S) if young else 0.0
                    if self._stopping.wait(pause_s):
                        return
                    self._replace(worker)
            except OperationalError as error:
                log.warning("the database does not answer: %s", error.orig)

    def _replace(self, dead: _Worker) -> None:
        with self._lock:
            self._workers[self._workers.index(dead)] = self._spawn(quick=dead.quick)
        self._bury(dead)
        self.restarts += 1

    def _kill(self, names: Sequence[str]) -> None:
        """End workers that hang, for others have their jobs now."""
        for worker in self._workers:
            if worker.name in names:
                log.warning("%s hangs", worker.name)
                worker.process.kill()

    def _spawn(self, *, quick: bool = False) -> _Worker:
        name = f"{self._server}/{secrets.token_hex(4)}"
        process = subprocess.Popen(
            [sys.executable, "-m", "unbraid.service.worker", name, *[QUICK] * quick],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            env={name: value for name, value in os.environ.items() if name != SECRET}
            | {"PYTHONUNBUFFERED": "1", **worker_metrics.environment(self._settings)},
        )
        worker = _Worker(name, process, time.monotonic(), quick)
        worker.tell(self._settings.model_dump_json() + "\n")
        return worker

    def _bury(self, worker: _Worker) -> None:
        worker_metrics.forget(self._settings, worker.process.pid)
        assert worker.process.stdin
        try:
            worker.process.stdin.close()
        except BrokenPipeError:
            log.debug("%s had not read its last wish", worker.name)

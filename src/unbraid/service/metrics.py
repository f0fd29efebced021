"""What Prometheus may know: requests as they are answered, jobs from the database."""

import shutil
import threading
import time
from collections.abc import Iterator

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unbraid.service.db import Job, JobState, Step, Upload
from unbraid.service.gpus import read_gpus
from unbraid.service.house import House
from unbraid.service.worker_metrics import add_to, label_of

STATES: tuple[JobState, ...] = ("queued", "running", "done", "failed", "cancelled")
SECONDS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60)
WORK_SECONDS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 7200)
SPEEDS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64)
SIZES = (1e5, 1e6, 3e6, 1e7, 3e7, 1e8, 3e8, 1e9)


class Metrics:
    """The metrics of a server."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._registry = CollectorRegistry()
        self._seen = time.time()
        self._looking = threading.Lock()
        self.requests = Histogram(
            "http_request_duration_seconds",
            "Time until an answer began, by route.",
            ["method", "route", "status"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._durations = Histogram(
            "separation_duration_seconds",
            "Time that the separation of a song took in its last attempt, by model.",
            ["model"],
            buckets=WORK_SECONDS,
            registry=self._registry,
        )
        self._sizes = Histogram(
            "separation_file_size_bytes",
            "Size of recordings that were taken apart.",
            buckets=SIZES,
            registry=self._registry,
        )
        self._speeds = Histogram(
            "separation_realtime_ratio",
            "Seconds of a song for each second of its separation, by model.",
            ["model"],
            buckets=SPEEDS,
            registry=self._registry,
        )
        self._results = Counter(
            "unbraid_results",
            "Songs that were taken apart, by networks or by a copy from the cache.",
            ["source"],
            registry=self._registry,
        )
        self._errors = Counter(
            "unbraid_job_errors",
            "Jobs that failed, by the type of their error.",
            ["type"],
            registry=self._registry,
        )
        self._registry.register(_Present(house))
        add_to(self._registry, house.settings)

    def text(self) -> bytes:
        """All metrics as they are now."""
        with self._looking:
            self._look()
        return generate_latest(self._registry)

    def _look(self) -> None:
        """Observe the jobs that have ended since the last look."""
        now = time.time()
        recent = sa.and_(Job.finished > self._seen, Job.finished <= now)
        done = (
            sa.select(Job.options, Upload.size_bytes, Step.finished - Step.started, Step.total_s)
            .join(Upload, Job.upload_id == Upload.id)
            .outerjoin(
                Step,
                sa.and_(Step.job_id == Job.id, Step.stage == "separate", Step.state == "done"),
            )
            .where(Job.kind == "process", Job.state == "done", recent)
        )
        failed = sa.select(Job.error).where(Job.state == "failed", recent)
        self._seen = now
        with self._house.database.read() as session:
            for options, size, seconds, song_s in session.execute(done):
                self._sizes.observe(size)
                self._results.labels("cache" if seconds is None else "networks").inc()
                if seconds is not None:
                    model = label_of(options["model"])
                    self._durations.labels(model).observe(seconds)
                    self._speeds.labels(model).observe((song_s or 0.0) / max(seconds, 1e-3))
            for error in session.scalars(failed):
                self._errors.labels(error["type"]).inc()


class _Present(Collector):
    """What is read off when asked for."""

    def __init__(self, house: House) -> None:
        self._house = house

    def collect(self) -> Iterator[Metric]:
        house, now = self._house, time.time()
        with house.database.read() as session:
            by_state = sa.select(Job.state, sa.func.count()).group_by(Job.state)
            counts = dict(session.execute(by_state).tuples().all())
            oldest = session.scalar(
                sa.select(sa.func.min(Job.created)).where(Job.state == "queued")
            )
        jobs = GaugeMetricFamily("unbraid_jobs", "Jobs by state.", labels=["state"])
        for state in STATES:
            jobs.add_metric([state], counts.get(state, 0))
        yield jobs
        for name, help_text, value in (
            ("queue_depth", "Jobs that wait.", counts.get("queued", 0)),
            ("queue_wait_seconds", "Age of the oldest job that waits.", now - (oldest or now)),
            ("workers", "Workers that run.", len(house.queue.pids)),
            ("stored_bytes", "Of recordings and results.", house.jobs.stored_bytes()),
            ("disk_free_bytes", "Of the data folder.", shutil.disk_usage(house.settings.data).free),
        ):
            yield GaugeMetricFamily(f"unbraid_{name}", help_text, value)
        gpus = read_gpus()
        for name, help_text, values in (
            ("utilisation_ratio", "Share of its time.", [gpu.utilisation for gpu in gpus]),
            ("memory_used_bytes", "Of its memory.", [gpu.used_bytes for gpu in gpus]),
            ("memory_bytes", "Its memory.", [gpu.total_bytes for gpu in gpus]),
        ):
            family = GaugeMetricFamily(f"unbraid_gpu_{name}", help_text, labels=["gpu"])
            for gpu, each in zip(gpus, values, strict=True):
                family.add_metric([gpu.index], each)
            yield family
        yield CounterMetricFamily(
            "unbraid_worker_restarts", "Workers that were replaced.", house.queue.restarts
        )


class Stopwatch:
    """Middleware that observes how long answers take."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        began = time.perf_counter()

        async def observe(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "none")
                labels = (_known(scope["method"]), route, str(message["status"]))
                self._metrics.requests.labels(*labels).observe(time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, observe if scope["type"] == "http" else send)


def _known(method: str) -> str:
    return method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE") else "other"

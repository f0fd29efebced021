"""What workers count. They write it to a folder where the server reads it for Prometheus."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, multiprocess

from unbraid.service.settings import Settings

MODELS = Gauge(
    "models_loaded",
    "Networks over onnxruntime that workers have in memory.",
    multiprocess_mode="livesum",
)
SEGMENTS = Counter(
    "unbraid_segments", "Stretches of songs that networks went through, by model.", ["model"]
)


def metrics_folder(settings: Settings) -> Path:
    """Where workers write."""
    return settings.data / "metrics"


def begin(settings: Settings) -> None:
    """Forget what the workers of an earlier server have counted."""
    shutil.rmtree(metrics_folder(settings), ignore_errors=True)
    metrics_folder(settings).mkdir(parents=True)


def environment(settings: Settings) -> Mapping[str, str]:
    """What lets a worker write there, which its `prometheus_client` is told at its start."""
    return {"PROMETHEUS_MULTIPROC_DIR": str(metrics_folder(settings))}


def forget(settings: Settings, pid: int) -> None:
    """Drop the gauges of a worker that has ended."""
    multiprocess.mark_process_dead(pid, str(metrics_folder(settings)))  # type: ignore[no-untyped-call]


def add_to(registry: CollectorRegistry, settings: Settings) -> None:
    """Let a registry have what workers count."""
    metrics_folder(settings).mkdir(parents=True, exist_ok=True)
    multiprocess.MultiProcessCollector(registry, str(metrics_folder(settings)))  # type: ignore[no-untyped-call]


def label_of(model: str) -> str:
    """A model as a label: those that are joined count as one, for there are many ways to."""
    return "several" if "+" in model else model

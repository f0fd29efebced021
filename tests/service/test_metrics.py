import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.service.serving import Served

ROOT = Path(__file__).parents[2]
STEM = {"stems": ["bass"], "residual": "off", "midi": False, "analysis": False}
NVIDIA_SMI = """#!/bin/sh
echo '0, 25, 1024, 81559'
echo '1, [N/A], 12, 81559'
"""
NAMES = re.compile(r"\b(?:unbraid|http|separation|models)_\w+")

Values = dict[str, dict[tuple[str, ...], float]]


def read(server: Served) -> Values:
    """The values of all metrics, by name and labels."""
    values: Values = {}
    for family in text_string_to_metric_families(server.client.get("/metrics").text):
        for sample in family.samples:
            labels = tuple(value for name, value in sample.labels.items() if name != "le")
            values.setdefault(sample.name, {})[labels] = sample.value
    return values


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory, song: Path) -> Iterator[Values]:
    """The metrics of a server after a song, the same from the cache, and something that is none."""
    programs, text = tmp_path_factory.mktemp("bin"), tmp_path_factory.mktemp("text") / "text.mp3"
    (programs / "nvidia-smi").write_text(NVIDIA_SMI)
    (programs / "nvidia-smi").chmod(0o755)
    text.write_text("no music " * 1000)
    cache = str(tmp_path_factory.mktemp("cache"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(programs), prepend=":")
        with Served(tmp_path_factory.mktemp("data"), CACHE_LIMIT="1", CACHE_DIR=cache) as server:
            for each in (song, song, text):
                list(server.watch(server.submit(each, options=STEM)))
            server.client.get("/nothing/that/a?user=sends")
            server.client.request("EVIL", "/health")
            yield read(server)


def test_what_workers_do_is_counted(values: Values) -> None:
    assert values["separation_duration_seconds_count"] == {("lite",): 1}
    assert values["separation_realtime_ratio_count"] == {("lite",): 1}
    assert values["separation_realtime_ratio_sum"]["lite",] > 0.5
    assert values["separation_file_size_bytes_count"] == {(): 2}
    assert values["unbraid_segments_total"]["lite",] >= 2
    assert values["models_loaded"][()] >= 1
    assert values["unbraid_results_total"] == {("networks",): 1, ("cache",): 1}
    assert values["unbraid_job_errors_total"] == {("audio",): 1}


def test_gpus_are_seen(values: Values) -> None:
    assert values["unbraid_gpu_utilisation_ratio"] == {("0",): 0.25}
    assert values["unbraid_gpu_memory_used_bytes"] == {("0",): 2**30}


def test_labels_are_bounded(values: Values) -> None:
    requests = values["http_request_duration_seconds_count"]
    assert ("GET", "none", "404") in requests
    assert "EVIL" not in str(requests)
    assert "sends" not in str(values)


def test_the_dashboard_and_the_alerts_are_about_metrics_that_there_are(values: Values) -> None:
    board = json.loads((ROOT / "deploy/grafana/unbraid.json").read_text("utf-8"))
    shown = {
        name
        for panel in board["panels"]
        for target in panel["targets"]
        for name in NAMES.findall(target["expr"])
    }
    rules = (ROOT / "deploy/prometheus/alerts.yml").read_text("utf-8").split("rules:", 1)[1]
    alerts = set(NAMES.findall(rules))
    assert len(shown) > 15
    assert len(alerts) > 6
    assert (shown | alerts) - set(values) == set()
    documented = set(NAMES.findall((ROOT / "docs/service.md").read_text("utf-8")))
    parts = re.compile(r"_(bucket|count|sum|created)$")
    whole = {name for name in values if not parts.search(name)}
    whole |= {name.removesuffix("_count") for name in values if name.endswith("_count")}
    assert whole - documented == set()

import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
from tests.service.serving import Served, alive, wait_for
from typer.testing import CliRunner

from unbraid.cli import app
from unbraid.errors import ResourceError
from unbraid.service.house import sole

STEM = {"stems": ["bass"], "residual": "off", "midi": False, "analysis": False}


def test_a_killed_server_takes_its_workers_along_and_the_next_one_goes_on(
    tmp_path: Path, long_song: Path
) -> None:
    with Served(tmp_path) as server:
        job_id = server.submit(long_song, options=STEM)
        for event in server.watch(job_id):
            if event.get("stage") == "separate" and event["done_s"] > 0:
                break
        workers = server.workers
        assert workers
        server.kill()
        wait_for(lambda: not any(map(alive, workers)))
        server.start()
        events = list(server.watch(job_id))
        states = [each["state"] for each in events if each["kind"] == "state"]
        assert states == ["queued", "running", "queued", "running", "done"]
        again = events.index(next(e for e in events[event["number"] :] if e["kind"] == "state"))
        resumed = next(
            each["done_s"]
            for each in events[again:]
            if each.get("stage") == "separate" and each["done_s"] > 0
        )
        assert resumed >= event["done_s"]


@pytest.mark.parametrize("kills", [6, pytest.param(60, marks=pytest.mark.slow)])
def test_whatever_is_killed_at_any_moment_each_job_is_done_once(
    tmp_path: Path, long_song: Path, kills: int
) -> None:
    rng = np.random.default_rng(kills)
    with Served(tmp_path, MAX_ATTEMPTS=str(kills + 1)) as server:
        jobs, seen = [server.submit(long_song, options=STEM)], 0
        for _ in range(kills):
            if server.job(jobs[-1])["state"] == "done":
                jobs.append(server.submit(long_song, options=STEM))
                seen = 0
            for event, _ in zip(server.watch(jobs[-1], seen), range(rng.integers(1, 12))):  # noqa: B905
                seen = event["number"]
            victim = rng.choice(["worker", "server", "both"])
            if victim != "server":
                for pid in server.workers:
                    os.kill(pid, signal.SIGKILL)
            if victim != "worker":
                server.kill()
                server.start()
        for job_id in jobs:
            events = list(server.watch(job_id))
            assert [event["number"] for event in events] == list(range(1, len(events) + 1))
            assert [event.get("state") for event in events].count("done") == 1
            job = server.job(job_id)
            assert (job["state"], job["files"][-1]["name"]) == ("done", "manifest.json")
            assert all(server.client.get(file["url"]).status_code == 200 for file in job["files"])


def test_a_server_stops_soon_though_someone_watches(tmp_path: Path, long_song: Path) -> None:
    with Served(tmp_path) as server:
        job_id = server.submit(long_song, options=STEM)
        events = server.watch(job_id)
        while next(events).get("stage") != "separate":
            pass
        ended = threading.Thread(target=lambda: list(events))
        ended.start()
        workers = server.workers
        assert server.stop() == 0
        ended.join()
        assert not any(map(alive, workers))
        server.start()
        assert list(server.watch(job_id))[-1]["state"] == "done"


def test_two_servers_do_not_share_a_data_folder(tmp_path: Path) -> None:
    with sole(tmp_path), pytest.raises(ResourceError, match="another server"), sole(tmp_path):
        pass


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "::", "example.org"])
def test_a_server_without_accounts_listens_on_this_machine_alone(host: str, tmp_path: Path) -> None:
    run = CliRunner().invoke(app, ["serve", "--host", host, "--data", str(tmp_path)])
    assert run.exit_code == 2
    assert "without accounts" in run.stderr


def test_all_settings_are_shown_without_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNBRAID_DATABASE", "postgresql://ann:secret@db/songs")
    run = CliRunner().invoke(app, ["serve", "--show-config"])
    assert run.exit_code == 0
    assert "UNBRAID_LEASE_S" in run.stdout
    assert "secret" not in run.stdout


def test_a_setting_that_makes_no_sense_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNBRAID_PORT", "many")
    run = CliRunner().invoke(app, ["serve"])
    assert run.exit_code == 2
    assert "UNBRAID_PORT" in run.stderr

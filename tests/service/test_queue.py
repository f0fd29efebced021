import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from tests.service.serving import wait_for

from unbraid.export.manifest import Manifest
from unbraid.service.claims import Claims
from unbraid.service.db import Database, Event, Job, Upload
from unbraid.service.janitor import tidy
from unbraid.service.jobs import Jobs, Order
from unbraid.service.queue import LocalQueue
from unbraid.service.settings import Settings
from unbraid.service.storage import Storage, new_id, upload_key
from unbraid.service.workshop import work_folder
from unbraid.types import ProcessOptions

RATE = 44_100
FAST = ProcessOptions(stems=("bass",), residual="off", midi=False, analysis=False)


class Server:
    """A queue with its workers, without the web."""

    def __init__(self, folder: Path, lease_s: float = 30.0, **limits: Any) -> None:
        self.settings = Settings(
            data=folder,
            threads=1,
            quick_workers=0,
            cache_limit=0.0,
            lease_s=lease_s,
            **({"max_duration_s": 60.0} | limits),
        )
        self.database = Database(self.settings.database_url)
        self.database.migrate()
        self.jobs = Jobs(self.database, max_queued=10)
        self.claims = Claims(self.database, lease_s=lease_s, max_attempts=3)
        self.storage = Storage(folder / "objects")
        self.queue = LocalQueue(self.settings, self.claims, "server")
        self.queue.start()

    def stop(self) -> None:
        self.queue.stop()
        self.database.close()

    def store(self, song: Path) -> str:
        async def chunks() -> AsyncIterator[bytes]:
            yield song.read_bytes()

        upload = new_id()
        stored = asyncio.run(self.storage.receive(upload_key(upload), chunks(), 10**9))
        self.jobs.add_upload(
            Upload(
                id=upload,
                owner="ann",
                file_name=song.name,
                key=upload_key(upload),
                size_bytes=stored.size_bytes,
                sha256=stored.sha256,
                created=time.time(),
            )
        )
        return upload

    def submit(self, upload_id: str, options: ProcessOptions = FAST) -> str:
        job = self.jobs.submit("ann", Order(upload_id, options))
        self.queue.enqueue(job.id)
        return job.id

    def send(self, song: Path, options: ProcessOptions = FAST) -> str:
        return self.submit(self.store(song), options)

    def job(self, job_id: str) -> Job:
        return self.jobs.get("ann", job_id)

    def events(self, job_id: str) -> list[Event]:
        events: list[Event] = []
        while more := self.jobs.events(job_id, len(events)):
            events += more
        return events

    def wait_for_segment(self, job_id: str) -> None:
        """Until some of the song is separated."""
        wait_for(lambda: any(separated(event) for event in self.events(job_id)))

    def wait_for_end(self, job_id: str) -> Job:
        wait_for(lambda: self.job(job_id).finished is not None)
        return self.job(job_id)


def separated(event: Event) -> bool:
    return event.data.get("stage") == "separate" and event.data["done_s"] > 0


def assert_done_once_and_gone_on(server: Server, job_id: str) -> None:
    """The second attempt began where the first one stopped, and there is one whole result."""
    events = server.events(job_id)
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    states = [event.data["state"] for event in events if event.kind == "state"]
    assert states == ["queued", "running", "queued", "running", "done"]
    again = [k for k, event in enumerate(events) if event.data.get("state") == "running"][1]
    left = [event.data["done_s"] for event in events[:again] if separated(event)][-1]
    resumed = next(event for event in events[again:] if separated(event))
    assert resumed.data["done_s"] >= left
    fractions = [event.data["fraction"] or 0 for event in events if event.kind == "progress"]
    assert fractions == sorted(fractions)
    assert_complete(server, job_id)


def assert_complete(server: Server, job_id: str) -> None:
    job = server.job(job_id)
    assert (job.state, job.error) == ("done", None)
    file = server.settings.data / "manifest.json"
    server.storage.fetch(job.files[-1]["key"], file)
    manifest = Manifest.model_validate_json(file.read_bytes())
    assert [each["name"] for each in job.files] == [*manifest.files(), "manifest.json"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.stop()


def test_a_job_is_done_with_midi_and_leaves_nothing_behind(server: Server, song: Path) -> None:
    job_id = server.send(song, ProcessOptions())
    server.wait_for_end(job_id)
    assert_complete(server, job_id)
    assert {"stems/vocals.wav", "midi/all.mid"} < {
        each["name"] for each in server.job(job_id).files
    }
    tidy(server.jobs, server.storage, server.settings)
    assert list(work_folder(server.settings).iterdir()) == []


def test_a_killed_worker_is_replaced_and_its_job_goes_on(server: Server, long_song: Path) -> None:
    job_id = server.send(long_song)
    server.wait_for_segment(job_id)
    (pid,) = server.queue.pids
    os.kill(pid, signal.SIGKILL)
    server.wait_for_end(job_id)
    assert_done_once_and_gone_on(server, job_id)
    assert server.queue.restarts == 1


def test_a_worker_that_hangs_loses_its_job_to_another(tmp_path: Path, long_song: Path) -> None:
    server = Server(tmp_path, lease_s=2.0)
    job_id = server.send(long_song)
    server.wait_for_segment(job_id)
    (pid,) = server.queue.pids
    os.kill(pid, signal.SIGSTOP)
    server.wait_for_end(job_id)
    assert_done_once_and_gone_on(server, job_id)
    assert pid not in server.queue.pids
    server.stop()


def test_a_worker_that_lives_on_without_progress_loses_its_job_to_another(
    tmp_path: Path, song: Path
) -> None:
    server = Server(tmp_path, lease_s=1.0, stall_s=5.0)
    upload_id = server.store(song)
    stored = tmp_path / "objects" / upload_key(upload_id)
    aside = stored.rename(tmp_path / "aside")
    os.mkfifo(stored)  # which is waited for without end
    job_id = server.submit(upload_id)
    (pid,) = server.queue.pids
    wait_for(lambda: server.job(job_id).lease_until is not None)
    lease_until = server.job(job_id).lease_until
    wait_for(lambda: server.job(job_id).lease_until != lease_until)  # it says that it lives
    wait_for(lambda: pid not in server.queue.pids)
    aside.replace(stored)
    server.wait_for_end(job_id)
    assert_complete(server, job_id)
    states = [event.data["state"] for event in server.events(job_id) if event.kind == "state"]
    assert states.count("running") > 1
    server.stop()


def test_a_stopped_server_hands_jobs_back_and_the_next_one_goes_on(
    tmp_path: Path, long_song: Path
) -> None:
    first = Server(tmp_path)
    job_id = first.send(long_song)
    first.wait_for_segment(job_id)
    first.stop()
    assert first.queue.pids == []
    second = Server(tmp_path)
    assert (second.job(job_id).state, second.job(job_id).attempts) in (
        ("queued", 0),
        ("running", 1),
    )
    second.wait_for_end(job_id)
    assert_done_once_and_gone_on(second, job_id)
    second.stop()


def test_a_running_job_can_be_cancelled_and_removed(server: Server, long_song: Path) -> None:
    job_id = server.send(long_song)
    server.wait_for_segment(job_id)
    server.jobs.cancel("ann", job_id)
    server.queue.cancel(job_id)
    assert server.wait_for_end(job_id).state == "cancelled"
    server.jobs.remove("ann", job_id)
    tidy(server.jobs, server.storage, server.settings)
    assert not [file for file in (server.settings.data / "objects").rglob("*") if file.is_file()]
    assert list(work_folder(server.settings).iterdir()) == []


def test_what_is_no_recording_fails_with_its_cause_and_no_path(
    server: Server, tmp_path: Path
) -> None:
    text = tmp_path / "text.mp3"
    text.write_text("this is no music " * 1000)
    job = server.wait_for_end(server.send(text))
    assert job.state == "failed"
    assert job.error
    assert job.error["type"] == "audio"
    assert "text.mp3" in job.error["detail"]
    assert "/" not in job.error["detail"]


def test_a_recording_that_decodes_to_too_much_is_refused(tmp_path: Path) -> None:
    silence = tmp_path / "silence.flac"
    soundfile.write(silence, np.zeros((30 * RATE, 2)), RATE)
    server = Server(tmp_path, max_duration_s=20.0)
    job = server.wait_for_end(server.send(silence))
    assert job.error
    assert "longer than the 20 s" in job.error["detail"]
    server.stop()

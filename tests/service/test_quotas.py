"""What an account may use, and what happens when that is used up."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from limits import RateLimitItemPerMinute
from tests.service.serving import Served, wait_for

from unbraid.service.refusals import TooMany
from unbraid.service.throttle import Throttle

API = "/api/v1"
STEM = {"stems": ["bass"], "residual": "off", "midi": False, "analysis": False}
TIERS = {
    "standard": {"jobs_per_day": 2, "audio_minutes_per_day": 0.3, "requests_per_minute": 100_000},
    "hasty": {"requests_per_minute": 3},
    "small": {"stored_gb": 0.001, "keep_days": 0},
}
SERVER = {
    "MODE": "server",
    "SECRET": "Zx8mJq2LvR4tYw9nKb6cPd3sGf7hQe5u",
    "HOSTS": "unbraid.example",
    "TIERS": json.dumps(TIERS),
    "REQUESTS_PER_MINUTE": "4",
    "TRUSTED_PROXIES": "127.0.0.1",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("data"), **SERVER) as server:
        yield server


def key_of(server: Served, name: str, tier: str) -> dict[str, str]:
    server.command("users", "add", name, "--tier", tier, given="opus 1, for beginners")
    return {"Authorization": f"Bearer {server.command('keys', 'add', name).strip()}"}


def upload(server: Served, song: Path, key: dict[str, str]) -> str:
    sent = server.client.put(f"{API}/uploads/a.wav", content=song.read_bytes(), headers=key)
    assert sent.status_code == 201, sent.text
    return str(sent.json()["id"])


def submit(server: Served, key: dict[str, str], **wish: Any) -> Any:
    return server.client.post(f"{API}/jobs", json={"options": STEM, **wish}, headers=key)


def allowances(server: Served, key: dict[str, str]) -> dict[str, Any]:
    found = [server.client.get(f"{API}/{at}", headers=key).json() for at in ("limits", "me")]
    limits, me = (each["allowances"] for each in found)
    assert limits["jobs"]["left"] == me["jobs"]["left"]
    return dict(limits)


def test_jobs_and_minutes_of_a_day_are_counted_and_removed_ones_too(
    server: Served, song: Path
) -> None:
    key = key_of(server, "elise", "standard")
    assert allowances(server, key)["jobs"]["left"] == 2
    first = f"{API}/jobs/{submit(server, key, upload_id=upload(server, song, key)).json()['id']}"
    wait_for(lambda: server.client.get(first, headers=key).json()["state"] == "done")
    assert allowances(server, key)["audio_minutes"]["left"] == pytest.approx(0.05, abs=0.001)
    exported = server.client.post(
        f"{first}/exports", json={"formats": ["multichannel"]}, headers=key
    )
    assert exported.status_code == 201
    assert allowances(server, key)["jobs"]["left"] == 1  # what is done with a result is no new job
    assert server.client.delete(first, headers=key).status_code == 204
    recording = upload(server, song, key)
    second = f"{API}/jobs/{submit(server, key, upload_id=recording).json()['id']}"
    refused = submit(server, key, upload_id=recording)
    assert refused.status_code == 429
    assert "jobs of today" in refused.json()["detail"]
    assert 0 < int(refused.headers["retry-after"]) <= 86_400
    assert allowances(server, key)["jobs"]["left"] == 0
    wait_for(lambda: server.client.get(second, headers=key).json()["state"] == "failed")
    error = server.client.get(second, headers=key).json()["error"]
    assert error["type"] == "too-many"
    assert "minutes of audio" in error["detail"]


def test_requests_are_counted_for_accounts_and_for_strangers(server: Served) -> None:
    key = key_of(server, "hector", "hasty")
    statuses = [server.client.get(f"{API}/jobs", headers=key).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    headers = {"X-Forwarded-For": "2001:db8::1"}
    strangers = [server.client.get(f"{API}/jobs", headers=headers) for _ in range(5)]
    assert [answer.status_code for answer in strangers] == [401] * 4 + [429]
    assert 0 < int(strangers[-1].headers["retry-after"]) <= 60
    headers = {"X-Forwarded-For": "2001:db8::2"}  # the same network
    assert server.client.get(f"{API}/jobs", headers=headers).status_code == 429
    assert server.client.get("/health", headers=headers).status_code == 200


def test_what_an_account_may_store_ends_and_so_does_what_it_keeps(
    server: Served, song: Path
) -> None:
    key = key_of(server, "fryderyk", "small")
    recording = upload(server, song, key)
    assert allowances(server, key)["stored_gb"]["left"] == 0
    full = server.client.put(f"{API}/uploads/b.wav", content=b"x", headers=key)
    assert (full.status_code, "remove some jobs" in full.json()["detail"]) == (429, True)
    assert submit(server, key, upload_id=recording).status_code == 429
    server.command("users", "tier", "fryderyk", "hasty")
    assert submit(server, key, upload_id=recording).status_code == 201


def test_a_job_goes_when_its_time_is_over(tmp_path: Path, song: Path) -> None:
    with Served(tmp_path, "--workers", "0") as server:
        kept, gone = server.submit(song), server.submit(song, keep_days=0)
        for job in (kept, gone):
            server.client.post(f"{API}/jobs/{job}/cancel")
        wait_for(lambda: server.client.get(f"{API}/jobs/{gone}").status_code == 404)
        assert server.client.get(f"{API}/jobs/{kept}").status_code == 200
        assert server.client.get(f"{API}/limits").json()["allowances"] is None


def test_a_result_that_is_too_large_is_refused(tmp_path: Path, song: Path) -> None:
    with Served(tmp_path, MAX_JOB_GB="0.001") as server:
        job = server.submit(song, options=STEM)
        *_, last = server.watch(job)
        assert last["state"] == "failed"
        assert "smaller format" in last["error"]["detail"]


def test_counts_in_redis_hold_for_all_servers(tmp_path: Path) -> None:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    socket = tmp_path / "redis"
    options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
    try:
        wait_for(socket.exists)
        one, other = (Throttle(f"redis+unix://{socket}") for _ in range(2))
        limit = RateLimitItemPerMinute(2)
        one.spend(limit, "elise", what="requests")
        other.spend(limit, "elise", what="requests")
        with pytest.raises(TooMany, match="2 per 1 minute") as refused:
            one.spend(limit, "elise", what="requests")
        assert 0 < refused.value.retry_after_s <= 60
        other.spend(limit, "clara", what="requests")
    finally:
        process.terminate()
        process.wait()

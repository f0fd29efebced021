"""Links that need no account, to a folder's files and to those of a bucket."""

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer
from tests.service.serving import Served, wait_for

API = "/api/v1"
STEM = {"stems": ["bass"], "residual": "off", "midi": False, "analysis": False, "format": "flac"}
BUCKET = "recordings"
SERVER = {
    "MODE": "server",
    "SECRET": "Zx8mJq2LvR4tYw9nKb6cPd3sGf7hQe5u",
    "HOSTS": "unbraid.example",
}


@pytest.fixture(scope="module")
def bucket() -> Iterator[Any]:
    """A bucket of moto's, which the environment names."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT": f"http://{host}:{port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        }.items():
            patch.setenv(name, value)
        client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        yield client
    server.stop()


@pytest.fixture(scope="module", params=["folder", "bucket"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    storage = {}
    if request.param == "bucket":
        request.getfixturevalue("bucket")
        storage = {"STORAGE": f"s3://{BUCKET}"}
    with Served(tmp_path_factory.mktemp("data"), **SERVER, **storage) as server:
        yield server


@pytest.fixture(scope="module")
def done(server: Served, song: Path) -> dict[str, Any]:
    """A job that is done, which a client with a key has sent."""
    server.command("users", "add", "elise", given="a bagatelle in a minor")
    key = server.command("keys", "add", "elise").strip()
    server.client.headers["Authorization"] = f"Bearer {key}"
    job_id = server.submit(song, options=STEM)
    assert list(server.watch(job_id))[-1]["state"] == "done"
    return server.job(job_id)


def link(server: Served, job: dict[str, Any], name: str | None, **wish: int) -> httpx.URL:
    answer = server.client.post(f"{API}/jobs/{job['id']}/links", json={"name": name, **wish})
    assert answer.status_code == 201, answer.text
    return server.client.base_url.join(answer.json()["url"])


def test_a_link_gives_a_file_to_those_without_an_account(
    server: Served, done: dict[str, Any]
) -> None:
    url = link(server, done, "stems/bass.flac")
    whole = httpx.get(url)
    own = server.client.get(done["files"][0]["url"])
    assert (whole.status_code, whole.content) == (200, own.content)
    assert whole.headers["content-type"] == "audio/flac"
    assert whole.headers["content-disposition"] == own.headers["content-disposition"]
    part = httpx.get(url, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, own.content[10:20])


def test_a_link_gives_all_as_a_zip(server: Served, done: dict[str, Any]) -> None:
    url = link(server, done, None)
    with zipfile.ZipFile(io.BytesIO(httpx.get(url).content)) as archive:
        assert archive.testzip() is None
        assert "Für Elise/stems/bass.flac" in archive.namelist()


def test_a_link_that_was_changed_or_is_over_gives_nothing(
    server: Served, done: dict[str, Any]
) -> None:
    url = link(server, done, None)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(str(url)).query).items()}
    path = url.path
    for wrong in (
        {"expires": str(int(asked["expires"]) + 1)},
        {"signature": asked["signature"][:-2]},
        {"signature": "é"},
    ):
        assert server.client.get(path, params=asked | wrong).status_code == 403
    elsewhere = re.sub("result.zip$", "stems/bass.flac", path)
    assert server.client.get(elsewhere, params=asked).status_code == 403
    assert server.client.get(path).status_code == 422
    assert server.client.delete(path, params=asked).status_code == 405
    short = link(server, done, None, expires_in=1)
    wait_for(lambda: httpx.get(short).status_code == 403)
    for wish in ({"expires_in": 10**9}, {"name": "../secret"}, {"name": "result.zip"}):
        answer = server.client.post(f"{API}/jobs/{done['id']}/links", json=wish)
        assert answer.status_code in (404, 422)


def test_the_whole_way_leads_through_the_bucket(bucket: Any, tmp_path: Path, song: Path) -> None:
    with Served(tmp_path, STORAGE=f"s3://{BUCKET}") as server:
        before = set(keys(bucket))
        job_id = server.submit(song, options=STEM)
        assert list(server.watch(job_id))[-1]["state"] == "done"
        assert not (tmp_path / "objects").exists()
        answer = server.client.get(server.job(job_id)["files"][0]["url"])
        assert answer.content[:4] == b"fLaC"
        assert server.client.get("/ready").status_code == 200
        signed = link(server, server.job(job_id), "stems/bass.flac", expires_in=1)
        assert (
            signed.host != server.client.base_url.host or signed.port != server.client.base_url.port
        )
        added = set(keys(bucket)) - before
        assert {key.split("/")[0] for key in added} == {"uploads", "results"}
        assert all("Elise" not in key for key in added)
        server.client.delete(f"{API}/jobs/{job_id}", params={"forever": "true"})
        wait_for(lambda: not set(keys(bucket)) - before)


def keys(bucket: Any) -> list[str]:
    return [each["Key"] for each in bucket.list_objects_v2(Bucket=BUCKET).get("Contents", [])]

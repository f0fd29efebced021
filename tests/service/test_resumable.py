import base64
import hashlib
import os
import socket
import time
from collections.abc import Iterator

import httpx
import pytest
from tests.service.serving import Served, wait_for

URL = "/api/v1/uploads/resumable"
TUS = {"Tus-Resumable": "1.0.0"}
PART = {**TUS, "Content-Type": "application/offset+octet-stream"}
DATA = bytes(range(256)) * 4_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("data"), "--workers", "0", MAX_UPLOAD_MB="2") as server:
        yield server


def begin(server: Served, size: int = len(DATA)) -> str:
    name = base64.b64encode("Für Elise.wav".encode()).decode()
    headers = {**TUS, "Upload-Length": str(size), "Upload-Metadata": f"filename {name},draft"}
    answer = server.client.post(URL, headers=headers)
    assert (answer.status_code, answer.headers["tus-resumable"]) == (201, "1.0.0")
    assert answer.headers["upload-expires"].endswith("GMT")
    return answer.headers["location"]


def send(server: Served, url: str, offset: int, part: bytes) -> httpx.Response:
    return server.client.patch(url, headers={**PART, "Upload-Offset": str(offset)}, content=part)


def offset(server: Served, url: str) -> int:
    answer = server.client.head(url, headers=TUS)
    assert answer.status_code == 200
    assert answer.headers["upload-length"] == str(len(DATA))
    return int(answer.headers["upload-offset"])


def test_a_recording_comes_in_parts_over_a_restart(server: Served) -> None:
    url = begin(server)
    assert send(server, url, 0, DATA[:300_000]).headers["upload-offset"] == "300000"
    server.kill()
    server.start()
    assert offset(server, url) == 300_000
    repeated = send(server, url, 0, DATA[:300_000])
    assert (repeated.status_code, offset(server, url)) == (409, 300_000)
    assert server.client.get(f"/api/v1/uploads/{url.rpartition('/')[2]}").status_code == 404
    last = send(server, url, 300_000, DATA[300_000:])
    assert (last.status_code, offset(server, url)) == (204, len(DATA))
    upload = server.client.get(f"/api/v1/uploads/{url.rpartition('/')[2]}").json()
    assert upload["file_name"] == "Für Elise.wav"
    assert upload["sha256"] == hashlib.sha256(DATA).hexdigest()
    assert not (server.data / "incoming" / upload["id"]).exists()
    assert server.client.post("/api/v1/jobs", json={"upload_id": upload["id"]}).status_code == 201


def test_what_came_before_the_connection_broke_is_kept_and_the_next_one_goes_on(
    server: Served,
) -> None:
    url = begin(server)
    head = f"PATCH {url} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(DATA)}\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in {**PART, "Upload-Offset": "0"}.items()
    )
    where = httpx.URL(server.address)
    with (
        socket.create_connection((where.host, where.port)) as broken,
        socket.create_connection((where.host, where.port)) as hanging,
    ):
        broken.sendall(f"{head}\r\n".encode() + DATA[:100_000])
        wait_for(lambda: offset(server, url) == 100_000)
        broken.close()
        later = head.replace("Upload-Offset: 0", "Upload-Offset: 100000")
        hanging.sendall(f"{later}\r\n".encode() + DATA[100_000:150_000])
        wait_for(lambda: offset(server, url) == 150_000)
        assert send(server, url, 150_000, DATA[150_000:400_000]).status_code == 204
        hanging.sendall(DATA[150_000:160_000])
        assert b" 409 " in hanging.recv(100)
    assert send(server, url, 400_000, DATA[400_000:]).status_code == 204
    assert offset(server, url) == len(DATA)


def test_a_recording_that_is_whole_when_the_server_dies_is_there_later(server: Served) -> None:
    url = begin(server)
    send(server, url, 0, DATA[:-1])
    server.kill()
    with (server.data / "incoming" / url.rpartition("/")[2]).open("ab") as file:
        file.write(DATA[-1:])
    server.start()
    assert offset(server, url) == len(DATA)
    sha256 = server.client.get(f"/api/v1/uploads/{url.rpartition('/')[2]}").json()["sha256"]
    assert sha256 == hashlib.sha256(DATA).hexdigest()


def test_what_is_too_much_is_refused(server: Served) -> None:
    too_long = {**TUS, "Upload-Length": "2000001"}
    assert server.client.post(URL, headers=too_long).status_code == 413
    url = begin(server, 10)
    assert send(server, url, 0, b"x" * 11).status_code == 413
    assert server.client.head(url).headers["upload-offset"] == "0"


def test_uploads_are_given_up_when_asked_or_after_a_day(server: Served) -> None:
    dropped, forgotten = begin(server), begin(server)
    assert server.client.delete(dropped, headers=TUS).status_code == 204
    assert server.client.head(dropped).status_code == 404
    day_ago = time.time() - 86_401
    os.utime(server.data / "incoming" / forgotten.rpartition("/")[2], (day_ago, day_ago))
    wait_for(lambda: server.client.head(forgotten).status_code == 404)


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("POST", {}, 422),
        ("POST", {"Upload-Length": "0"}, 422),
        ("POST", {"Upload-Length": "1", "Upload-Metadata": "filename %%"}, 422),
        ("POST", {"Upload-Length": "1", "Tus-Resumable": "0.2.2"}, 412),
        ("PATCH", {"Upload-Offset": "0"}, 415),
        ("PATCH", {"Content-Type": "application/offset+octet-stream"}, 422),
    ],
)
def test_requests_that_make_no_sense_say_so(
    server: Served, method: str, headers: dict[str, str], status: int
) -> None:
    url = begin(server) if method == "PATCH" else URL
    answer = server.client.request(method, url, headers=headers)
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_the_server_says_what_it_speaks(server: Served) -> None:
    answer = server.client.options(URL)
    assert (answer.status_code, answer.headers["tus-version"]) == (204, "1.0.0")
    assert answer.headers["tus-max-size"] == "2000000"

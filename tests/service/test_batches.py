import io
import json
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.service.serving import Served

from unbraid.errors import InputError
from unbraid.service.archives import open_archive

BATCHES, JOBS = "/api/v1/batches", "/api/v1/jobs"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One on which jobs only wait."""
    folder = tmp_path_factory.mktemp("data")
    limits = {"MAX_UPLOAD_MB": "5", "URL_HOSTS": "songs.test"}
    with Served(folder, "--workers", "0", **limits) as server:
        yield server


def pack(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def send(server: Served, name: str, content: bytes) -> str:
    answer = server.client.put(f"/api/v1/uploads/{name}", content=content)
    return str(answer.json()["id"])


def post(server: Served, wish: dict[str, Any], status: int = 201) -> dict[str, Any]:
    answer = server.client.post(BATCHES, json=wish)
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_many_recordings_are_one_batch(server: Served, song: Path) -> None:
    uploads = [server.upload(song) for _ in range(3)]
    batch = post(server, {"upload_ids": uploads, "options": {"format": "flac"}, "name": "Mine"})
    assert (batch["name"], batch["fraction"], batch["states"]) == ("Mine", 0.0, {"queued": 3})
    assert [job["upload_id"] for job in batch["jobs"]] == uploads
    assert {job["batch_id"] for job in batch["jobs"]} == {batch["id"]}
    assert server.job(batch["jobs"][0]["id"])["options"]["format"] == "flac"
    page = server.client.get(JOBS, params={"batch_id": batch["id"]}).json()
    assert page["total"] == 3
    server.client.post(f"{JOBS}/{batch['jobs'][1]['id']}/cancel")
    now = server.client.get(f"{BATCHES}/{batch['id']}").json()
    assert now["states"] == {"queued": 2, "cancelled": 1}
    assert now["fraction"] == pytest.approx(1 / 3, abs=1e-3)
    early = server.client.get(f"{BATCHES}/{batch['id']}/zip")
    assert (early.status_code, "once some are" in early.json()["detail"]) == (409, True)
    listed = server.client.get(BATCHES).json()
    assert next(each for each in listed if each["id"] == batch["id"])["states"] == now["states"]
    stopped = server.client.post(f"{BATCHES}/{batch['id']}/cancel")
    assert (stopped.status_code, stopped.json()["states"]) == (202, {"cancelled": 3})


def test_many_links_are_one_batch(server: Served) -> None:
    urls = [f"https://songs.test/{name}.mp3" for name in ("first", "second")]
    batch = post(server, {"urls": urls, "priority": "low", "keep_days": 3})
    assert (batch["name"], batch["states"]) == ("first", {"queued": 2})
    assert [job["file_name"] for job in batch["jobs"]] == ["first.mp3", "second.mp3"]
    before = server.client.get(JOBS).json()["total"]
    for other in ("https://other.test/x.mp3", "http://songs.test/x.mp3"):
        post(server, {"urls": [urls[0], other]}, 422)
    post(server, {"urls": urls, "upload_ids": ["x"]}, 422)
    post(server, {"urls": ["https://youtu.be/dQw4w9WgXcQ"]}, 403)
    assert server.client.get(JOBS).json()["total"] == before


def test_a_repeated_request_makes_no_second_batch(server: Served) -> None:
    key = {"Idempotency-Key": "once"}
    archive = send(server, "Album.zip", pack({"a.wav": b"RIFF", "b.wav": b"RIFF2"}))
    wishes = [
        {"archive_id": archive},
        {"archive_id": archive},
        {"archive_id": archive, "name": "B"},
    ]
    first, second, other = (server.client.post(BATCHES, json=w, headers=key) for w in wishes)
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert first.headers["location"] == second.headers["location"]
    assert other.status_code == 409
    assert other.json()["type"] == "urn:unbraid:conflict"


def test_an_archive_is_unpacked_and_its_names_are_no_paths(server: Served, song: Path) -> None:
    content = song.read_bytes()
    files = {
        "Album/2 second.wav": content,
        "../../1 first.WAV": b"RIFF" + content[4:],
        "Album\\3 third.flac": b"fLaC",
        "Album/cover.jpg": b"picture",
        "__MACOSX/Album/._1 first.wav": b"fork",
        "nested.zip": pack({"a.wav": b"x"}),
    }
    archive = send(server, "Album.zip", pack(files))
    batch = post(server, {"archive_id": archive})
    names = {job["file_name"] for job in batch["jobs"]}
    assert names == {"1 first.WAV", "2 second.wav", "3 third.flac"}
    assert set(batch["skipped"]) == {"cover.jpg", "._1 first.wav", "nested.zip"}
    assert batch["name"] == "Album"
    second = next(job for job in batch["jobs"] if job["name"] == "2 second")
    assert server.client.get(f"{JOBS}/{second['id']}/input").content == content


def test_a_batch_of_which_one_part_is_wrong_is_not_queued(server: Served, song: Path) -> None:
    before = server.client.get(JOBS).json()["total"]
    post(server, {"upload_ids": [server.upload(song), "nobody"]}, 404)
    post(server, {"upload_ids": [], "archive_id": None}, 422)
    post(server, {"upload_ids": ["x"], "archive_id": "x"}, 422)
    post(server, {"upload_ids": ["x"], "options": {}, "preset": "bass"}, 422)
    post(server, {"archive_id": server.upload(song)}, 422)
    assert server.client.get(JOBS).json()["total"] == before
    assert server.client.get(f"{BATCHES}/nobody").status_code == 404


def unpack(file: Path) -> None:
    with open_archive(file, 1_000_000) as archive:
        for number in range(len(archive.recordings)):
            with archive.open(number) as source:
                assert len(source.read()) <= 1_000_000


def damaged() -> bytes:
    packed = bytearray(pack({"a.wav": bytes(range(256)) * 100}))
    packed[60:70] = b"\xff" * 10
    return bytes(packed)


def encrypted() -> bytes:
    packed = bytearray(pack({"a.wav": b"x"}))
    for start in (6, packed.find(b"PK\x01\x02") + 8):
        packed[start] |= 1
    return bytes(packed)


def lying() -> bytes:
    """An archive that says that a large file is small."""
    packed = bytearray(pack({"a.wav": b"\0" * 50_000}))
    central = packed.find(b"PK\x01\x02")
    packed[central + 24 : central + 28] = struct.pack("<I", 100)
    return bytes(packed)


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (b"", "no ZIP"),
        (b"RIFF" * 100, "no ZIP"),
        (pack({"cover.jpg": b"x"}), "no recordings"),
        (pack({f"{k}.wav": b"x" for k in range(201)}), "201 recordings"),
        (pack({f"{k}.txt": b"" for k in range(20_000)}), "too many files"),
        (pack({"bomb.wav": b"\0" * 2_000_000}), "unpacks to 2 MB"),
        (pack({"large.wav": bytes(range(256)) * 5_000}), "unpacks to 1 MB"),
        (encrypted(), "encrypted"),
        (damaged(), "cannot be unpacked"),
        (lying(), "cannot be unpacked"),
    ],
)
def test_archives_that_are_not_what_they_should_be_are_refused(
    tmp_path: Path, packed: bytes, reason: str
) -> None:
    file = tmp_path / "archive.zip"
    file.write_bytes(packed)
    with pytest.raises(InputError, match=reason):
        unpack(file)


def test_a_batch_goes_when_its_jobs_are_gone(server: Served, song: Path) -> None:
    batch = post(server, {"upload_ids": [server.upload(song)]})
    server.client.delete(f"{JOBS}/{batch['jobs'][0]['id']}")
    emptied = server.client.get(f"{BATCHES}/{batch['id']}")
    assert emptied.status_code in (200, 404)
    assert json.loads(emptied.content).get("jobs", []) == []

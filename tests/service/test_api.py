import io
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import websockets.sync.client
from prometheus_client.parser import text_string_to_metric_families
from tests.service.serving import Served, wait_for
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from unbraid.analysis.spectra import mel, stft
from unbraid.export.manifest import Manifest
from unbraid.service.db import Database
from unbraid.service.speeds import measured_speeds, way_of
from unbraid.types import ProcessOptions

JOBS, UPLOADS = "/api/v1/jobs", "/api/v1/uploads"
STEM = {"stems": ["bass"], "residual": "off", "midi": False, "analysis": False}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("data")) as server:
        yield server


@pytest.fixture(scope="module")
def done(server: Served, song: Path) -> dict[str, Any]:
    """A job that is done, with the events that were seen on the way."""
    job_id = server.submit(song, options=STEM | {"format": "flac"})
    events = list(server.watch(job_id))
    return {**server.job(job_id), "events": events}


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server on which jobs only wait."""
    with Served(tmp_path_factory.mktemp("idle"), "--workers", "0", MAX_UPLOAD_MB="4") as server:
        yield server


def test_a_song_goes_in_and_its_stems_come_out(server: Served, done: dict[str, Any]) -> None:
    assert (done["state"], done["error"], done["fraction"]) == ("done", None, 1.0)
    skipped = [step["stage"] for step in done["steps"] if step["state"] != "done"]
    assert skipped == ["analyse", "transcribe"]
    assert [file["name"] for file in done["files"]] == ["stems/bass.flac", "manifest.json"]
    stem, manifest = (server.client.get(file["url"]) for file in done["files"])
    assert soundfile.info(io.BytesIO(stem.content)).duration == pytest.approx(15.0)
    assert stem.headers["content-type"] == "audio/flac"
    assert "F%C3%BCr%20Elise%20-%20bass.flac" in stem.headers["content-disposition"]
    assert Manifest.model_validate_json(manifest.content).input.file == "Für Elise.wav"


def test_events_tell_all_that_happened_and_the_stream_ends(done: dict[str, Any]) -> None:
    events = done["events"]
    assert [event["number"] for event in events] == list(range(1, done["last_event"] + 1))
    assert [event["state"] for event in events if event["kind"] == "state"] == [
        "queued",
        "running",
        "done",
    ]
    stages = [event["stage"] for event in events if event["kind"] == "progress"]
    assert list(dict.fromkeys(stages)) == ["decode", "separate", "judge", "export"]


def test_events_are_replayed_from_the_last_one_seen(server: Served, done: dict[str, Any]) -> None:
    assert list(server.watch(done["id"], after=3)) == done["events"][3:]


def test_a_part_of_a_file_can_be_asked_for(server: Served, done: dict[str, Any]) -> None:
    url = done["files"][0]["url"]
    whole = server.client.get(url)
    part = server.client.get(url, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole.content)}"
    assert server.client.get(url, headers={"Range": "bytes=-5"}).content == whole.content[-5:]
    beyond = server.client.get(url, headers={"Range": f"bytes={len(whole.content)}-"})
    assert beyond.status_code == 416
    etag = whole.headers["etag"]
    assert server.client.get(url, headers={"If-None-Match": etag}).status_code == 304
    other = {"Range": "bytes=0-1", "If-Range": '"other"'}
    assert server.client.get(url, headers=other).status_code == 200
    head = server.client.head(url)
    assert (head.content, head.headers["content-length"]) == (b"", str(len(whole.content)))


def test_the_zip_holds_all_files(server: Served, done: dict[str, Any]) -> None:
    answer = server.client.get(f"{JOBS}/{done['id']}/zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"Für Elise/{file['name']}" for file in done["files"]]
        stem = archive.read("Für Elise/stems/bass.flac")
    assert stem == server.client.get(done["files"][0]["url"]).content


def test_waveforms_are_those_of_the_recording_and_its_stems(
    server: Served, done: dict[str, Any], song: Path
) -> None:
    waveforms = {
        each["name"]: each for each in server.client.get(f"{JOBS}/{done['id']}/peaks").json()
    }
    assert list(waveforms) == ["mix", "bass"]
    samples = soundfile.read(song, always_2d=True)[0]
    for level in waveforms["mix"]["levels"]:
        answer = server.client.get(level["url"])
        length = level["samples_per_peak"]
        head = np.frombuffer(answer.content, "<i4", 6).tolist()
        assert head == [2, 0, 44_100, length, level["peaks"], 1]
        found = np.frombuffer(answer.content, "<i2", offset=24).reshape(-1, 2)
        assert len(found) == level["peaks"] == -(-len(samples) // length)
        for number in (0, 7, -1):
            start = number % len(found) * length
            stretch = samples[start : start + length]
            expected = [stretch.min() * 32_767, stretch.max() * 32_767]
            np.testing.assert_allclose(found[number], expected, atol=0.51)
    part = server.client.get(level["url"], headers={"Range": "bytes=24-27"})
    assert (part.status_code, part.content) == (206, answer.content[24:28])
    cached = {"If-None-Match": answer.headers["etag"]}
    assert server.client.get(level["url"], headers=cached).status_code == 304
    assert server.client.get(f"{JOBS}/{done['id']}/peaks/drums").status_code == 404


def test_spectrograms_of_the_recording_and_its_stems_can_be_had_in_parts(
    server: Served, done: dict[str, Any], song: Path
) -> None:
    waveforms = server.client.get(f"{JOBS}/{done['id']}/peaks").json()
    mixture = waveforms[0]["spectrogram"]
    contents = [server.client.get(level["url"]).content for level in mixture["levels"]]
    finest, *coarser = [np.frombuffer(each, np.uint8).reshape(-1, 128) for each in contents]
    samples, rate = soundfile.read(song, always_2d=True, dtype="float32")
    (magnitudes,) = stft(lambda start, stop: samples[start:stop].T, 200 * 1024)
    power = mel(magnitudes, rate)
    np.testing.assert_allclose(
        finest[:200], (255 + 25 * np.log10(power[:200])).clip(0, 255), atol=0.51
    )
    assert len(finest) == mixture["levels"][0]["columns"] == 1 + len(samples) // 1024
    assert finest.max() == mixture["loudest"]
    np.testing.assert_array_equal(coarser[0][3], finest[12:16].max(axis=0))
    np.testing.assert_array_equal(coarser[1][1], finest[16:32].max(axis=0))
    stem = waveforms[1]["spectrogram"]["levels"][0]["url"]
    answer = server.client.get(stem, headers={"Range": "bytes=1280-1535"})
    assert (answer.status_code, len(answer.content)) == (206, 256)
    cached = {"If-None-Match": answer.headers["etag"]}
    assert server.client.get(stem, headers=cached).status_code == 304
    assert server.client.get(f"{JOBS}/{done['id']}/spectrograms/drums").status_code == 404


def test_the_recording_can_be_heard_as_it_was_sent(
    server: Served, done: dict[str, Any], song: Path
) -> None:
    url = f"{JOBS}/{done['id']}/input"
    answer = server.client.get(url)
    assert (answer.content, answer.headers["content-type"]) == (song.read_bytes(), "audio/wav")
    part = server.client.get(url, headers={"Range": "bytes=44-99"})
    assert (part.status_code, part.content) == (206, song.read_bytes()[44:100])


def test_a_stem_can_be_had_in_any_format(server: Served, done: dict[str, Any]) -> None:
    url = f"{JOBS}/{done['id']}/stems/bass"
    flac = server.client.get(url)
    assert flac.content == server.client.get(done["files"][0]["url"]).content
    original = soundfile.read(io.BytesIO(flac.content))[0]
    wav = server.client.get(url, params={"format": "wav", "bit_depth": "24"})
    assert wav.headers["content-type"] == "audio/wav"
    assert "Elise%20-%20bass.wav" in wav.headers["content-disposition"]
    np.testing.assert_array_equal(soundfile.read(io.BytesIO(wav.content))[0], original)
    mp3 = server.client.get(url, params={"format": "mp3"})
    part = server.client.get(url, params={"format": "mp3"}, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, mp3.content[100:200])
    assert server.client.get(url, params={"format": "mp4"}).status_code == 422
    assert server.client.get(url, params={"bit_depth": "32f", "format": "flac"}).status_code == 422
    assert server.client.get(f"{JOBS}/{done['id']}/stems/drums").status_code == 404


def test_a_mix_is_made_and_kept_for_a_while(server: Served, done: dict[str, Any]) -> None:
    url = f"{JOBS}/{done['id']}/mix"
    wish = {"stems": {"bass": {"gain_db": -6.0205999, "pan": 0.0}}, "format": "flac"}
    answer = server.client.post(url, json=wish)
    stem = server.client.get(f"{JOBS}/{done['id']}/stems/bass")
    mixed, original = (soundfile.read(io.BytesIO(each.content))[0] for each in (answer, stem))
    np.testing.assert_allclose(mixed, original / 2, atol=2**-22)
    again = server.client.get(answer.headers["content-location"])
    assert again.content == answer.content
    gone = f"{JOBS}/{done['id']}/mixes/{'0' * 32}.wav"
    assert server.client.get(gone).status_code == 404
    refused: list[dict[str, Any]] = [{}, {"bass": {"mute": True}}, {"piano": {}}]
    for stems in (*refused, {"bass": {"gain_db": 99}}):
        assert server.client.post(url, json={"stems": stems}).status_code == 422


def test_a_form_and_a_plain_body_send_the_same(idle: Served, song: Path) -> None:
    plain = idle.client.put(f"{UPLOADS}/{song.name}", content=song.read_bytes()).json()
    form = idle.client.post(UPLOADS, files={"file": (song.name, song.read_bytes())}).json()
    assert plain.pop("id") != form.pop("id")
    assert plain == form
    assert plain["file_name"] == "Für Elise.wav"


def test_the_demonstration_song_can_be_had_as_if_it_were_sent(idle: Served) -> None:
    first, second = (idle.client.post(f"{UPLOADS}/demo").json() for _ in range(2))
    assert first["file_name"] == "demo.flac"
    assert first["sha256"] == second["sha256"]
    job = idle.client.post(JOBS, json={"upload_id": first["id"]}).json()
    recording = idle.client.get(f"{JOBS}/{job['id']}/input").content
    assert soundfile.info(io.BytesIO(recording)).duration > 20


@pytest.mark.parametrize(
    ("path", "kind", "body", "status"),
    [
        (JOBS, "application/json", b"{", 400),
        (JOBS, "text/plain", b'{"upload_id": "x"}', 415),
        (JOBS, "application/x-www-form-urlencoded", b"upload_id=x", 415),
        (UPLOADS, "audio/wav", b"RIFF", 415),
        ("/api/process", "audio/wav", b"RIFF", 415),
        (JOBS, "application/json", b"[]", 422),
        (JOBS, "application/json", b"", 422),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_for_what_it_is(
    idle: Served, path: str, kind: str, body: bytes, status: int
) -> None:
    answer = idle.client.post(path, content=body, headers={"Content-Type": kind})
    assert answer.status_code == status, answer.text
    assert answer.json()["status"] == status


def test_a_repeated_request_makes_no_second_job(idle: Served, song: Path) -> None:
    wish, key = {"upload_id": idle.upload(song)}, {"Idempotency-Key": "once"}
    first, second = (idle.client.post(JOBS, json=wish, headers=key) for _ in range(2))
    assert first.status_code == second.status_code == 201
    assert first.headers["location"] == second.headers["location"]
    other = idle.client.post(JOBS, json=wish | {"priority": "low"}, headers=key)
    assert other.status_code == 409


def test_waiting_jobs_know_their_place_and_are_listed(idle: Served, song: Path) -> None:
    for job in idle.client.get(JOBS).json()["jobs"]:
        idle.client.delete(f"{JOBS}/{job['id']}")
    jobs = [idle.submit(song) for _ in range(3)]
    assert [idle.job(job)["wait"]["position"] for job in jobs] == [0, 1, 2]
    assert idle.client.post(f"{JOBS}/{jobs[0]}/cancel").json()["state"] == "cancelled"
    assert [idle.job(job)["wait"] for job in jobs[:1]] == [None]
    page = idle.client.get(JOBS, params={"state": "queued", "limit": 1}).json()
    assert (page["total"], [job["id"] for job in page["jobs"]]) == (2, [jobs[2]])


def test_a_running_job_is_cancelled_and_a_removed_one_leaves_nothing(
    server: Served, long_song: Path
) -> None:
    before = {file for file in (server.data / "objects").rglob("*") if file.is_file()}
    job_id = server.submit(long_song, options=STEM)
    for event in server.watch(job_id):
        if event.get("stage") == "separate":
            server.client.post(f"{JOBS}/{job_id}/cancel")
    assert event["state"] == "cancelled"
    assert server.client.get(f"{JOBS}/{job_id}/zip").status_code == 409
    assert server.client.delete(f"{JOBS}/{job_id}").status_code == 204
    assert server.client.get(f"{JOBS}/{job_id}").status_code == 404
    objects = (server.data / "objects").rglob
    wait_for(lambda: {file for file in objects("*") if file.is_file()} <= before)
    wait_for(lambda: not list((server.data / "work").iterdir()))


def test_jobs_are_found_by_the_names_they_are_given(idle: Served, song: Path) -> None:
    job_id = idle.submit(song)
    assert idle.job(job_id)["name"] == "Für Elise"

    def found(text: str) -> bool:
        jobs = idle.client.get(JOBS, params={"q": text, "limit": 500}).json()["jobs"]
        return job_id in [job["id"] for job in jobs]

    assert found("FÜR el")
    assert not found("100 % Ärger")
    renamed = idle.client.patch(f"{JOBS}/{job_id}", json={"name": " 100 % Ärger/.. "})
    assert renamed.json()["name"] == "100 % Ärger/.."
    assert found("% ä")
    assert found("elise")  # the recording is still called so
    for name in ("", "   ", "x" * 256):
        assert idle.client.patch(f"{JOBS}/{job_id}", json={"name": name}).status_code == 422


def test_a_job_is_tried_again_with_other_settings(idle: Served, song: Path) -> None:
    job_id = idle.submit(song, options=STEM, priority="low", fallback="lite")
    idle.client.patch(f"{JOBS}/{job_id}", json={"name": "Mine"})
    url = f"{JOBS}/{job_id}/retry"
    same = idle.client.post(url, json={})
    assert same.status_code == 201
    assert same.headers["location"] == f"{JOBS}/{same.json()['id']}"
    first, second = idle.job(job_id), same.json()
    for field in ("options", "priority", "fallback", "upload_id", "name"):
        assert first[field] == second[field]
    assert first["id"] != second["id"]
    other = idle.client.post(url, json={"options": {"format": "mp3"}, "priority": "high"}).json()
    assert (other["options"]["format"], other["options"]["midi"]) == ("mp3", True)
    assert other["priority"] == "high"
    assert idle.client.post(url, json={"options": {"model": "none"}}).status_code == 422


def test_a_removed_job_can_be_restored_for_a_while(tmp_path: Path, song: Path) -> None:
    with Served(tmp_path, "--workers", "0", UNDO_MINUTES="5") as server:
        job_id = server.submit(song)
        url = f"{JOBS}/{job_id}"
        assert server.client.delete(url).status_code == 204
        assert server.client.get(url).status_code == 404
        assert server.client.get(JOBS).json()["total"] == 0
        restored = server.client.post(f"{url}/restore").json()
        assert (restored["id"], restored["state"]) == (job_id, "cancelled")
        assert server.client.get(f"{url}/input").content == song.read_bytes()
        server.client.delete(url, params={"forever": True})
        assert server.client.post(f"{url}/restore").status_code == 404
        wait_for(lambda: not [f for f in (tmp_path / "objects").rglob("*") if f.is_file()])


@pytest.mark.parametrize(
    ("method", "path", "request_", "status"),
    [
        ("GET", "/api/v1/nothing", {}, 404),
        ("GET", "/api/v1/jobs/", {}, 404),
        ("GET", f"{JOBS}/nobody", {}, 404),
        ("GET", f"{JOBS}/nobody/events", {}, 404),
        ("DELETE", f"{JOBS}/nobody", {}, 404),
        ("PATCH", JOBS, {}, 405),
        ("POST", JOBS, {"content": b"{"}, 422),
        ("POST", JOBS, {"content": b"\xff", "headers": {"Content-Type": "application/json"}}, 400),
        ("POST", JOBS, {"json": {}}, 422),
        ("POST", JOBS, {"json": {"upload_id": "x"}}, 404),
        ("POST", JOBS, {"json": {"upload_id": "x", "nonsense": 1}}, 422),
        ("POST", JOBS, {"json": {"upload_id": "x", "options": {"nonsense": 1}}}, 422),
        ("POST", JOBS, {"json": {"upload_id": "x", "options": {}, "preset": "bass"}}, 422),
        ("POST", JOBS, {"json": {"upload_id": "x", "options": {"model": "none"}}}, 422),
        ("POST", JOBS, {"json": {"upload_id": "x", "options": {"model": "/etc"}}}, 422),
        ("POST", JOBS, {"json": {"upload_id": "x", "fallback": "../.."}}, 422),
        ("POST", JOBS, {"json": {"upload_id": "x", "options": {"stems": ["harp"]}}}, 422),
        ("POST", JOBS, {"json": {"upload_id": "x", "options": {"name": "{track}"}}}, 422),
        ("POST", JOBS, {"json": {"upload_id": "x", "options": {"separation": {"shifts": 9}}}}, 422),
        ("POST", JOBS, {"content": b" " * 2_000_000}, 413),
        ("GET", JOBS, {"params": {"limit": 0}}, 422),
        ("GET", JOBS, {"params": {"state": "lost"}}, 422),
        ("POST", UPLOADS, {"content": b"no form"}, 422),
        ("POST", UPLOADS, {"files": {"file": b"x" * 5_000_000}}, 413),
        ("PUT", f"{UPLOADS}/a.wav", {"content": b"x" * 4_000_001}, 413),
        ("PUT", f"{UPLOADS}/a.wav", {"content": iter([b"x" * 1_000_000] * 9)}, 413),
        ("GET", "/health", {"headers": {"Host": "evil.example"}}, 403),
        ("GET", "/health", {"headers": {"Host": "127.0.0.1.evil.example:80"}}, 403),
        ("GET", "/health", {"headers": {"Origin": "https://evil.example"}}, 403),
        ("GET", "/health", {"headers": {"Origin": "null"}}, 403),
    ],
)
def test_refusals_say_why(
    idle: Served, method: str, path: str, request_: dict[str, Any], status: int
) -> None:
    answer = idle.client.request(method, path, **request_)
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (status, status), problem
    assert problem["type"].startswith("urn:unbraid:")
    assert len(problem["detail"]) > 10


def test_a_refused_upload_leaves_nothing(idle: Served) -> None:
    idle.client.put(f"{UPLOADS}/a.wav", content=iter([b"x" * 1_000_000] * 9))
    sizes = [f.stat().st_size for f in (idle.data / "objects").rglob("*") if f.is_file()]
    assert max(sizes, default=0) < 4_000_000


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd",
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2fetc%2fpasswd",
        "/etc/passwd",
        "..\\passwd",
    ],
)
def test_nothing_but_the_result_can_be_read(
    server: Served, done: dict[str, Any], name: str
) -> None:
    job = f"{JOBS}/{done['id']}"
    rooms = [f"{job}/{room}" for room in ("files", "stems", "peaks", "spectrograms", "mixes")]
    for room in (*rooms, f"/download/status/{done['id']}"):
        answer = server.client.get(f"{room}/{name}")
        assert answer.status_code in (404, 422), room
        assert "root:" not in answer.text


@pytest.mark.parametrize("name", ["../../../evil.wav", "/tmp/evil.wav", "..", "a\x00b\r\n.wav"])
def test_the_name_of_a_recording_leads_nowhere(server: Served, song: Path, name: str) -> None:
    boundary = "-----------b"
    head = json.dumps(name)[1:-1].replace("\\u0000", "%00").replace("\\r\\n", "%0D%0A")
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{head}"\r\n\r\n'
    ).encode() + song.read_bytes()[:1_000_044]
    answer = server.client.post(
        UPLOADS,
        content=body + f"\r\n--{boundary}--\r\n".encode(),
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    wish = {"upload_id": answer.json()["id"], "options": STEM}
    job_id = server.client.post(JOBS, json=wish).json()["id"]
    assert list(server.watch(job_id))[-1]["state"] in ("done", "failed")
    assert not list(Path("/tmp").glob("evil*"))
    assert not list(server.data.parent.glob("evil*"))
    assert server.job(job_id)["state"] == "done"
    archive = zipfile.ZipFile(io.BytesIO(server.client.get(f"{JOBS}/{job_id}/zip").content))
    assert all(".." not in Path(each).parts and each[0] != "/" for each in archive.namelist())


def test_answers_are_protected_in_browsers(server: Served, done: dict[str, Any]) -> None:
    for path in ("/health", "/nothing", done["files"][0]["url"]):
        headers = server.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "access-control-allow-origin" not in headers
    same = {"Origin": str(server.client.base_url).rstrip("/")}
    assert server.client.get("/health", headers=same).status_code == 200


def test_what_the_server_has_can_be_listed(server: Served) -> None:
    models = {each["name"]: each for each in server.client.get("/api/v1/models").json()}
    assert models["lite"]["present"]
    assert not models["htdemucs"]["present"] or os.environ.get("UNBRAID_MODELS_DIR")
    presets = {each["name"] for each in server.client.get("/api/v1/presets").json()}
    assert "karaoke" in presets
    assert server.client.get("/api/v1/limits").json()["max_upload_bytes"] == 100_000_000
    assert server.client.get("/ready").json() == {"status": "ready", "workers": 1}
    assert server.client.get("/docs").status_code == 200


def test_the_speed_of_a_model_is_what_was_measured_here(
    server: Served, done: dict[str, Any]
) -> None:
    assert done["options"]["model"] == "lite"
    database = Database(f"sqlite:///{server.data / 'unbraid.sqlite'}")
    assert measured_speeds(database)[way_of(ProcessOptions(stems=("bass",)))] > 0
    database.close()
    models = {each["name"]: each for each in server.client.get("/api/v1/models").json()}
    assert models["htdemucs"]["speed"] is None


def test_stems_can_be_heard_while_the_job_runs(server: Served, long_song: Path) -> None:
    job_id = server.submit(long_song, options=STEM)
    url = f"{JOBS}/{job_id}/preview"
    for event in server.watch(job_id):
        if event.get("stage") == "separate" and event["done_s"] >= 20:
            break
    preview = server.client.get(url).json()
    assert preview["stems"] == ["bass"]
    assert preview["chunks"] >= 2
    chunk = soundfile.read(io.BytesIO(server.client.get(f"{url}/bass/1").content))[0]
    assert chunk.shape == (441_000, 2)
    for missing in ("bass/99", "drums/0", "..%2f..%2fbass/0"):
        assert server.client.get(f"{url}/{missing}").status_code == 404
    list(server.watch(job_id))
    name = server.job(job_id)["files"][0]["url"]
    stem = soundfile.read(io.BytesIO(server.client.get(name).content))[0]
    np.testing.assert_allclose(chunk, stem[441_000:882_000], atol=2**-15)
    assert server.client.get(url).status_code == 409


def connect(server: Served, job_id: str, **headers: str) -> ClientConnection:
    url = server.address.replace("http", "ws") + f"{JOBS}/{job_id}/ws"
    return websockets.sync.client.connect(url, additional_headers=headers)


def test_a_websocket_tells_the_same_and_takes_the_wish_to_stop(
    server: Served, done: dict[str, Any], long_song: Path
) -> None:
    with connect(server, done["id"]) as socket:
        told = [json.loads(message) for message in socket]
    assert [{"number": e["number"], "kind": e["event"], **e["data"]} for e in told] == (
        done["events"]
    )
    job_id = server.submit(long_song, options=STEM)
    with connect(server, job_id) as socket:
        socket.send('{"type": "cancel"}')
        *_, last = [json.loads(message) for message in socket]
    assert last["data"]["state"] == "cancelled"


def test_a_websocket_says_why_it_closes(idle: Served, song: Path) -> None:
    with connect(idle, "nobody") as socket, pytest.raises(ConnectionClosed, match="no such job"):
        socket.recv()
    with connect(idle, idle.submit(song)) as socket:
        socket.send("nonsense")
        with pytest.raises(ConnectionClosed, match="cancel"):
            list(socket)
    with pytest.raises(InvalidStatus, match="403"):
        connect(idle, "nobody", Origin="https://evil.example")


def test_every_metric_is_observed(server: Served, done: dict[str, Any]) -> None:
    text = server.client.get("/metrics").text
    found = {family.name: family for family in text_string_to_metric_families(text)}
    routes = {sample.labels["route"] for sample in found["http_request_duration_seconds"].samples}
    assert "/jobs/{job_id}" in routes
    counts = {
        sample.name: sample.value
        for name in ("separation_duration_seconds", "separation_file_size_bytes")
        for sample in found[name].samples
        if sample.name.endswith("_count")
    }
    assert min(counts.values()) >= 1
    states = {s.labels["state"]: s.value for s in found["unbraid_jobs"].samples}
    assert states["done"] >= 1
    for name in ("workers", "stored_bytes", "disk_free_bytes"):
        assert found[f"unbraid_{name}"].samples[0].value > 0


def test_ended_jobs_go_after_their_time(tmp_path: Path, song: Path) -> None:
    with Served(tmp_path, "--workers", "0", KEEP_DAYS="0", MAX_STORED_GB="0.001") as server:
        job_id = server.submit(song)
        full = server.client.put(f"{UPLOADS}/more.wav", content=b"x")
        assert (full.status_code, full.headers["retry-after"]) == (503, "10")
        server.client.post(f"{JOBS}/{job_id}/cancel")
        wait_for(lambda: server.client.get(f"{JOBS}/{job_id}").status_code == 404)
        wait_for(lambda: server.client.put(f"{UPLOADS}/x.wav", content=b"x").status_code == 201)

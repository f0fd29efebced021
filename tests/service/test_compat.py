import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import mido
import numpy as np
import pytest
import soundfile
from tests.service.serving import Served, wait_for

PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("data"), MAX_UPLOAD_MB="4", OFFLINE="1") as server:
        yield server


def send(server: Served, path: str, song: Path, **fields: str) -> httpx.Response:
    return server.client.post(path, files={"file": (song.name, song.read_bytes())}, data=fields)


def messages(server: Served, job_id: str) -> list[dict[str, Any]]:
    with server.client.stream("GET", f"/api/progress/{job_id}") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in answer.iter_lines() if line.startswith("data: ")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def read(wav: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(soundfile.read(io.BytesIO(wav), always_2d=True)[0])


def test_the_bass_extractor_gives_tempo_and_midi(server: Served, song: Path) -> None:
    accepted = send(server, "/api/process", song)
    assert (accepted.status_code, set(accepted.json())) == (200, {"job_id"})
    job_id = accepted.json()["job_id"]
    early = server.client.get(f"/api/result/{job_id}")
    assert (early.status_code, early.headers["content-type"]) == (409, PROBLEM)
    told = messages(server, job_id)
    assert all(set(each) == {"progress", "message"} for each in told)
    percents = [each["progress"] for each in told]
    assert percents == sorted(percents)
    assert (percents[0], told[-1]) == (0, {"progress": 100, "message": "Done"})
    assert any("Separating" in each["message"] for each in told)

    result = server.client.get(f"/api/result/{job_id}")
    assert result.headers["content-type"] == "application/json"
    assert set(result.json()) == {"bpm", "midi_b64", "filename"}
    assert result.json()["filename"] == "Für Elise - bass.mid"
    assert 110 < result.json()["bpm"] < 130
    midi = mido.MidiFile(file=io.BytesIO(base64.b64decode(result.json()["midi_b64"])))
    assert sum(message.type == "note_on" for message in midi) > 10

    sound = server.client.get(f"/api/result/{job_id}", headers={"Accept": "audio/wav"})
    assert read(sound.content).shape == (15 * 44_100, 2)


def test_the_separation_gateway_gives_all_stems_in_one_file(server: Served, song: Path) -> None:
    accepted = send(server, "/api/alert", song, request_id="käse 17")
    assert (accepted.status_code, accepted.json()) == (200, {"status": "pending"})
    at = "/api/status/käse 17"
    pending = server.client.get(at)
    assert (pending.status_code, pending.json()) == (200, {"status": "pending"})
    assert server.client.get("/api/result/käse 17").status_code == 409
    assert send(server, "/api/alert", song, request_id="käse 17").status_code == 409
    wait_for(lambda: server.client.get(at).status_code == 201)
    assert server.client.get(at).json() == {"status": "done"}

    result = server.client.get("/api/result/käse 17")
    assert result.headers["content-type"] == "audio/wav"
    assert result.headers["x-result-filename"] == "F%C3%BCr Elise - stems.wav"
    stems = read(result.content)
    assert stems.shape == (15 * 44_100, 8)
    mixture = soundfile.read(song)[0]
    error = mixture - stems.reshape(-1, 4, 2).sum(1)
    assert np.sqrt(np.mean(error**2)) < 0.1 * np.sqrt(np.mean(mixture**2))

    again = server.client.get("/api/result/käse 17", headers={"Range": "bytes=0-3"})
    assert (again.status_code, again.content) == (206, b"RIFF")
    notes = server.client.get("/api/result/käse 17", headers={"Accept": "application/json"})
    assert notes.status_code == 406
    assert server.client.post("/api/cancel/käse 17").json() == {"status": "done"}


def test_the_multitrack_service_gives_a_file_for_each_stem(server: Served, song: Path) -> None:
    accepted = send(server, "/separate", song, model_name="lite")
    job_id = accepted.json()["job_id"]
    assert (accepted.status_code, accepted.json()) == (
        202,
        {
            "status": "accepted",
            "job_id": job_id,
            "session_id": accepted.json()["session_id"],
            "status_url": f"/status/{job_id}",
            "download_template": f"/download/status/{job_id}/{{stem}}",
        },
    )
    early = server.client.get(f"/download/status/{job_id}/bass")
    assert (early.status_code, early.headers["content-type"]) == (409, PROBLEM)
    first = server.client.get(f"/status/{job_id}").json()
    assert first["status"] in ("pending", "running")
    assert (first["result"], first["error"], first["finished_at"]) == (None, None, None)
    wait_for(lambda: server.client.get(f"/status/{job_id}").json()["status"] == "done")
    status = server.client.get(f"/status/{job_id}").json()
    assert (status["model"], status["device"]) == ("lite", "cpu")
    assert status["submitted_at"] <= status["started_at"] <= status["finished_at"]
    assert set(status["result"]["stems"]) == {"vocals", "drums", "bass", "other"}
    for stem, url in status["result"]["stems"].items():
        assert url == accepted.json()["download_template"].format(stem=stem)
        assert read(server.client.get(url).content).shape == (15 * 44_100, 2)
    assert server.client.get(f"/download/status/{job_id}/harp").status_code == 404
    session = accepted.json()["session_id"]
    stems = {"bass": 0.5, "drums": 1, "vocals": 0}
    mixed = server.client.post("/mix", json={"session_id": session, "stems": stems})
    assert mixed.headers["content-type"] == "audio/wav"
    bass, drums = (
        read(server.client.get(status["result"]["stems"][name]).content)
        for name in ("bass", "drums")
    )
    np.testing.assert_allclose(read(mixed.content), 0.5 * bass + drums, atol=1e-6)
    for wrong in ({}, {"harp": 1}, {"bass": 0}, {"bass": -1}):
        answer = server.client.post("/mix", json={"session_id": session, "stems": wrong})
        assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    assert "lite" in {model["name"] for model in server.client.get("/models").json()}


def test_a_model_that_cannot_be_had_is_an_error(server: Served, song: Path) -> None:
    unknown = send(server, "/separate", song, model_name="nonsense")
    assert (unknown.status_code, unknown.headers["content-type"]) == (422, PROBLEM)
    job_id = send(server, "/separate", song, model_name="htdemucs_6s").json()["job_id"]
    wait_for(lambda: server.client.get(f"/status/{job_id}").json()["status"] == "error")
    assert "htdemucs_6s" in server.client.get(f"/status/{job_id}").json()["error"]


def test_a_song_that_is_none_is_an_error_in_each_system(server: Served, tmp_path: Path) -> None:
    text = tmp_path / "text.mp3"
    text.write_text("no music " * 1000)
    job_id = send(server, "/api/process", text).json()["job_id"]
    assert messages(server, job_id)[-1]["message"].startswith("Error: ")
    assert server.client.get(f"/api/result/{job_id}").status_code == 409
    send(server, "/api/alert", text, request_id="text")
    wait_for(lambda: server.client.get("/api/status/text").status_code == 500)
    failed = server.client.get("/api/status/text")
    assert (failed.headers["content-type"], failed.json()["type"]) == (PROBLEM, "urn:unbraid:audio")


def test_a_request_can_be_cancelled(server: Served, song: Path) -> None:
    send(server, "/api/alert", song, request_id="stop me")
    assert server.client.post("/api/cancel/stop me").json() == {"status": "cancelled"}
    assert server.client.get("/api/status/stop me").status_code == 404
    assert server.client.get("/api/result/stop me").status_code == 409


@pytest.mark.parametrize(
    ("method", "path", "request_", "status"),
    [
        ("GET", "/api/nothing", {}, 404),
        ("GET", "/api/result/nobody", {}, 404),
        ("GET", "/api/progress/nobody", {}, 404),
        ("GET", "/api/status/nobody", {}, 404),
        ("POST", "/api/cancel/nobody", {}, 404),
        ("GET", "/status/nobody", {}, 404),
        ("GET", "/download/status/nobody/bass", {}, 404),
        ("POST", "/api/process", {"content": b"no form"}, 422),
        ("POST", "/api/alert", {"files": {"file": b"x"}}, 422),
        ("POST", "/api/alert", {"files": {"file": b"x"}, "data": {"request_id": "a/b"}}, 422),
        ("POST", "/separate", {"files": {"file": b"x" * 5_000_000}}, 413),
        ("GET", "/separate", {}, 405),
    ],
)
def test_refusals_say_why(
    server: Served, method: str, path: str, request_: dict[str, Any], status: int
) -> None:
    answer = server.client.request(method, path, **request_)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), answer.text

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mido
import pytest
from tests.service.serving import Served, wait_for

from unbraid.export.manifest import Manifest

JOBS = "/api/v1/jobs"
OPTIONS = {"stems": ["bass", "drums"], "format": "flac"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("data"), QUICK_WORKERS="1") as server:
        yield server


@pytest.fixture(scope="module")
def done(server: Served, song: Path) -> str:
    job_id = server.submit(song, options=OPTIONS)
    list(server.watch(job_id))
    return job_id


def post(server: Served, url: str, wish: dict[str, Any]) -> dict[str, Any]:
    answer = server.client.post(url, json=wish)
    assert answer.status_code == 201, answer.text
    task: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"{JOBS}/{task['id']}"
    return task


def fetch(server: Served, job_id: str) -> dict[str, bytes]:
    files = server.job(job_id)["files"]
    return {file["name"]: server.client.get(file["url"]).content for file in files}


def test_a_result_is_transcribed_anew_and_its_exports_follow(server: Served, done: str) -> None:
    export = post(server, f"{JOBS}/{done}/exports", {"formats": ["musicxml", "click"]})
    assert (export["kind"], export["parent_id"]) == ("export", done)
    list(server.watch(export["id"]))
    before = fetch(server, done)
    score = "notation/Für Elise.musicxml"
    assert {score, "extra/Für Elise click.wav"} < set(before)

    wish = {"transcription": {"onset_threshold": 0.8}, "midi_tempo": 90}
    task = post(server, f"{JOBS}/{done}/transcribe", wish)
    events = list(server.watch(task["id"]))
    assert [event["state"] for event in events if event["kind"] == "state"][-1] == "done"
    stages = [event["stage"] for event in events if event["kind"] == "progress"]
    assert list(dict.fromkeys(stages)) == ["transcribe", "export"]
    after = fetch(server, done)
    assert set(after) == set(before)
    same = {name for name in before if before[name] == after[name]}
    assert {"stems/bass.flac", "stems/drums.flac", "analysis.json"} <= same
    assert not {"midi/all.mid", "manifest.json", score} & same

    job = server.job(done)
    assert job["options"]["midi_tempo"] == 90
    assert job["options"]["format"] == "flac"
    assert [each["id"] for each in job["tasks"]] == [task["id"], export["id"]]
    manifest = Manifest.model_validate_json(after["manifest.json"])
    assert manifest.options.transcription.onset_threshold == 0.8
    midi = mido.MidiFile(file=io.BytesIO(after["midi/all.mid"]))
    assert next(each.tempo for each in midi if each.type == "set_tempo") == 666_667
    listed = server.client.get(JOBS).json()["jobs"]
    assert task["id"] not in [each["id"] for each in listed]


def test_a_result_is_set_right_and_its_exports_follow(server: Served, done: str) -> None:
    before = fetch(server, done)
    wish = {
        "tempo": "half",
        "key": {"tonic": "F#", "mode": "minor"},
        "notes": {"bass": [{"start": 1.0, "end": 2.0, "pitch": 40}]},
    }
    answer = server.client.patch(f"{JOBS}/{done}/analysis", json=wish)
    assert (answer.status_code, answer.json()["kind"]) == (201, "correct")
    list(server.watch(answer.json()["id"]))
    after = fetch(server, done)
    analyses = [json.loads(files["analysis.json"]) for files in (before, after)]
    assert analyses[1]["bpm"] == pytest.approx(analyses[0]["bpm"] / 2)
    assert analyses[1]["key"]["tonic"] == "F#"
    notes = list(mido.MidiFile(file=io.BytesIO(after["midi/bass.mid"])))
    assert [each.note for each in notes if each.type == "note_on" and each.velocity] == [40]
    assert before["stems/bass.flac"] == after["stems/bass.flac"]
    assert before["notation/Für Elise.musicxml"] != after["notation/Für Elise.musicxml"]
    for wrong in (
        {"tempo": "slow"},
        {"key": {"tonic": "H", "mode": "major"}},
        {"chords": [{"start": 2, "end": 1, "label": "C"}]},
        {"chords": [{"start": 0, "end": 1, "label": "nonsense"}]},
    ):
        answer = server.client.patch(f"{JOBS}/{done}/analysis", json=wrong)
        assert answer.status_code == 422, wrong


def test_tasks_are_undone_and_done_again_to_the_byte(server: Served, done: str) -> None:
    def undos() -> list[str | None]:
        return [task["undo"] for task in server.job(done)["tasks"][:2]]

    def correct(**wish: Any) -> str:
        task_id = str(server.client.patch(f"{JOBS}/{done}/analysis", json=wish).json()["id"])
        list(server.watch(task_id))
        return task_id

    def undo(task_id: str) -> int:
        return server.client.post(f"{JOBS}/{task_id}/undo").status_code

    first, options = fetch(server, done), server.job(done)["options"]
    one = correct(downbeat=1)
    second = fetch(server, done)
    two = post(server, f"{JOBS}/{done}/transcribe", {"midi_tempo": 70})["id"]
    list(server.watch(two))
    third = fetch(server, done)
    assert undos() == ["undo", None]
    assert undo(one) == 409
    assert undo(two) == 200
    assert (fetch(server, done), undos()) == (second, ["redo", "undo"])
    assert server.job(done)["options"] == options
    assert undo(one) == 200
    assert (fetch(server, done), undos()) == (first, [None, "redo"])
    versions = {file["name"]: file["version"] for file in server.job(done)["files"]}
    assert [undo(one), undo(two)] == [200, 200]
    assert (fetch(server, done), undos()) == (third, ["undo", None])
    assert server.job(done)["options"]["midi_tempo"] == 70
    after = {file["name"]: file["version"] for file in server.job(done)["files"]}
    assert {name for name in after if versions[name] != after[name]} == {
        name for name in after if first[name] != third[name]
    }
    assert [undo(two), undo(one)] == [200, 200]
    correct(downbeat=-1)
    assert undo(one) == 409
    assert undo(done) == 409


def test_stems_are_scored_against_true_ones(server: Served, done: str) -> None:
    stems = {
        name: server.client.put(
            f"/api/v1/uploads/{name}.flac",
            content=server.client.get(f"{JOBS}/{done}/stems/{name}").content,
        ).json()["id"]
        for name in ("bass", "drums")
    }
    assert server.job(done)["scores"] is None
    task = post(server, f"{JOBS}/{done}/scores", {"stems": {**stems, "vocals": stems["bass"]}})
    list(server.watch(task["id"]))
    job = server.job(done)
    assert set(job["scores"]) == {"bass", "drums"}
    assert job["scores"]["drums"] == {"sdr_db": 100.0, "sir_db": 100.0, "sar_db": 100.0}
    url = f"{JOBS}/{done}/scores"
    assert server.client.post(url, json={"stems": {"bass": "nobody"}}).status_code == 404
    strange = post(server, url, {"stems": {"flute": stems["bass"]}})
    list(server.watch(strange["id"]))
    assert "none of these stems" in server.job(strange["id"])["error"]["detail"]


def test_files_say_what_they_are(server: Served, done: str) -> None:
    found = {(file["kind"], file["of"]) for file in server.job(done)["files"]}
    assert {("stem", "bass"), ("midi", "all"), ("raw midi", "bass"), ("analysis", None)} <= found


def test_a_task_that_ends_badly_leaves_the_result(server: Served, done: str) -> None:
    before = fetch(server, done)
    task = post(server, f"{JOBS}/{done}/transcribe", {"cleanup": {"min_velocity": 127}})
    for event in server.watch(task["id"]):
        if event.get("stage") == "transcribe":
            server.client.post(f"{JOBS}/{task['id']}/cancel")
    assert server.job(task["id"])["state"] == "cancelled"
    assert server.job(done)["state"] == "done"
    assert fetch(server, done) == before


def test_an_export_that_cannot_be_made_says_why(server: Served, song: Path) -> None:
    silent = {"stems": ["vocals"], "residual": "off", "midi": False, "analysis": False}
    job_id = server.submit(song, options=silent)
    list(server.watch(job_id))
    both = post(server, f"{JOBS}/{job_id}/exports", {"formats": ["chords", "multichannel"]})
    list(server.watch(both["id"]))
    assert server.job(both["id"])["state"] == "done"
    assert "no chords were found" in server.job(both["id"])["warnings"][0]
    none = post(server, f"{JOBS}/{job_id}/exports", {"formats": ["chords"]})
    list(server.watch(none["id"]))
    error = server.job(none["id"])["error"]
    assert (error["type"], "no chords were found" in error["detail"]) == ("input", True)


def test_a_killed_server_goes_on_with_a_task(server: Served, done: str) -> None:
    task = post(server, f"{JOBS}/{done}/transcribe", {"quantise": {"grid": "1/8"}})
    for event in server.watch(task["id"]):
        if event.get("stage") == "transcribe":
            break
    server.kill()
    server.start()
    list(server.watch(task["id"]))
    assert server.job(task["id"])["state"] == "done"
    assert server.job(done)["options"]["quantise"]["grid"] == "1/8"
    manifest = json.loads(fetch(server, done)["manifest.json"])
    assert manifest["midi"]["quantised"]


def test_a_task_needs_not_wait_for_songs(server: Served, done: str, long_song: Path) -> None:
    busy = server.submit(long_song, options=OPTIONS)
    task = post(server, f"{JOBS}/{done}/exports", {"formats": ["chords"]})
    list(server.watch(task["id"]))
    assert server.job(task["id"])["state"] == "done"
    assert server.job(busy)["state"] in ("queued", "running")
    server.client.delete(f"{JOBS}/{busy}")


@pytest.mark.parametrize(
    ("path", "wish", "status"),
    [
        ("transcribe", {"transcription": {"onset_threshold": 2}}, 422),
        ("transcribe", {"midi_tempo": 0}, 422),
        ("transcribe", {"nonsense": 1}, 422),
        ("transcribe", {"stems": ["bass"], "midi_tempo": 90}, 422),
        ("exports", {"formats": []}, 422),
        ("exports", {"formats": ["pdf"]}, 422),
    ],
)
def test_wishes_that_make_no_sense_are_refused(
    server: Served, done: str, path: str, wish: dict[str, Any], status: int
) -> None:
    assert server.client.post(f"{JOBS}/{done}/{path}", json=wish).status_code == status


def test_there_must_be_a_result_to_work_on(server: Served, long_song: Path) -> None:
    job_id = server.submit(long_song)
    assert server.client.post(f"{JOBS}/{job_id}/transcribe", json={}).status_code == 409
    assert server.client.post(f"{JOBS}/nobody/transcribe", json={}).status_code == 404
    server.client.delete(f"{JOBS}/{job_id}")


def test_a_removed_job_takes_all_along_that_its_tasks_made(server: Served, done: str) -> None:
    server.client.delete(f"{JOBS}/{done}", params={"forever": True})
    objects = server.data / "objects" / "results" / done
    wait_for(lambda: not [file for file in objects.rglob("*") if file.is_file()])

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import mido
import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from unbraid.cli import app
from unbraid.demo import DemoSong
from unbraid.export.midi import stem_tracks, write_midi
from unbraid.presets import PRESETS, PresetName
from unbraid.separation import choose_models
from unbraid.types import NoteEvent
from unbraid.weights import ModelStore

RATE = 44_100


@dataclass(frozen=True)
class Run:
    code: int
    out: str
    err: str

    @property
    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


def unbraid(*arguments: object) -> Run:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Run(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def songs(tmp_path: Path, demo: DemoSong) -> Path:
    """A folder with two short songs, one of them below another folder."""
    folder = tmp_path / "my songs"
    (folder / "album").mkdir(parents=True)
    for file, start in ((folder / "a.wav", 5), (folder / "album" / "b.flac", 9)):
        excerpt = demo.mixture.samples[:, start * RATE : (start + 2) * RATE]
        soundfile.write(file, excerpt.T, RATE)
    (folder / "notes.txt").write_text("not a song")
    return folder


def test_process_writes_a_folder_for_each_song(songs: Path, tmp_path: Path) -> None:
    run = unbraid("process", songs, "-o", tmp_path / "out")
    assert run.code == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a", "b"}
    assert (tmp_path / "out" / "b" / "midi" / "bass.mid").exists()
    assert (tmp_path / "out" / "b" / "report.html").exists()
    assert "x real time" in run.out


def test_process_moves_notes_onto_the_beats_of_a_given_tempo(songs: Path, tmp_path: Path) -> None:
    command = ["process", songs / "a.wav", "-o", tmp_path, "--stems", "bass", "--json"]
    options = ("--quantize", "1/8", "--midi-tempo", "120", "--export", "none")
    (document,) = unbraid(*command, *options).documents
    manifest = document["manifest"]
    assert manifest["exports"] == {}
    assert (manifest["midi"]["quantised"], manifest["options"]["quantise"]["grid"]) == (True, "1/8")


def test_json_is_one_document_per_song_and_nothing_else(songs: Path, tmp_path: Path) -> None:
    run = unbraid("process", songs, "-o", tmp_path / "out", "--json")
    assert {Path(document["path"]).name for document in run.documents} == {"a.wav", "b.flac"}
    for document in run.documents:
        manifest = json.loads((Path(document["folder"]) / "manifest.json").read_text())
        assert document["manifest"] == manifest


def test_a_song_taken_apart_before_comes_from_the_cache(songs: Path, tmp_path: Path) -> None:
    command = ["separate", songs / "a.wav", "--stems", "bass"]
    runs = {
        "first": unbraid(*command, "-o", tmp_path / "1", "--json"),
        "again": unbraid(*command, "-o", tmp_path / "2", "--json"),
        "without": unbraid(*command, "-o", tmp_path / "3", "--json", "--no-cache"),
    }
    from_cache = {name: run.documents[0]["manifest"]["from_cache"] for name, run in runs.items()}
    assert from_cache == {"first": False, "again": True, "without": False}
    assert "from the cache" in unbraid(*command, "-o", tmp_path / "4").out


def test_separate_writes_stems_alone(songs: Path, tmp_path: Path) -> None:
    run = unbraid(
        "separate", songs / "a.wav", "-o", tmp_path, "--stems", "vocals,bass", "--format", "flac"
    )
    assert run.code == 0
    files = {path.name for path in (tmp_path / "a").rglob("*") if path.is_file()}
    assert files == {"vocals.flac", "bass.flac", "manifest.json"}


def test_two_stems_are_a_stem_and_the_rest(songs: Path, tmp_path: Path) -> None:
    assert unbraid("separate", songs / "a.wav", "-o", tmp_path, "--two-stems", "vocals").code == 0
    files = {path.name for path in (tmp_path / "a" / "stems").iterdir()}
    assert files == {"vocals.wav", "rest.wav"}


def test_options_override_those_of_a_preset(songs: Path, tmp_path: Path) -> None:
    def options(*arguments: str) -> dict[str, Any]:
        command = ["separate", songs / "a.wav", "-o", tmp_path, "--model", "lite", "--json"]
        chosen: dict[str, Any] = unbraid(*command, *arguments).documents[0]["manifest"]["options"]
        return {**chosen, **chosen["separation"]}

    karaoke = options("--preset", "karaoke")
    assert (karaoke["stems"], karaoke["with_rest"], karaoke["model"]) == (["vocals"], True, "lite")
    without = options("--preset", "karaoke", "--stems", "bass", "--without-rest")
    assert (without["stems"], without["with_rest"]) == (["bass"], False)
    assert options("--preset", "fast")["precision"] == "fast"
    assert options("--preset", "fast", "--precision", "exact")["precision"] == "exact"
    assert options("--preset", "render")["shifts"] == 1
    assert options("--preset", "render", "--shifts", "0")["shifts"] == 0


def test_every_preset_can_be_asked_for() -> None:
    assert get_args(PresetName) == tuple(PRESETS)
    listed = unbraid("models", "list").out
    for name, preset in PRESETS.items():
        choose_models(preset.options.model, preset.options.stems, {}, ModelStore())
        assert name in listed


def test_patterns_are_expanded(songs: Path, tmp_path: Path) -> None:
    run = unbraid("info", f"{songs}/**/*.flac", "--json")
    assert [Path(document["path"]).name for document in run.documents] == ["b.flac"]


def test_songs_side_by_side_give_the_same_stems(songs: Path, tmp_path: Path) -> None:
    for jobs in (1, 2):
        out = tmp_path / str(jobs)
        unbraid("separate", songs, "-o", out, "--jobs", jobs, "--threads", 1, "--no-cache")
    for name in ("a", "b"):
        stem = Path(name, "stems", "vocals.wav")
        assert (tmp_path / "1" / stem).read_bytes() == (tmp_path / "2" / stem).read_bytes()


def test_songs_of_the_same_name_get_folders_of_their_own(songs: Path, tmp_path: Path) -> None:
    (songs / "album" / "b.flac").rename(songs / "album" / "a.flac")
    run = unbraid("separate", songs, "-o", tmp_path / "out", "--jobs", 2)
    assert run.code == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a", "a (2)"}
    again = unbraid("separate", songs, "-o", tmp_path / "out", "--json")
    assert all(document["skipped"] for document in again.documents)


def test_a_bad_file_is_reported_and_stops_no_other(songs: Path, tmp_path: Path) -> None:
    bad = songs / "0 bad.wav"
    bad.write_text("this is no music")
    run = unbraid("separate", songs, "-o", tmp_path / "out")
    assert run.code == 3
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a", "b"}
    assert "0 bad.wav" in run.err
    assert "Traceback" not in run.err


def test_names_that_look_like_markup_are_shown_as_they_are(songs: Path, tmp_path: Path) -> None:
    odd = songs / "[red]:heart: 悲愴.wav"
    (songs / "a.wav").rename(odd)
    run = unbraid("separate", odd, "-o", tmp_path, "--stems", "bass")
    assert run.code == 0
    assert "[red]:heart: 悲愴.wav" in run.out
    run = unbraid("separate", odd, "-o", tmp_path, "--stems", "bass", "--json")
    assert run.documents[0]["path"] == str(odd)


def test_errors_are_part_of_the_json(tmp_path: Path) -> None:
    run = unbraid("process", tmp_path / "nothing.wav", "-o", tmp_path / "out", "--json")
    assert run.code == 3
    assert run.documents[0]["error"]["kind"] == "AudioError"
    assert not (tmp_path / "out").exists()


def bad_files(folder: Path) -> dict[str, Path]:
    def file(name: str, content: bytes) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    def wav(name: str, samples: np.ndarray[Any, Any]) -> Path:
        soundfile.write(folder / name, samples, RATE, "FLOAT")
        return folder / name

    (folder / "folder.wav").mkdir()
    return {
        "empty": file("empty.wav", b""),
        "text": file("text.wav", b"just words\n" * 100),
        "random bytes": file("random.mp3", np.random.default_rng(0).bytes(100_000)),
        "a folder": folder / "folder.wav",
        "missing": folder / "missing.wav",
        "no samples": wav("none.wav", np.zeros((0, 2))),
        "not a number": wav("nan.wav", np.full((1000, 2), np.nan)),
        "infinite": wav("inf.wav", np.full((1000, 2), np.inf)),
    }


@pytest.mark.parametrize(
    "kind",
    [
        "empty",
        "text",
        "random bytes",
        "a folder",
        "missing",
        "no samples",
        "not a number",
        "infinite",
    ],
)
@pytest.mark.parametrize("command", ["process", "info", "transcribe"])
def test_what_is_no_recording_is_refused_in_one_line(
    tmp_path: Path, kind: str, command: str
) -> None:
    out = [] if command == "info" else ["-o", tmp_path / "out"]
    run = unbraid(command, bad_files(tmp_path)[kind], *out)
    assert run.code == 3
    assert len(run.err.strip().splitlines()) == 1
    assert run.err.startswith("error: ")
    assert not [path for path in tmp_path.glob("out/**/*") if path.is_file()]


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    run = unbraid("process", tmp_path)
    assert (run.code, "no recordings there" in run.err) == (3, True)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["x.wav", "--format", "tape"],
        ["x.wav", "--midi-tempo", "fast"],
        ["x.wav", "--midi-tempo", "0"],
        ["x.wav", "--onset-threshold", "2"],
        ["x.wav", "--quantize", "1/8", "--swing", "40"],
        ["x.wav", "--velocity-curve", "0"],
        ["x.wav", "--min-frequency", "500", "--max-frequency", "100"],
        ["x.wav", "--name", "{title}"],
        ["x.wav", "--stems", "kazoo"],
        ["x.wav", "--stems", "vocals", "--two-stems", "vocals"],
        ["x.wav", "--weights", "vocals:1"],
        ["x.wav", "--preset", "symphony"],
        ["x.wav", "--weights", "vocals=1:1"],
        ["x.wav", "--bit-depth", "32f", "--format", "flac"],
        ["x.wav", "--jobs", "0"],
        ["x.wav", "--overlap", "0.6"],
        ["x.wav", "--segment", "0"],
        ["x.wav", "--device", "toaster"],
        ["x.wav", "--device", "mps" if sys.platform != "darwin" else "cuda"],
    ],
)
def test_wrong_usage_exits_with_2(arguments: Sequence[str], tmp_path: Path) -> None:
    run = unbraid("process", *arguments, *(["-o", tmp_path / "out"] if arguments else []))
    assert run.code == 2
    assert not (tmp_path / "out").exists()


def test_an_unknown_model_exits_with_4(songs: Path, tmp_path: Path) -> None:
    run = unbraid("process", songs / "a.wav", "-o", tmp_path / "out", "--model", "heavy")
    assert (run.code, "choose one of: lite" in run.err) == (4, True)


def test_a_folder_that_cannot_be_written_exits_with_5(songs: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    run = unbraid("process", songs / "a.wav", "-o", tmp_path / "file" / "out")
    assert (run.code, "choose another folder" in run.err) == (5, True)


def test_transcribe_writes_the_notes_of_a_recording(demo: DemoSong, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "bass.wav", demo.stems["bass"].samples.T, RATE)
    run = unbraid("transcribe", tmp_path / "bass.wav", "-o", tmp_path / "out", "--json")
    document = run.documents[0]
    midi = mido.MidiFile(document["midi"])
    onsets = sum(message.type == "note_on" for message in midi)
    assert run.code == 0
    assert onsets == len(document["notes"])
    assert len(document["notes"]) == pytest.approx(len(demo.notes["bass"]), rel=0.2)


def test_transcribing_files_of_the_same_name_loses_none(songs: Path, tmp_path: Path) -> None:
    (songs / "album" / "b.flac").rename(songs / "album" / "a.flac")
    unbraid("transcribe", songs, "-o", tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a.mid", "a (2).mid"}


def test_analyze_says_what_is_in_a_song(demo: DemoSong, tmp_path: Path) -> None:
    song = tmp_path / "song.wav"
    soundfile.write(song, demo.mixture.samples[:, : 15 * RATE].T, RATE)
    found = unbraid("analyze", song, "--json").documents[0]
    assert found["path"] == str(song)
    assert (found["bpm"], found["metre"], found["key"]["tonic"]) == (128, "4/4", "D")
    assert {"tempo", "beats", "downbeats", "chords", "drums", "loudness"} < set(found)
    assert {"stems", "quality", "sounds"} < set(found)
    assert list(tmp_path.iterdir()) == [song]
    shown = unbraid("analyze", song).out
    assert "128 BPM" in shown
    assert "D major" in shown


@pytest.mark.parametrize("seconds", [0.05, 2.0])
def test_analyze_invents_nothing_where_there_is_no_music(seconds: float, tmp_path: Path) -> None:
    song = tmp_path / "silence.wav"
    soundfile.write(song, np.zeros((round(RATE * seconds), 2)), RATE)
    found = unbraid("analyze", song, "--json").documents[0]
    assert (found["bpm"], found["key"], found["metre"]) == (None, None, None)
    assert (found["beats"], found["drums"], found["sounds"]) == ([], [], [])
    assert {chord["label"] for chord in found["chords"]} == {"N"}


def test_a_tagger_that_is_not_there_is_refused_before_any_work(songs: Path) -> None:
    run = unbraid("analyze", songs / "a.wav", "--tags", songs)
    assert run.code == 4
    assert "config.json" in run.err or "unbraid[tags]" in run.err


def test_process_and_export_hand_results_over(songs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ("--export", "dawproject", "-o", out, "--json")
    (document,) = unbraid("process", songs / "a.wav", *arguments).documents
    assert document["manifest"]["exports"] == {"dawproject": ["extra/a.dawproject"]}
    run = unbraid("export", out / "a", "--to", "multichannel, click", "--json")
    assert run.code == 2
    (document,) = run.documents
    assert document["files"] == {"multichannel": ["extra/a stems.wav"]}
    assert document["problems"]["click"]["kind"] == "InputError"
    assert "its tempo" in unbraid("export", out / "a", "--to", "click").err
    assert unbraid("export", out / "a", "--to", "pdf").code == 2


def test_info_describes_a_recording(tmp_path: Path) -> None:
    sine = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(2 * RATE) / RATE)
    soundfile.write(tmp_path / "sine.wav", sine, RATE)
    document = unbraid("info", tmp_path / "sine.wav", "--json").documents[0]
    assert document["length"] == 2 * RATE
    assert document["peak_db"] == pytest.approx(-6.02, abs=0.01)
    assert document["loudness_lufs"] == pytest.approx(-9.0, abs=0.3)
    assert "44100 Hz" in unbraid("info", tmp_path / "sine.wav").out


def test_models_are_listed_with_licences() -> None:
    assert re.search(r"lite .* MIT", unbraid("models", "list").out)
    assert json.loads(unbraid("models", "list", "--json").out)[0]["name"] == "lite"


def test_demo_says_how_well_it_went(tmp_path: Path) -> None:
    run = unbraid("demo", "-o", tmp_path, "--json")
    assert (tmp_path / "demo" / "report.html").is_file()
    document = run.documents[0]
    assert run.code == 0
    for name, sdr_db in document["sdr_db"].items():
        assert sdr_db > document["mixture_sdr_db"][name] + 3
    assert all(score["f1"] > 0.3 for score in document["notes"].values())
    assert {path.name for path in Path(document["truth"]).iterdir()} >= {"vocals.wav", "all.mid"}
    assert "Compared with the truth" in unbraid("demo", "-o", tmp_path).out


def test_quiet_says_nothing(songs: Path, tmp_path: Path) -> None:
    run = unbraid("separate", songs / "a.wav", "-o", tmp_path, "--quiet")
    assert (run.code, run.out, run.err) == (0, "", "")


def test_the_version_is_shown() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", unbraid("--version").out)


def test_ctrl_c_stops_cleanly_and_the_next_run_goes_on(demo: DemoSong, tmp_path: Path) -> None:
    song, out = tmp_path / "long.wav", tmp_path / "out"
    soundfile.write(song, np.tile(demo.mixture.samples, 3).T, RATE)
    program = Path(sys.executable).with_name("unbraid")
    command = [str(program), "separate", str(song), "-o", str(out)]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    grown = out / "long" / ".partial" / "other.f32"
    deadline = time.monotonic() + 60
    while not (grown.exists() and grown.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.005)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "goes on from here" in err
    assert "Traceback" not in err
    assert not (out / "long" / "stems").exists()
    assert subprocess.run(command, check=False).returncode == 0
    shutil.rmtree(out)


def test_midi_quantize_moves_notes_onto_the_beats(tmp_path: Path) -> None:
    played = [NoteEvent(time_s, time_s + 0.2, 60, 0.5) for time_s in (0.02, 0.52, 0.98)]
    write_midi(tmp_path / "in.mid", stem_tracks({"bass": played}), 120)
    source, out = tmp_path / "in.mid", tmp_path / "out.mid"
    run = unbraid("midi", "quantize", source, "-o", out, "--grid", "1/8", "--json")
    assert (run.code, run.documents[0]["notes"]) == (0, 3)
    now_s, starts_s = 0.0, []
    for message in mido.MidiFile(out):
        now_s += message.time
        if message.type == "note_on":
            starts_s.append(now_s)
    assert starts_s == pytest.approx([0, 0.5, 1])
    assert unbraid("midi", "quantize", source, "-o", out, "--swing", 20).code == 2
    assert unbraid("midi", "quantize", tmp_path / "no.mid", "-o", out).code == 3

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from unbraid import export_result, process
from unbraid.audio import Tags, open_writer, read_tags
from unbraid.demo import DemoSong
from unbraid.errors import InputError, ResourceError
from unbraid.export.folder import ResultFolder
from unbraid.export.manifest import read_manifest
from unbraid.exporting import EXPORT_NAMES
from unbraid.types import ProcessOptions

RATE = 44_100


@pytest.fixture(scope="module")
def made(demo: DemoSong, tmp_path_factory: pytest.TempPathFactory) -> Path:
    song = tmp_path_factory.mktemp("song") / "Für Elise – 悲愴 🎹.wav"
    soundfile.write(song, demo.mixture.samples[:, : 12 * RATE].T, RATE, "FLOAT")
    return process(song, song.parent / "out").folder


@pytest.fixture
def result(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "result"))


def silence(folder: Path, seconds: float) -> Path:
    song = folder / "silence.wav"
    soundfile.write(song, np.zeros((round(seconds * RATE), 2)), RATE)
    return process(song, folder / "out").folder


def test_every_export_is_made_once_and_named_in_the_manifest(result: Path) -> None:
    first = export_result(result, EXPORT_NAMES)
    assert not first.problems
    files = [result / file for names in first.files.values() for file in names]
    assert len(files) == len(set(files)) >= len(EXPORT_NAMES)
    written = {file: file.stat().st_mtime_ns for file in files}
    manifest = read_manifest(result / "manifest.json")
    assert manifest is not None
    assert manifest.exports == first.files
    assert export_result(result, EXPORT_NAMES) == first
    assert {file: file.stat().st_mtime_ns for file in files} == written
    again = export_result(result, ["click"], overwrite=True)
    click = result / again.files["click"][0]
    assert click.stat().st_mtime_ns > written[click]
    manifest = read_manifest(result / "manifest.json")
    assert manifest is not None
    assert manifest.exports == first.files
    assert not list(result.glob(".partial"))


def test_a_file_that_was_removed_is_made_again(result: Path) -> None:
    for file in export_result(result, ["chords"]).files["chords"]:
        (result / file).unlink()
    assert (result / export_result(result, ["chords"]).files["chords"][0]).is_file()


@pytest.mark.parametrize("seconds", [0.2, 5.0])
def test_what_cannot_be_made_says_why_and_the_others_come_out(
    seconds: float, tmp_path: Path
) -> None:
    folder = silence(tmp_path, seconds)
    exported = export_result(folder, EXPORT_NAMES)
    assert set(exported.problems) == {"musicxml", "chords", "click"}
    assert "notes" in exported.problems["musicxml"].message
    assert "chords" in exported.problems["chords"].message
    assert "beats" in exported.problems["click"].message
    for names in exported.files.values():
        assert all((folder / file).is_file() for file in names)


def test_without_ffmpeg_the_stems_file_says_what_to_install(
    result: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    exported = export_result(result, ["stem", "chords"])
    assert exported.problems["stem"].kind == "MissingExtraError"
    assert "ffmpeg" in exported.problems["stem"].message
    assert set(exported.files) == {"chords"}


def test_tags_reach_the_exports_even_past_stems_that_lack_them(
    demo: DemoSong, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tags = Tags(title="夜", artist="A", bpm=60, key="Abm", genre="Pop", isrc="GBAYE7300007")
    song = tmp_path / "song.mp3"
    with open_writer(song, RATE, 2, "mp3", tags=tags) as writer:
        writer.write(demo.mixture.samples[:, : 12 * RATE])
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    result = process(song, tmp_path / "out", ProcessOptions(format="flac"))
    warnings = [each for each in result.manifest.warnings if "BPM, key, ISRC" in each]
    assert ["install FFmpeg" in warning for warning in warnings] == [True]
    assert result.manifest.input.isrc == "GBAYE7300007"
    exported = export_result(result.folder, ["multichannel", "musicxml"])
    found = read_tags(result.folder / exported.files["multichannel"][0])
    assert (found.title, found.genre, found.isrc) == ("夜", "Pop", "GBAYE7300007")
    assert found.key in ("D", "F#m")
    assert found.bpm == pytest.approx(128, abs=0.5)
    score = (result.folder / exported.files["musicxml"][0]).read_text("utf-8")
    assert '<miscellaneous-field name="isrc">GBAYE7300007<' in score


def test_stems_alone_have_no_notation(result: Path, demo: DemoSong, tmp_path: Path) -> None:
    song = tmp_path / "song.wav"
    soundfile.write(song, demo.mixture.samples[:, :RATE].T, RATE)
    options = ProcessOptions(midi=False, analysis=False)
    exported = export_result(
        process(song, tmp_path / "out", options).folder, ["musicxml", "dawproject"]
    )
    assert set(exported.problems) == {"musicxml"}
    assert set(exported.files) == {"dawproject"}


def test_an_unknown_export_and_a_folder_without_a_result_are_refused(
    result: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="musicxml"):
        export_result(result, ["pdf"])
    with pytest.raises(InputError, match="unbraid process"):
        export_result(tmp_path, ["chords"])


def test_a_folder_that_is_being_worked_on_is_left_alone(result: Path) -> None:
    with ResultFolder(result).held(), pytest.raises(ResourceError, match="worked on"):
        export_result(result, ["chords"])

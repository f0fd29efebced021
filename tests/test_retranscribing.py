import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from unbraid import Progress, export_result, process, transcribe_result
from unbraid.correcting import Correction, correct_result
from unbraid.demo import DemoSong
from unbraid.errors import Cancelled, InputError
from unbraid.export.song import open_song
from unbraid.types import NoteEvent, ProcessOptions, QuantiseOptions, TranscriptionOptions

RATE = 44_100
OPTIONS = ProcessOptions(bit_depth="32f")


@pytest.fixture(scope="module")
def made(demo: DemoSong, tmp_path_factory: pytest.TempPathFactory) -> Path:
    song = tmp_path_factory.mktemp("song") / "song.wav"
    soundfile.write(song, demo.mixture.samples[:, : 12 * RATE].T, RATE, "FLOAT")
    folder = process(song, song.parent / "out", OPTIONS).folder
    export_result(folder, ["musicxml", "chords"])
    return folder


@pytest.fixture
def result(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "result"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*.*")}


def notes(folder: Path) -> list[tuple[str, int, float, float]]:
    with open_song(folder) as song:
        return [
            (name, note.pitch, note.start_s, note.end_s)
            for name, played in song.notes.items()
            for note in played
        ]


def changed(before: dict[str, bytes], after: dict[str, bytes]) -> set[str]:
    return {name for name in before | after if before.get(name) != after.get(name)}


def test_the_same_options_find_the_same_notes(result: Path) -> None:
    before = notes(result)
    seen: list[Progress] = []
    manifest = transcribe_result(result, OPTIONS, on_progress=seen.append)
    assert manifest.options == OPTIONS
    after = notes(result)
    assert [each[:2] for each in after] == [each[:2] for each in before]
    np.testing.assert_allclose(  # the beats are written to a thousandth of a second
        [each[2:] for each in after], [each[2:] for each in before], atol=0.003
    )
    fractions = [each.fraction or 0 for each in seen if each.stage == "transcribe"]
    assert fractions == sorted(fractions)
    assert fractions[-1] > 0.99


def test_other_options_write_other_notes_and_the_scores_follow(result: Path) -> None:
    before = contents(result)
    options = replace(
        OPTIONS,
        transcription=TranscriptionOptions(onset_threshold=0.9),
        quantise=QuantiseOptions("1/8"),
        midi_tempo=100.0,
    )
    manifest = transcribe_result(result, options)
    assert manifest.midi
    assert (manifest.midi.tempo_bpm, manifest.midi.quantised) == (100.0, True)
    assert (manifest.options.quantise, manifest.options.bit_depth) == (options.quantise, "32f")
    differing = changed(before, contents(result))
    assert {"manifest.json", "midi/all.mid", "notation/song.musicxml"} <= differing
    assert not [name for name in differing if name.startswith(("stems", "analysis"))]


def test_some_stems_are_transcribed_and_the_others_keep_their_notes(result: Path) -> None:
    correct_result(result, Correction(notes={"bass": (NoteEvent(1, 2, 40, 0.5),), "other": ()}))
    before = notes(result)
    options = replace(OPTIONS, transcription=TranscriptionOptions(onset_threshold=0.8))
    manifest = transcribe_result(result, options, stems=["other"])
    assert manifest.options == OPTIONS
    assert manifest.midi
    assert manifest.midi.corrected == ("bass",)
    after = notes(result)
    assert [each for each in after if each[0] != "other"] == [
        each for each in before if each[0] != "other"
    ]
    assert len([each for each in after if each[0] == "other"]) == manifest.midi.notes["other"] > 0
    transcribe_result(result, options)
    whole = [each[:2] for each in notes(result) if each[0] == "other"]
    assert [each[:2] for each in after if each[0] == "other"] == whole
    with pytest.raises(InputError, match="'drums' has no notes here"):
        transcribe_result(result, options, stems=["drums"])


def test_a_result_without_notes_gets_them(demo: DemoSong, tmp_path: Path) -> None:
    song = tmp_path / "song.wav"
    soundfile.write(song, demo.mixture.samples[:, : 6 * RATE].T, RATE)
    only = ProcessOptions(stems=("bass",), residual="off", midi=False, analysis=False)
    manifest = transcribe_result(process(song, tmp_path / "out", only).folder, ProcessOptions())
    assert manifest.midi
    assert list(manifest.midi.files) == ["bass", "all"]
    assert manifest.midi.notes["bass"] > 0


def test_what_was_interrupted_changes_nothing(result: Path) -> None:
    before = contents(result)

    def stop(_: Progress) -> None:
        raise Cancelled("stop")

    with pytest.raises(Cancelled):
        transcribe_result(result, ProcessOptions(), on_progress=stop)
    assert changed(before, contents(result)) == set()


def test_a_folder_without_a_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no finished result"):
        transcribe_result(tmp_path, OPTIONS)

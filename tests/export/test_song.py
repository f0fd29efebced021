from pathlib import Path

import numpy as np
import pytest
import soundfile

from unbraid import process
from unbraid.audio import load
from unbraid.demo import DemoSong
from unbraid.errors import AudioError, InputError
from unbraid.export.song import open_song
from unbraid.types import AudioFormat, ProcessOptions

RATE, LENGTH = 44_100, 12 * 44_100


@pytest.fixture(scope="module")
def recording(demo: DemoSong, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("song") / "song.wav"
    soundfile.write(file, demo.mixture.samples[:, :LENGTH].T, RATE, "FLOAT")
    return file


@pytest.fixture(scope="module")
def result(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return process(recording, tmp_path_factory.mktemp("out")).folder


def test_a_result_is_read_as_it_was_made(recording: Path, result: Path) -> None:
    with open_song(result) as song:
        assert (song.length, song.sample_rate) == (LENGTH, RATE)
        assert list(song.stems) == ["vocals", "drums", "bass", "other"]
        stem = load(result / "stems" / "bass.wav").samples
        np.testing.assert_array_equal(song.stems["bass"](1000, 5000), stem[:, 1000:5000])
        mixture = load(recording).samples
        np.testing.assert_allclose(song.mixture(7, 99_999), mixture[:, 7:99_999], atol=1e-6)
        assert song.grid is not None
        assert song.grid.tempo_bpm == pytest.approx(128, abs=0.5)
        assert song.grid.downbeats_s == song.analysis.downbeats  # type: ignore[union-attr]
        assert song.key is not None
        found = song.analysis.key  # type: ignore[union-attr]
        assert found is not None
        assert (song.key.name, song.key.camelot) == (f"{found.tonic} {found.mode}", found.camelot)
        assert song.chords[-1].end_s == pytest.approx(12.0)
        assert len(song.strokes) == song.manifest.midi.notes["drums"]  # type: ignore[union-attr]
        counts = {name: len(notes) for name, notes in song.notes.items()}
        assert counts.items() <= song.manifest.midi.notes.items()  # type: ignore[union-attr]
        assert set(counts) == {"vocals", "bass", "other"}


@pytest.mark.parametrize("format", ["flac", "mp3", "ogg", "opus"])
def test_stems_of_every_format_are_read(
    format: AudioFormat, recording: Path, tmp_path: Path
) -> None:
    options = ProcessOptions(midi=False, analysis=False, stems=("bass",), format=format)
    with open_song(process(recording, tmp_path, options).folder) as song:
        assert song.length == LENGTH * song.sample_rate // RATE
        assert song.stems["bass"](100, 300).shape == (2, 200)
        assert (song.grid, song.key, song.chords, song.strokes) == (None, None, (), ())


def test_a_tempo_that_was_given_goes_before_the_songs_own(recording: Path, tmp_path: Path) -> None:
    folder = process(recording, tmp_path, ProcessOptions(midi_tempo=97.0)).folder
    with open_song(folder) as song:
        assert song.grid is not None
        assert song.grid.tempo_bpm == pytest.approx(97.0)


def test_a_folder_without_a_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unbraid process"), open_song(tmp_path):
        pass


def test_a_missing_stem_is_named(recording: Path, tmp_path: Path) -> None:
    folder = process(recording, tmp_path, ProcessOptions(midi=False, analysis=False)).folder
    (folder / "stems" / "bass.wav").unlink()
    with pytest.raises(AudioError, match=r"bass\.wav"), open_song(folder):
        pass

from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.export.probing import probed

from unbraid.audio import Tags, load
from unbraid.errors import InputError
from unbraid.export.folder import ResultFolder
from unbraid.export.growing import GrowingStems
from unbraid.export.stems import WrittenStems, check_options, write_stems
from unbraid.types import ProcessOptions, Samples

RATE = 44_100
LENGTH = 30_000


def noise(seed: int, scale: float = 0.1) -> Samples:
    return np.random.default_rng(seed).uniform(-scale, scale, (2, LENGTH)).astype(np.float32)


class Song:
    """Two stems that are to be written."""

    def __init__(self, folder: Path, loudness: float = 0.1, leak: float = 0.0) -> None:
        self.folder = ResultFolder(folder)
        self.stems = {"vocals": noise(1, loudness), "other": noise(2, loudness)}
        self.mixture = np.sum(list(self.stems.values()), axis=0) + noise(3, leak)
        self.growing = GrowingStems(self.folder.partial, list(self.stems))
        self.growing.append(np.stack(list(self.stems.values())))
        self.reported: list[int] = []

    def write(self, options: ProcessOptions, complete: bool = True) -> WrittenStems:
        return write_stems(
            self.folder,
            self.growing,
            lambda start, stop: self.mixture[:, start:stop],
            options,
            file_name=lambda stem: options.name.format(stem=stem),
            tags=Tags(title="t"),
            sample_rate=RATE,
            complete=complete,
            on_progress=self.reported.append,
        )

    def sum_of_files(self, written: WrittenStems) -> Samples:
        files = [record.file for record in written.stems.values()]
        files += [written.audio.residual] if written.audio.residual else []
        parts = [load(self.folder.path / file).samples for file in files]
        total: Samples = np.sum(parts, axis=0)
        return total


@pytest.mark.parametrize("format", ["wav", "flac"])
def test_written_stems_sum_to_the_mixture(tmp_path: Path, format: str) -> None:
    song = Song(tmp_path)
    written = song.write(ProcessOptions(format=format))  # type: ignore[arg-type]
    np.testing.assert_allclose(song.sum_of_files(written), song.mixture, atol=2**-22)
    assert written.audio.residual is None
    assert song.reported[-1] == 2 * LENGTH


def test_wav_stems_say_that_they_begin_together(tmp_path: Path) -> None:
    written = Song(tmp_path).write(ProcessOptions())
    for record in written.stems.values():
        tags = probed(tmp_path / record.file)["format"]["tags"]
        assert (tags["time_reference"], tags["title"]) == ("0", "t")


def test_what_the_stems_leave_goes_into_a_file(tmp_path: Path) -> None:
    song = Song(tmp_path, leak=0.05)
    written = song.write(ProcessOptions())
    assert written.audio.residual == "extra/residual.wav"
    np.testing.assert_allclose(song.sum_of_files(written), song.mixture, atol=2**-21)


def test_what_the_stems_leave_goes_into_other_on_request(tmp_path: Path) -> None:
    song = Song(tmp_path, leak=0.05)
    written = song.write(ProcessOptions(residual="other"))
    assert written.audio.residual is None
    np.testing.assert_allclose(song.sum_of_files(written), song.mixture, atol=2**-21)


def test_what_the_stems_leave_is_dropped_on_request(tmp_path: Path) -> None:
    song = Song(tmp_path, leak=0.05)
    written = song.write(ProcessOptions(residual="off"))
    assert written.audio.residual is None
    assert written.audio.residual_db == pytest.approx(-10.0, abs=0.5)
    assert not (tmp_path / "extra").exists()


def test_a_choice_of_stems_has_no_residual(tmp_path: Path) -> None:
    written = Song(tmp_path, leak=0.05).write(ProcessOptions(), complete=False)
    assert (written.audio.residual, written.audio.residual_db) == (None, None)


def test_stems_beyond_full_scale_become_float(tmp_path: Path) -> None:
    song = Song(tmp_path, loudness=1.5)
    written = song.write(ProcessOptions())
    assert written.audio.sample_format == "32-bit float"
    assert "reach +3.5 dBFS" in written.warnings[0]
    assert soundfile.info(tmp_path / "stems" / "vocals.wav").subtype == "FLOAT"
    np.testing.assert_allclose(song.sum_of_files(written), song.mixture, atol=1e-6)


def test_loud_stems_are_lowered_alike_on_request(tmp_path: Path) -> None:
    song = Song(tmp_path, loudness=1.5)
    written = song.write(ProcessOptions(clip="rescale"))
    assert written.audio.gain_db == pytest.approx(-3.52, abs=0.01)
    gain = 10 ** (written.audio.gain_db / 20)
    np.testing.assert_allclose(song.sum_of_files(written), gain * song.mixture, atol=2e-3)
    assert max(record.peak_db or 0 for record in written.stems.values()) <= 0


def test_loud_stems_are_limited_on_request(tmp_path: Path) -> None:
    song = Song(tmp_path, loudness=1.5)
    written = song.write(ProcessOptions(clip="limit"))
    assert written.audio.limited
    assert written.audio.residual is not None
    np.testing.assert_allclose(song.sum_of_files(written), song.mixture, atol=2**-21)


@pytest.mark.parametrize("format", ["flac", "mp3", "ogg", "opus"])
def test_formats_without_float_lower_loud_stems(tmp_path: Path, format: str) -> None:
    written = Song(tmp_path, loudness=1.5).write(ProcessOptions(format=format))  # type: ignore[arg-type]
    assert written.audio.gain_db < -3
    assert "all were lowered by 3.52 dB" in written.warnings[0]


def test_a_silent_stem_is_said_to_be_silent(tmp_path: Path) -> None:
    song = Song(tmp_path)
    song.growing = GrowingStems(song.folder.partial / "x", ["vocals", "other"])
    song.growing.append(np.stack([0 * noise(1), song.mixture]))
    written = song.write(ProcessOptions())
    assert written.stems["vocals"].silent
    assert not written.stems["other"].silent
    assert written.stems["vocals"].peak_db is None


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (ProcessOptions(format="flac", bit_depth="32f"), "fits only WAV"),
        (ProcessOptions(stems=("bass",), residual="other"), "needs all stems"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: ProcessOptions, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        check_options(options)

from pathlib import Path

import numpy as np
import pytest

from unbraid.export.folder import ResultFolder, claim, writing
from unbraid.export.growing import GrowingStems
from unbraid.export.manifest import Reproduce
from unbraid.separation.runtime import Runtime


def reproduce(sha: str) -> str:
    return Reproduce(
        input_sha256=sha,
        model="lite",
        weights={},
        stems=("vocals",),
        with_rest=False,
        runtimes={"lite": Runtime("cpu", "onnxruntime", "float32")},
        threads=1,
        passes=(),
        seed=None,
        versions={},
    ).model_dump_json()


def leave_work(out: Path, track: str, sha: str) -> None:
    with claim(out, track, sha) as folder:
        folder.state.write_text(reproduce(sha))


def test_a_new_song_gets_the_folder_of_its_name(tmp_path: Path) -> None:
    with claim(tmp_path, "song", "a") as folder:
        assert folder.path == tmp_path / "song"


def test_unfinished_work_on_the_same_recording_is_found_again(tmp_path: Path) -> None:
    leave_work(tmp_path, "song", "a")
    with claim(tmp_path, "song", "a") as folder:
        assert folder.path == tmp_path / "song"


def test_another_recording_of_the_same_name_gets_a_number(tmp_path: Path) -> None:
    leave_work(tmp_path, "song", "a")
    leave_work(tmp_path, "song", "b")
    with claim(tmp_path, "song", "c") as folder:
        assert folder.path == tmp_path / "song (3)"


def test_a_folder_being_worked_on_is_left_alone(tmp_path: Path) -> None:
    with claim(tmp_path, "song", "a"), claim(tmp_path, "song", "a") as second:
        assert second.path == tmp_path / "song (2)"


def test_a_foreign_folder_of_that_name_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "song").mkdir()
    (tmp_path / "song" / "mine.txt").write_text("precious")
    with claim(tmp_path, "song", "a") as folder:
        assert folder.path == tmp_path / "song (2)"


def test_a_claim_that_came_to_nothing_leaves_nothing(tmp_path: Path) -> None:
    with claim(tmp_path, "song", "a"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    file = tmp_path / "x.txt"
    with writing(file, tmp_path) as unfinished:
        unfinished.write_text("all of it")
        assert not file.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["x.txt"]


def test_a_file_whose_writing_fails_never_appears(tmp_path: Path) -> None:
    def fail() -> None:
        with ResultFolder(tmp_path).writing(tmp_path / "x.txt") as unfinished:
            unfinished.write_text("half of it")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        fail()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_stems_grow_and_are_read_back(tmp_path: Path) -> None:
    stems = GrowingStems(tmp_path, ["a", "b"])
    samples = np.arange(2 * 2 * 10, dtype=np.float32).reshape(2, 2, 10)
    stems.append(samples[..., :4])
    stems.append(samples[..., 4:])
    np.testing.assert_array_equal(stems.read("b", 2, 7), samples[1, :, 2:7])
    assert stems.read("a", 8, 20).shape == (2, 2)


def test_stems_left_unequal_by_a_crash_go_on_where_all_of_them_are(tmp_path: Path) -> None:
    samples = np.ones((2, 2, 10), np.float32)
    GrowingStems(tmp_path, ["a", "b"]).append(samples)
    with (tmp_path / "b.f32").open("r+b") as file:
        file.truncate(7 * 8 + 3)
    stems = GrowingStems(tmp_path, ["a", "b"])
    assert stems.written == 7
    stems.append(2 * samples)
    np.testing.assert_array_equal(stems.read("a", 5, 9)[0], [1, 1, 2, 2])

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from unbraid.weights.digests import LARGE, Digests

HOUR_NS = 3600 * 10**9
FORGED = "0" * 64  # told where a file was not read


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "digests"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return weights(tmp_path / "weights.th")


def weights(file: Path, size: int = LARGE, first: bytes = b"a") -> Path:
    """A file that was written an hour ago."""
    with file.open("wb") as content:
        content.write(first)
        content.truncate(size)
    return aged(file)


def aged(file: Path, ns: int = HOUR_NS) -> Path:
    seen = file.stat()
    os.utime(file, ns=(seen.st_atime_ns, seen.st_mtime_ns - ns))
    return file


def forge(folder: Path) -> None:
    """Make every record tell another digest."""
    for record in folder.iterdir():
        record.write_text(FORGED + record.read_text()[64:])


def true(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_file_is_read_once(folder: Path, file: Path) -> None:
    assert Digests(folder).sha256(file) == true(file)
    forge(folder)
    assert Digests(folder).sha256(file) == FORGED
    assert Digests(folder).sha256(file, anew=True) == true(file)
    assert Digests(folder).sha256(file) == true(file)


def test_another_file_of_the_same_size_and_time_is_noticed(folder: Path, file: Path) -> None:
    before, seen = Digests(folder).sha256(file), file.stat()
    other = weights(file.with_name("other"), first=b"b")
    os.utime(other, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    other.replace(file)
    assert Digests(folder).sha256(file) == true(file) != before


def test_a_change_in_place_is_noticed(folder: Path, file: Path) -> None:
    before, seen = Digests(folder).sha256(file), file.stat()
    with file.open("r+b") as content:
        content.write(b"b")
    assert Digests(folder).sha256(file) == true(file) != before
    os.utime(file, ns=(seen.st_atime_ns, seen.st_mtime_ns))  # the change is hidden
    assert Digests(folder).sha256(file) == true(file)


def test_a_copy_elsewhere_is_read(folder: Path, file: Path) -> None:
    Digests(folder).sha256(file)
    forge(folder)
    copy = Path(shutil.copy2(file, file.with_name("copy.th")))
    assert Digests(folder).sha256(copy) == true(copy)


@pytest.mark.parametrize("reason", ["small", "young"])
def test_what_is_quickly_read_or_still_changing_leaves_no_record(
    folder: Path, tmp_path: Path, reason: str
) -> None:
    file = weights(tmp_path / "weights.th", LARGE - (reason == "small"))
    aged(file, -HOUR_NS if reason == "young" else 0)
    assert Digests(folder).sha256(file) == true(file)
    assert not folder.exists()


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"\xff\xfe"])
def test_a_damaged_record_counts_for_nothing(folder: Path, file: Path, content: bytes) -> None:
    Digests(folder).sha256(file)
    (record,) = folder.iterdir()
    record.write_bytes(content)
    assert Digests(folder).sha256(file) == true(file)


def test_where_nothing_can_be_kept_the_digest_is_told_all_the_same(
    tmp_path: Path, file: Path
) -> None:
    (tmp_path / "digests").write_text("a file stands in the way")
    assert Digests(tmp_path / "digests").sha256(file) == true(file)


def test_processes_that_remember_at_once_agree(folder: Path, file: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from unbraid.weights.digests import Digests;"
        "print(*{Digests(Path(sys.argv[1])).sha256(Path(sys.argv[2]), anew=True) for _ in 'abcd'})"
    )
    command = [sys.executable, "-c", script, str(folder), str(file)]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    outputs = [child.communicate(timeout=60)[0].strip() for child in children]
    assert outputs == [true(file)] * 3
    (record,) = folder.iterdir()
    assert record.read_text().startswith(true(file))

import hashlib
import os
import subprocess
from pathlib import Path

import pytest
from train.fetch_material import (
    MaterialError,
    Part,
    Source,
    fetch,
    main,
    read_sources,
    write_credits,
)

FREE = {"CC0-1.0", "CC-BY-3.0", "CC-BY-4.0", "MIT", "BSD-3-Clause", "Unlicense"}
SHARED_ALIKE = {"CC-BY-SA-3.0", "GPL-2.0-or-later", "GPL-3.0-or-later"}


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    return run.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two notes of a cello and a text."""
    folder = tmp_path / "copies" / "player+cello" / "work"
    (folder / "Samples" / "arco").mkdir(parents=True)
    for note in ("C2", "G2"):
        (folder / "Samples" / "arco" / f"{note}.wav").write_bytes(note.encode() * 100)
    (folder / "README").write_text("a cello")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "Record a cello")
    (folder / ".git").rename(folder.with_name("repo"))
    return folder.with_name("repo")


@pytest.fixture
def cello(repository: Path) -> Source:
    return Source(
        name="cello",
        licence="CC0-1.0",
        by="A Player",
        parts=(Part("bass", "arco", ("Samples/*.wav",)),),
        repository="https://example.org/player/cello",
        commit=git(repository, "rev-parse", "HEAD"),
    )


def test_a_commit_is_fetched_from_its_repository(
    cello: Source, repository: Path, tmp_path: Path
) -> None:
    there = Source(**{**vars(cello), "repository": f"file://{repository}"})
    assert fetch(there, tmp_path / "material") == 0
    folder = tmp_path / "material" / "bass" / "cello-arco"
    assert {file.name for file in folder.iterdir()} == {
        "Samples_arco_C2.wav",
        "Samples_arco_G2.wav",
    }
    assert (folder / "Samples_arco_C2.wav").read_bytes() == b"C2" * 100


def test_what_is_here_is_not_fetched_again(cello: Source, tmp_path: Path) -> None:
    material = tmp_path / "material"
    fetch(cello, material, tmp_path / "copies")
    assert fetch(cello, material, tmp_path / "nothing") == 0
    other = Source(**{**vars(cello), "commit": "0" * 40})
    with pytest.raises(MaterialError, match="there is no copy"):
        fetch(other, material, tmp_path / "nothing")


def test_files_that_a_copy_lacks_are_counted_and_asked_for_again(
    cello: Source, repository: Path, tmp_path: Path
) -> None:
    blob = git(repository, "rev-parse", "HEAD:Samples/arco/C2.wav")
    (repository / "objects" / blob[:2] / blob[2:]).unlink()
    for _ in range(2):
        assert fetch(cello, tmp_path / "material", tmp_path / "copies") == 1
    (kept,) = (tmp_path / "material" / "bass" / "cello-arco").iterdir()
    assert kept.name == "Samples_arco_G2.wav"


def test_patterns_leave_files_out(cello: Source, tmp_path: Path) -> None:
    some = Source(**{**vars(cello), "parts": (Part("bass", "low", ("*.wav", "!*/G*")),)})
    fetch(some, tmp_path / "material", tmp_path / "copies")
    (kept,) = (tmp_path / "material" / "bass" / "cello-low").iterdir()
    assert kept.name == "Samples_arco_C2.wav"


def test_a_pattern_that_finds_nothing_is_an_error(cello: Source, tmp_path: Path) -> None:
    wrong = Source(**{**vars(cello), "parts": (Part("bass", "pizzicato", ("pizz/*",)),)})
    with pytest.raises(MaterialError, match=r"cello has no files pizz/\*"):
        fetch(wrong, tmp_path / "material", tmp_path / "copies")
    assert not list((tmp_path / "material").glob(".fetching-*"))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    """A Debian package with one drum, which `apt-get download` finds."""
    root = tmp_path / "kit"
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN" / "control").write_text(
        "Package: kit\nVersion: 1-1\nArchitecture: all\nMaintainer: a <a@b>\nDescription: a kit\n"
    )
    (root / "usr").mkdir()
    (root / "usr" / "kick.wav").write_bytes(b"boom")
    file = tmp_path / "kit_1-1_all.deb"
    subprocess.run(["dpkg-deb", "--build", str(root), str(file)], check=True, capture_output=True)
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "apt-get"
    program.write_text(f'#!/bin/sh\n[ "$*" = "download kit=1-1" ] && cp {file} .\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return Source(
        name="kit",
        licence="CC0-1.0",
        by="A Drummer",
        parts=(Part("drums", "kit", ("usr/*.wav",)),),
        package="kit",
        version="1-1",
        sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
    )


def test_a_package_is_unpacked(package: Source, tmp_path: Path) -> None:
    fetch(package, tmp_path / "material")
    assert (tmp_path / "material/drums/kit-kit/usr_kick.wav").read_bytes() == b"boom"


def test_another_package_than_the_known_one_is_refused(package: Source, tmp_path: Path) -> None:
    other = Source(**{**vars(package), "sha256": "0" * 64})
    with pytest.raises(MaterialError, match=r"kit_1-1_all\.deb has the SHA-256"):
        fetch(other, tmp_path / "material")
    assert not (tmp_path / "material" / "drums").exists()


def test_credits_name_whose_the_material_is(cello: Source, tmp_path: Path) -> None:
    material, absent = tmp_path / "material", Source(**{**vars(cello), "name": "tuba"})
    fetch(cello, material, tmp_path / "copies")
    write_credits([cello, absent], material)
    (line,) = (material / "CREDITS.md").read_text().splitlines()[2:]
    assert line == f"- cello: A Player. CC0-1.0. https://example.org/player/cello at {cello.commit}"


def test_every_source_is_free_and_pinned() -> None:
    sources = read_sources()
    assert len({source.name for source in sources}) == len(sources) > 10
    for source in sources:
        groups = {part.group for part in source.parts}
        allowed = FREE | SHARED_ALIKE if groups == {"instrumentals"} else FREE
        assert set(source.licence.split(" AND ")) <= allowed
        assert source.by
        assert len(source.commit or source.sha256) in (40, 64)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name = "a"\nlicence = "CC0-1.0"', "a: 'part'"),
        ('name = "a"\nlicense = "CC0-1.0"\nby = "b"\npart = []', "license"),
        ('name = "a"\nlicence = "CC0-1.0"\nby = "b"\npart = []', "needs a commit"),
    ],
)
def test_a_wrong_description_is_refused(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "material.toml"
    file.write_text(f"[[source]]\n{text}\n")
    with pytest.raises(MaterialError, match=message):
        read_sources(file)


def test_an_unknown_source_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.argv", ["fetch_material", str(tmp_path), "--only", "tuba"])
    with pytest.raises(SystemExit, match="no source tuba"):
        main()

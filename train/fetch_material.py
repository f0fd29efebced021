"""Fetches the recordings that songs for training are made of.

    python -m train.fetch_material MATERIAL
    python -m train.fetch_material MATERIAL --only legato-vocal --copies REPOSITORIES

`train/material.toml` names every source with its licence. A commit or a SHA-256 pins what is
fetched; MATERIAL/CREDITS.md tells what came from where.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

SOURCES = Path(__file__).with_name("material.toml")
RECORDS = ".sources"  # what is here already, a file for each source
CREDITS = "CREDITS.md"


class MaterialError(Exception):
    """A source cannot be had, or its description is wrong."""


@dataclass(frozen=True)
class Part:
    """Some files of a source and what they are.

    Attributes:
        group: what plays them: drums, bass, chords, lines or voices; or songs, the stems of real
            ones, or instrumentals, recordings without a voice.
        name: folder of the instrument in the group.
        files: patterns of paths in the source; * stands for any characters, / included. A pattern
            after an exclamation mark leaves files out.
    """

    group: str
    name: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """Where recordings come from: a commit of a repository, or a Debian package.

    Attributes:
        name: what it is called here.
        licence: SPDX identifier.
        by: whose work it is.
        parts: what is taken of it.
        repository: URL of a git repository.
        commit: of the repository, 40 hexadecimal digits.
        package: of Debian.
        version: of the package.
        sha256: of the package's file.
    """

    name: str
    licence: str
    by: str
    parts: tuple[Part, ...]
    repository: str = ""
    commit: str = ""
    package: str = ""
    version: str = ""
    sha256: str = ""

    @property
    def origin(self) -> str:
        """Where it comes from, in words."""
        if self.repository:
            return f"{self.repository} at {self.commit}"
        return f"Debian package {self.package} {self.version}"


def read_sources(file: Path = SOURCES) -> tuple[Source, ...]:
    """The sources that a file describes.

    Raises:
        MaterialError: a source is not described as it must be.
    """
    sources = []
    for entry in tomllib.loads(file.read_text("utf-8"))["source"]:
        try:
            parts = tuple(
                Part(part["group"], part["name"], tuple(part["files"])) for part in entry["part"]
            )
            source = Source(**{**{k: v for k, v in entry.items() if k != "part"}, "parts": parts})
        except (KeyError, TypeError) as error:
            raise MaterialError(f"{file.name}, {entry.get('name', '?')}: {error}") from error
        if bool(source.commit) == bool(source.sha256):
            raise MaterialError(f"{file.name}, {source.name}: needs a commit or a SHA-256")
        sources.append(source)
    return tuple(sources)


def fetch(source: Source, material: Path, copies: Path | None = None) -> int:
    """Fetch a source, unless it is here.

    Args:
        source: what to fetch.
        material: folder that gets GROUP/SOURCE-NAME/ for each part.
        copies: folder of bare repositories, OWNER+NAME/repo, to take in the place of remote ones;
            files that a copy lacks are left out.

    Returns:
        Files that were left out.

    Raises:
        MaterialError: it cannot be had, or a pattern finds nothing.
    """
    record = material / RECORDS / f"{source.name}.json"
    described = _described(source)
    if record.is_file() and json.loads(record.read_text("utf-8")) == described:
        return 0
    with tempfile.TemporaryDirectory(dir=_made(material), prefix=".fetching-") as folder:
        unpacked = Path(folder)
        if source.repository:
            missing = _fetch_commit(source, unpacked, copies)
        else:
            missing = _fetch_package(source, unpacked)
        for part in source.parts:
            target = _place(source, part, material)
            _made(target.parent)
            shutil.rmtree(target, ignore_errors=True)
            _gather(source, part, unpacked / "files", target)
    if not missing:
        _made(record.parent)
        record.write_text(json.dumps(described, indent=2) + "\n", "utf-8")
    return missing


def write_credits(sources: Sequence[Source], material: Path) -> None:
    """Say of the sources that are here what they are, whose, and under which licence."""
    lines = [
        f"- {each.name}: {each.by}. {each.licence}. {each.origin}"
        for each in sources
        if any(_place(each, part, material).is_dir() for part in each.parts)
    ]
    (material / CREDITS).write_text("\n".join(["# Credits", "", *lines, ""]), "utf-8")


def _described(source: Source) -> dict[str, object]:
    return {
        "origin": source.origin,
        "licence": source.licence,
        "parts": [[part.group, part.name, list(part.files)] for part in source.parts],
    }


def _place(source: Source, part: Part, material: Path) -> Path:
    return material / part.group / f"{source.name}-{part.name}"


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _gather(source: Source, part: Part, files: Path, target: Path) -> None:
    """Bring the files of a part to their place, all in one folder, named after their paths."""
    found = [
        file
        for file in sorted(files.rglob("*"))
        if file.is_file() and _wanted(file.relative_to(files).as_posix(), part.files)
    ]
    if not found:
        raise MaterialError(f"{source.name} has no files {', '.join(part.files)}")
    target.mkdir()
    for file in found:
        shutil.copy2(file, target / "_".join(file.relative_to(files).parts))


def _wanted(path: str, patterns: Sequence[str]) -> bool:
    out = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    return any(fnmatch(path, pattern) for pattern in patterns) and not any(
        fnmatch(path, pattern) for pattern in out
    )


def _fetch_commit(source: Source, folder: Path, copies: Path | None) -> int:
    """Write the wanted files of a commit; git checks the content by the commit's hash."""
    if copies:
        owner, name = PurePosixPath(source.repository).parts[-2:]
        repository = copies / f"{owner}+{name.removesuffix('.git')}" / "repo"
        if not repository.is_dir():
            raise MaterialError(f"{source.name}: there is no copy of {source.repository}")
    else:
        repository = folder / "repository"
        _run(source, "git", "init", "--quiet", "--bare", repository)
        _git(source, repository, "fetch", "--quiet", "--depth=1", source.repository, source.commit)
    listing = _git(source, repository, "ls-tree", "-r", "-z", source.commit).decode()
    wanted = {
        path: about.split()[2]
        for about, path in (line.split("\t", 1) for line in listing.split("\0") if line)
        if any(_wanted(path, part.files) for part in source.parts)
    }
    missing = 0
    for path, content in _contents(repository, wanted):
        if content is None:
            missing += 1
            continue
        file = folder / "files" / path
        _made(file.parent)
        file.write_bytes(content)
    return missing


def _contents(repository: Path, blobs: Mapping[str, str]) -> Iterator[tuple[str, bytes | None]]:
    """What the blobs of paths hold; nothing where the repository lacks one."""
    command = ["git", f"--git-dir={repository}", "cat-file", "--batch"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        for path, blob in blobs.items():
            process.stdin.write(f"{blob}\n".encode())
            process.stdin.flush()
            head = process.stdout.readline().split()
            if head[1] == b"missing":
                yield path, None
            else:
                yield path, process.stdout.read(int(head[2]) + 1)[:-1]


def _git(source: Source, repository: Path, *arguments: object) -> bytes:
    return _run(source, "git", f"--git-dir={repository}", *arguments)


def _run(source: Source, *command: object, cwd: Path | None = None) -> bytes:
    words = [str(word) for word in command]
    silent = os.environ | {"GIT_TERMINAL_PROMPT": "0"}  # nobody is there to give a password
    try:
        run = subprocess.run(words, capture_output=True, check=False, cwd=cwd, env=silent)
    except OSError as error:
        raise MaterialError(f"{source.name}: {words[0]} cannot be run: {error}") from error
    if run.returncode:
        reason = (run.stderr.decode(errors="replace").strip().splitlines() or ["no reason"])[-1]
        raise MaterialError(f"{source.name}, {source.origin}: {reason}")
    return run.stdout


def _fetch_package(source: Source, folder: Path) -> int:
    """Unpack a Debian package once its SHA-256 is the one that is known."""
    _run(source, "apt-get", "download", f"{source.package}={source.version}", cwd=folder)
    (package,) = folder.glob("*.deb")
    found = hashlib.sha256(package.read_bytes()).hexdigest()
    if found != source.sha256:
        raise MaterialError(f"{source.name}: {package.name} has the SHA-256 {found}")
    _run(source, "dpkg-deb", "-x", package, folder / "files")
    return 0


def main() -> None:
    """Fetch the sources named on the command line, or all."""
    parser = argparse.ArgumentParser(description="Fetch the material for training.")
    parser.add_argument("material", type=Path, help="folder for the recordings")
    parser.add_argument("--only", nargs="+", default=[], help="names of sources")
    parser.add_argument("--copies", type=Path, help="folder of bare repositories to take instead")
    wanted = parser.parse_args()
    sources = read_sources()
    if unknown := set(wanted.only) - {each.name for each in sources}:
        raise SystemExit(f"no source {', '.join(sorted(unknown))} in {SOURCES.name}")
    failed = []
    for source in sources:
        if wanted.only and source.name not in wanted.only:
            continue
        try:
            missing = fetch(source, wanted.material, wanted.copies)
        except MaterialError as error:
            failed.append(source.name)
            print(error, file=sys.stderr)
        else:
            print(f"{source.name}: {f'{missing} files are missing' if missing else 'complete'}")
    _made(wanted.material)
    write_credits(sources, wanted.material)
    if failed:
        raise SystemExit(f"not fetched: {', '.join(failed)}")


if __name__ == "__main__":
    main()

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psycopg
import pytest
import soundfile
from tests.service.studio_pages import browser, complaints, done, page, short_song, stems

from unbraid.demo import DemoSong
from unbraid.service.db import Database

__all__ = ["browser", "complaints", "done", "page", "short_song", "stems"]

RATE = 44_100


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server of Debian's package; gives the folder of its socket."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        pytest.skip("PostgreSQL is not installed")
    folder = Path("/tmp") / f"unbraid-{secrets.token_hex(4)}"  # a socket's path must be short
    folder.mkdir()
    user = None
    if os.geteuid() == 0:  # whom PostgreSQL refuses
        user = "postgres"
        shutil.chown(folder, user)
    data = folder / "data"

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [programs[-1] / program, *arguments],
            user=user,
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    try:
        run("initdb", "-D", str(data), "-U", "unbraid", "-A", "trust", "-N", "-E", "UTF8")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        run("pg_ctl", "-D", str(data), "-l", str(folder / "log"), "-w", "-o", options, "start")
        try:
            yield str(folder)
        finally:
            run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'jobs.sqlite'}"
    socket = request.getfixturevalue("postgres")
    name = f"test_{secrets.token_hex(4)}"
    at = f"host={socket} user=unbraid"
    with psycopg.connect(f"{at} dbname=postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"postgresql+psycopg://unbraid@/{name}?host={socket}"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database with its tables."""
    database = Database(database_url)
    database.migrate()
    yield database
    database.close()


@pytest.fixture(scope="session")
def song(demo: DemoSong, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A song of 15 s."""
    file = tmp_path_factory.mktemp("song") / "Für Elise.wav"
    soundfile.write(file, demo.mixture.samples[:, : 15 * RATE].T, RATE)
    return file


@pytest.fixture(scope="session")
def long_song(demo: DemoSong, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A song of 45 s."""
    file = tmp_path_factory.mktemp("song") / "long.wav"
    samples = demo.mixture.samples
    times = -(-45 * RATE // samples.shape[1])
    soundfile.write(file, np.tile(samples, times)[:, : 45 * RATE].T, RATE)
    return file

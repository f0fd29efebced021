"""What the tests share."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

from unbraid.demo import DemoSong, demo_song

REQUIRE_ALL = os.environ.get("UNBRAID_REQUIRE_ALL") == "1"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one where everything is required."""
    report = yield
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"UNBRAID_REQUIRE_ALL=1, but this test was skipped: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def cache_of_its_own(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The cache of the command line, empty for each test."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("UNBRAID_CACHE_DIR", str(folder))
    return folder


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of real recordings."""
    folder = os.environ.get("UNBRAID_TEST_AUDIO")
    if not folder:
        pytest.skip("UNBRAID_TEST_AUDIO names no folder of recordings")
    return Path(folder)


@pytest.fixture(scope="session")
def demo() -> DemoSong:
    """The demonstration song with its known truth."""
    return demo_song()

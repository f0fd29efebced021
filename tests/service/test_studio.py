import re
import runpy
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.datastructures import Headers
from tests.service.serving import Served

from unbraid.service.studio import FOLDER, Studio

ROOT = Path(__file__).parents[2]
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("data"), "--workers", "0") as server:
        yield server


def test_the_studios_types_are_those_of_the_api(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / "web" / "describe_api.py"))
    kept = (ROOT / "web" / "openapi.json").read_text("utf-8")
    assert capsys.readouterr().out == kept, (
        "the API has changed; `make web-api` brings web/openapi.json along"
    )


def test_pages_are_served_and_asked_for_again(server: Served) -> None:
    page = server.client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-cache"
    assert server.client.get("/jobs/any").content == page.content
    same = server.client.get("/", headers={"If-None-Match": page.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")


def test_an_unknown_page_is_the_studios_own(server: Served) -> None:
    page = server.client.get("/nothing/here", headers=HTML)
    assert (page.status_code, page.content) == (404, server.client.get("/").content)
    for path, headers in (("/nothing/here", {}), ("/api/v1/nothing", HTML), ("/api/x", HTML)):
        answer = server.client.get(path, headers=headers)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


def test_pages_run_no_script_but_the_servers(server: Served) -> None:
    policy = server.client.get("/").headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self' 'wasm-unsafe-eval';" in policy
    assert "'unsafe-" not in policy
    assert "sandbox" in server.client.get("/health").headers["content-security-policy"]


def test_assets_last(server: Served) -> None:
    if not (FOLDER / "index.html").is_file():
        pytest.skip("the studio is not built; `make web` does it")
    for path in re.findall(r'(?:src|href)="(/assets/[^"]+)"', server.client.get("/").text):
        answer = server.client.get(path)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-encoding"] == "gzip"


def test_without_its_files_the_page_says_what_to_do(tmp_path: Path) -> None:
    async def otherwise(*_: object) -> None: ...

    answer = Studio(otherwise, tmp_path).answer("/", Headers({}))
    assert answer
    assert b"make web" in answer.body


def test_the_package_carries_the_studio() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]
    assert f"{FOLDER.relative_to(ROOT).as_posix()}/**" in build["artifacts"]

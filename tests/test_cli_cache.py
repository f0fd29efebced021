import json
from pathlib import Path

from typer.testing import CliRunner

from unbraid.cli.cache import cache_app
from unbraid.separation.cache import FileCache, cache_key


def run(*arguments: object) -> str:
    result = CliRunner().invoke(cache_app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def filled(folder: Path, size_bytes: int) -> FileCache:
    cache = FileCache(folder / "cache")
    (folder / "stem").write_bytes(bytes(size_bytes))
    cache.put(cache_key("song"), {"stem": folder / "stem"})
    return cache


def test_info_says_what_the_cache_holds(tmp_path: Path) -> None:
    cache = filled(tmp_path, 20_000_000)
    text = run("info", "--cache-dir", cache.folder, "--cache-limit", 2)
    assert str(cache.folder) in text
    assert "0.02 GB of 2.00 GB" in text
    document = json.loads(run("info", "--cache-dir", cache.folder, "--json"))
    assert (document["entries"], document["limit_bytes"]) == (1, 10**10)


def test_clear_removes_all_results(tmp_path: Path) -> None:
    cache = filled(tmp_path, 20_000_000)
    assert "1 results, 0.02 GB" in run("clear", "--cache-dir", cache.folder)
    assert cache.info().entries == 0


def test_a_cache_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    folder = tmp_path / "nothing"
    assert json.loads(run("info", "--cache-dir", folder, "--json"))["entries"] == 0
    assert "0 results" in run("clear", "--cache-dir", folder)
    assert not folder.exists()

import json
import logging
import multiprocessing
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from unbraid.separation.cache import FileCache, cache_key, copy_to
from unbraid.types import ProcessOptions

KEYS = [cache_key(number) for number in range(6)]


@pytest.fixture
def cache(tmp_path: Path) -> FileCache:
    return FileCache(tmp_path / "cache")


def keep(cache: FileCache, key: str, folder: Path, **contents: bytes) -> None:
    """Put files of these contents; what they were made from is gone afterwards."""
    folder.mkdir(exist_ok=True)
    files = {name: folder / name for name in contents}
    for name, file in files.items():
        file.write_bytes(contents[name])
    cache.put(key, files)
    for file in files.values():
        file.unlink()


def held(cache: FileCache, key: str) -> dict[str, bytes]:
    with cache.opened(key) as files:
        return {name: file.read() for name, file in files.items()}


def age(cache: FileCache, key: str, seconds: float) -> None:
    used = (cache.folder / key).stat().st_mtime - seconds
    os.utime(cache.folder / key, (used, used))


def test_what_comes_out_is_what_went_in(cache: FileCache, tmp_path: Path) -> None:
    contents = {"a": b"abc", "b": np.random.default_rng(0).bytes(3_000_000), "empty": b""}
    keep(cache, KEYS[0], tmp_path / "x", **contents)
    assert held(cache, KEYS[0]) == contents


def test_an_unknown_key_gives_nothing(cache: FileCache) -> None:
    assert held(cache, KEYS[0]) == {}


def test_a_later_entry_replaces_an_earlier_one(cache: FileCache, tmp_path: Path) -> None:
    keep(cache, KEYS[0], tmp_path / "x", a=b"old", b=b"old")
    keep(cache, KEYS[0], tmp_path / "x", a=b"new")
    assert held(cache, KEYS[0]) == {"a": b"new"}
    assert cache.info().entries == 1


def test_the_key_depends_on_every_part_of_a_recipe() -> None:
    recipes = [
        ProcessOptions(),
        ProcessOptions(stems=("bass",)),
        ProcessOptions(format="flac"),
        ProcessOptions(midi_tempo=120),
    ]
    assert len({cache_key(recipe) for recipe in recipes}) == len(recipes)
    assert cache_key(ProcessOptions()) == cache_key(ProcessOptions())


def test_a_copy_can_be_edited_and_the_cache_stays(cache: FileCache, tmp_path: Path) -> None:
    keep(cache, KEYS[0], tmp_path / "x", a=b"music")
    copy = tmp_path / "copy"
    with cache.opened(KEYS[0]) as files:
        copy_to(files["a"], copy)
    with copy.open("r+b") as file:
        file.write(b"NOISE")
    assert held(cache, KEYS[0]) == {"a": b"music"}


def test_a_kept_file_can_be_edited_and_the_cache_stays(cache: FileCache, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"music")
    cache.put(KEYS[0], {"a": tmp_path / "a"})
    with (tmp_path / "a").open("r+b") as file:
        file.write(b"NOISE")
    assert held(cache, KEYS[0]) == {"a": b"music"}


@pytest.mark.parametrize("damage", ["lost", "cut", "changed", "no index", "broken index"])
def test_a_damaged_entry_gives_nothing_until_it_is_kept_again(
    cache: FileCache, tmp_path: Path, damage: str
) -> None:
    keep(cache, KEYS[0], tmp_path / "x", a=b"music")
    index = cache.folder / KEYS[0] / "index.json"
    content = index.parent / json.loads(index.read_text())["a"]
    match damage:
        case "lost":
            content.unlink()
        case "cut":
            content.write_bytes(b"mus")
        case "changed":
            content.write_bytes(b"MUSIC")
        case "no index":
            index.unlink()
        case "broken index":
            index.write_bytes(bytes(100))
    assert held(cache, KEYS[0]) == {}
    keep(cache, KEYS[0], tmp_path / "x", a=b"music")
    assert held(cache, KEYS[0]) == {"a": b"music"}


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    cache = FileCache(tmp_path / "cache", limit_bytes=3500)
    for number in range(3):
        keep(cache, KEYS[number], tmp_path / "x", a=bytes(1000))
        age(cache, KEYS[number], 100 - number)
    assert held(cache, KEYS[0])  # now the one used last
    keep(cache, KEYS[3], tmp_path / "x", a=bytes(1000))
    assert [bool(held(cache, key)) for key in KEYS[:4]] == [True, False, True, True]
    assert cache.info().size_bytes <= 3500


def test_what_a_killed_process_left_goes_like_any_entry(tmp_path: Path) -> None:
    cache = FileCache(tmp_path / "cache", limit_bytes=2000)
    left = cache.folder / ".left"
    left.mkdir(parents=True)
    (left / "half").write_bytes(bytes(1500))
    os.utime(left, (0, 0))
    keep(cache, KEYS[0], tmp_path / "x", a=bytes(1000))
    assert not left.exists()
    assert held(cache, KEYS[0])


def test_what_is_larger_than_the_limit_is_not_kept(tmp_path: Path) -> None:
    cache = FileCache(tmp_path / "cache", limit_bytes=1000)
    keep(cache, KEYS[0], tmp_path / "x", a=bytes(500))
    keep(cache, KEYS[1], tmp_path / "x", a=bytes(1001))
    assert (bool(held(cache, KEYS[0])), held(cache, KEYS[1])) == (True, {})


def test_an_entry_that_is_evicted_while_it_is_read_stays_readable(
    cache: FileCache, tmp_path: Path
) -> None:
    keep(cache, KEYS[0], tmp_path / "x", a=b"music")
    with cache.opened(KEYS[0]) as files:
        cache.clear()
        copy_to(files["a"], tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"music"


def test_a_cache_that_cannot_be_written_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = FileCache(tmp_path / "file" / "cache")
    with caplog.at_level(logging.WARNING):
        keep(cache, KEYS[0], tmp_path / "x", a=b"music")
    assert "the result was not cached" in caplog.text
    assert held(cache, KEYS[0]) == {}
    assert cache.info().entries == cache.clear().entries == 0


def test_a_file_that_vanished_is_a_warning_and_leaves_nothing(
    cache: FileCache, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache.put(KEYS[0], {"a": tmp_path / "nothing"})
    assert "the result was not cached" in caplog.text
    assert cache.info().entries == 0


def test_clearing_says_what_there_was(cache: FileCache, tmp_path: Path) -> None:
    for key in KEYS[:2]:
        keep(cache, key, tmp_path / "x", a=bytes(1000))
    before = cache.info()
    assert (before.entries, before.size_bytes > 2000) == (2, True)
    assert cache.clear() == before
    assert cache.info().entries == 0
    assert held(cache, KEYS[0]) == {}


def use_all_keys(folder: Path, scratch: Path) -> None:
    """Put and get for a while; every answer is whole or empty."""
    cache = FileCache(folder, limit_bytes=250_000)
    for turn in range(10):
        for number, key in enumerate(KEYS):
            if (turn + number) % 2:
                keep(cache, key, scratch, a=bytes([number]) * 50_000, b=key.encode())
            files = held(cache, key)
            assert files in ({}, {"a": bytes([number]) * 50_000, "b": key.encode()})


def test_several_processes_share_a_cache(cache: FileCache, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=use_all_keys, args=(cache.folder, tmp_path / str(number)))
        for number in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert cache.info().size_bytes <= 250_000
    assert not list(cache.folder.glob(".*/"))


def test_several_threads_share_a_cache(cache: FileCache, tmp_path: Path) -> None:
    finished: list[int] = []

    def work(number: int) -> None:
        use_all_keys(cache.folder, tmp_path / str(number))
        finished.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(finished) == [0, 1, 2, 3]
    assert cache.info().size_bytes <= 250_000

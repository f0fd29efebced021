from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from tests.train import tiny
from train.data import Batches, SongPool, renderer
from train.options import DataOptions

from unbraid.errors import InputError
from unbraid.types import Samples

OPTIONS = DataOptions(workers=0, pool_songs=5, excerpts_per_song=6, batch_size=4, excerpt_frames=5)
LENGTH = 4 * 1024


def numbered(seed: int) -> Samples:
    """A song whose every sample says which song, stem and time it is from."""
    song = np.empty((4, 2, LENGTH + 50), np.float32)
    song[:] = seed + np.arange(4).reshape(4, 1, 1) / 8 + np.arange(LENGTH + 50) / 2**19
    return song


def batches(options: DataOptions = OPTIONS, first_seed: int = 0) -> Batches:
    options = replace(options, first_seed=first_seed)
    return Batches(SongPool(numbered, options), options, seed=1)


def songs_of(excerpt: Samples) -> list[int]:
    return [int(stem[0, 0]) for stem in excerpt]


def test_a_batch_follows_from_the_number_of_its_step() -> None:
    one = batches()
    series = [one.batch(step) for step in range(20)]
    np.testing.assert_array_equal(batches().batch(19), series[19])
    assert not np.array_equal(series[18], series[19])


def test_songs_enter_one_by_one_and_leave_in_turn() -> None:
    windows = [batches().songs(step) for step in range(60)]
    assert windows[0] == range(OPTIONS.pool_songs)
    assert all(len(window) == OPTIONS.pool_songs for window in windows)
    assert all(
        0 <= later.start - earlier.start <= 1 and 0 <= later.stop - earlier.stop <= 1
        for earlier, later in pairwise(windows)
    )


def test_a_song_is_heard_as_often_as_asked_and_never_again() -> None:
    one = batches(replace(OPTIONS, remixed=0.0))
    heard: Counter[int] = Counter()
    last: dict[int, int] = {}
    for step in range(300):
        for excerpt in one.batch(step):
            heard[songs_of(excerpt)[0]] += 1
            last[songs_of(excerpt)[0]] = step
    whole = range(20, 180)  # songs that entered and left within these steps
    excerpts = [heard[song] for song in whole]
    assert np.mean(excerpts) == pytest.approx(OPTIONS.excerpts_per_song, rel=0.05)
    assert all(last[song] < (song + 2) * OPTIONS.excerpts_per_song / 4 for song in whole)


@pytest.mark.parametrize("remixed", [0.0, 1.0])
def test_stems_are_of_one_song_or_of_several(remixed: float) -> None:
    one = batches(replace(OPTIONS, remixed=remixed))
    excerpts = [excerpt for step in range(20, 40) for excerpt in one.batch(step)]
    apart = [len(set(songs_of(excerpt))) > 1 for excerpt in excerpts]
    assert np.mean(apart) == pytest.approx(remixed, abs=0.05)
    if not remixed:  # and of one time
        assert all(np.ptp(excerpt[:, 0, 0] % 0.125) == 0 for excerpt in excerpts)


def test_excerpts_are_whole_stretches_in_their_stems_place() -> None:
    for excerpt in batches().batch(30):
        assert excerpt.shape == (4, 2, LENGTH)
        for number, stem in enumerate(excerpt):
            assert int(stem[0, 0] % 1 * 8) == number
            np.testing.assert_array_equal(np.diff(stem), 2**-19)


def test_seeds_count_up_from_the_first() -> None:
    batch = batches(first_seed=70).batch(0)
    assert {song for excerpt in batch for song in songs_of(excerpt)} <= set(range(70, 75))


@pytest.fixture(scope="module")
def workers() -> Iterator[SongPool]:
    with SongPool(tiny.song, DataOptions(first_seed=5, workers=1)) as pool:
        yield pool


def test_songs_are_as_long_as_asked() -> None:
    render = renderer(DataOptions(songs="tests.train.tiny:compose", song_s=0.5))
    np.testing.assert_array_equal(render(9), tiny.song(9)[..., :22_050])


def test_workers_render_the_same_songs(workers: SongPool) -> None:
    workers.hold(range(3))
    np.testing.assert_array_equal(workers.song(2), tiny.song(7))
    workers.hold(range(2, 4))
    np.testing.assert_array_equal(workers.song(3), tiny.song(8))


def test_kept_songs_are_rendered_once(tmp_path: Path) -> None:
    options = DataOptions(first_seed=5, workers=0, kept=tmp_path / "songs")
    rendered = SongPool(tiny.song, options).song(2)
    np.testing.assert_allclose(rendered, tiny.song(7), atol=1e-4)
    again = SongPool(lambda seed: tiny.song(0), options).song(2)
    np.testing.assert_array_equal(again, rendered)


@pytest.mark.parametrize("song", [np.zeros((4, 2, 9)), np.zeros((2, 9), np.float32)])
def test_what_is_no_song_is_refused(song: Samples) -> None:
    pool = SongPool(lambda seed: song, DataOptions(first_seed=3, workers=0))
    with pytest.raises(InputError, match=r"float32 \[4, 2, time\], but that of seed 3 is"):
        pool.song(0)


def test_a_song_shorter_than_an_excerpt_is_refused() -> None:
    long = replace(OPTIONS, excerpt_frames=99)
    with pytest.raises(InputError, match="lower excerpt_frames"):
        batches(long).batch(0)


@pytest.mark.parametrize("name", ["nowhere:song", "train.data:nothing"])
def test_a_function_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"data.songs: {name} cannot be had"):
        renderer(DataOptions(songs=name))


def test_material_that_is_not_there_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"python -m train.fetch_material .*nowhere fetches it"):
        renderer(DataOptions(material=tmp_path / "nowhere"))

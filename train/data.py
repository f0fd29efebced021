"""Batches of excerpts from songs that are rendered beside the training.

Song after song enters a pool, each with a seed of its own, while the oldest leave it. Which songs
the pool of a step holds, and what is cut from them, follows from the number of the step alone: a
training that goes on later sees the same batches as one that was never interrupted. Where songs are
kept on disk, they are rendered once, for this training and for those that follow.
"""

import os
import pkgutil
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np

from train.options import DataOptions
from unbraid.errors import InputError
from unbraid.export.folder import writing
from unbraid.separation.lite import LITE
from unbraid.types import Samples

Render = Callable[[int], Samples]
"""Renders the song of a seed: stems, float32 [4, 2, time]. Workers import it by its name."""

STEM_COUNT = 4
NICENESS = 10  # workers leave the cores to the training as long as it does not wait for them


class Song(Protocol):
    """What `train.synthesis.song` and the like return.

    Attributes:
        stems: float32 [4, 2, time].
    """

    stems: Samples


def renderer(options: DataOptions) -> Render:
    """What renders the stems of the songs that are asked for.

    Raises:
        InputError: there is no such function, or no such folder of material.
    """
    if options.material and not options.material.is_dir():
        raise InputError(
            f"data.material: there is no folder {options.material}; python -m train.fetch_material "
            f"{options.material} fetches it"
        )
    try:
        compose = pkgutil.resolve_name(options.songs)
    except (ImportError, AttributeError) as error:
        raise InputError(f"data.songs: {options.songs} cannot be had: {error}") from error
    return partial(_stems, compose, options.song_s, options.material)


def _stems(
    compose: Callable[[int, float, Path | None], Song],
    length_s: float,
    material: Path | None,
    seed: int,
) -> Samples:
    return compose(seed, length_s, material).stems


class SongPool:
    """The songs at hand, numbered in the order that they enter; a context manager.

    Attributes:
        waited_s: seconds that the training has waited for songs.
    """

    def __init__(self, render: Render, options: DataOptions) -> None:
        """Begin to render.

        Args:
            render: renders the song of a seed.
            options: how many processes do so, and where the songs are kept.
        """
        workers = options.workers
        self.waited_s = 0.0
        self._render = partial(_kept, render, options.kept) if options.kept else render
        self._first_seed = options.first_seed
        self._songs: dict[int, Future[Samples | Path]] = {}
        self._ahead = 2 * workers
        self._workers = (
            ProcessPoolExecutor(workers, get_context("spawn"), initializer=_become_worker)
            if workers
            else None
        )

    def hold(self, songs: range) -> None:
        """Have these songs rendered and some that follow; forget those before."""
        for number in [number for number in self._songs if number < songs.start]:
            self._songs.pop(number).cancel()
        if self._workers:
            for number in range(songs.start, songs.stop + self._ahead):
                if number not in self._songs:
                    seed = self._first_seed + number
                    self._songs[number] = self._workers.submit(self._render, seed)

    def song(self, number: int) -> Samples:
        """A song that is held, float32 [4, 2, time], or float16 from the disk.

        Raises:
            InputError: what the song's function renders is no song.
        """
        if number not in self._songs:  # there are no workers
            self._songs[number] = Future()
            self._songs[number].set_result(self._render(self._first_seed + number))
        began = time.perf_counter()
        result = self._songs[number].result()
        self.waited_s += time.perf_counter() - began
        song = np.load(result, mmap_mode="r") if isinstance(result, Path) else result
        if (
            song.dtype not in (np.float32, np.float16)
            or song.ndim != 3
            or song.shape[:2] != (STEM_COUNT, 2)
        ):
            raise InputError(
                f"a song must be float32 [{STEM_COUNT}, 2, time], but that of seed "
                f"{self._first_seed + number} is {song.dtype} {list(song.shape)}"
            )
        return song

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._workers:
            self._workers.shutdown(cancel_futures=True)


def _kept(render: Render, folder: Path, seed: int) -> Path:
    """Where the song of a seed lies; it is rendered if it does not."""
    file = folder / f"{seed}.npy"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with writing(file, folder) as unfinished, unfinished.open("wb") as stream:
            np.save(stream, render(seed).astype(np.float16))
    return file


def _become_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the training's, which ends the workers
    os.nice(NICENESS)
    threading.Thread(target=_end_with_the_training, daemon=True).start()


def _end_with_the_training() -> None:
    """A training that is killed cannot end its workers."""
    training = parent_process()
    assert training, "only worker processes come here"
    training.join()
    os._exit(1)


class Batches:
    """The batch of each step.

    Attributes:
        samples: of all its excerpts together, per channel.
    """

    def __init__(self, pool: SongPool, options: DataOptions, seed: int) -> None:
        """Cut batches from a pool.

        Args:
            pool: of songs.
            options: how many excerpts, and of what.
            seed: of the choice.
        """
        self._pool = pool
        self._options = options
        self._seed = seed
        self._length = (options.excerpt_frames - 1) * LITE.hop_length
        self.samples = options.batch_size * self._length

    def songs(self, step: int) -> range:
        """Those that a step may hear."""
        options = self._options
        left = int(step * options.batch_size / options.excerpts_per_song)
        return range(left, left + options.pool_songs)

    def batch(self, step: int) -> Samples:
        """Cut the excerpts of a step.

        Returns:
            float32 [batch, 4, 2, time].

        Raises:
            InputError: a song is shorter than an excerpt.
        """
        rng = np.random.default_rng((self._seed, step))
        songs = self.songs(step)
        self._pool.hold(songs)
        batch = np.empty((self._options.batch_size, STEM_COUNT, 2, self._length), np.float32)
        for excerpt in batch:
            if rng.random() < self._options.remixed:
                for stem, samples in enumerate(excerpt):
                    samples[:] = self._excerpt(rng, songs)[stem]
            else:
                excerpt[:] = self._excerpt(rng, songs)
        return batch

    def _excerpt(self, rng: np.random.Generator, songs: range) -> Samples:
        song = self._pool.song(int(rng.choice(songs)))
        spare = song.shape[2] - self._length
        if spare < 0:
            raise InputError(
                f"an excerpt of {self._length} samples does not fit into a song of "
                f"{song.shape[2]}: lower excerpt_frames"
            )
        start = int(rng.integers(spare + 1))
        return song[..., start : start + self._length]

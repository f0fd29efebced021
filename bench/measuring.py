"""Time and memory of runs in processes of their own, contenders taking turns."""

import os
import resource
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

KIB_PER_MB = 1000**2 / 1024  # Linux counts memory in KiB


@dataclass(frozen=True)
class Run:
    """What one run took.

    Attributes:
        seconds: wall clock.
        peak_mb: largest resident memory of its process, 10^6 bytes.
    """

    seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Runs:
    """Several runs of the same work."""

    runs: Sequence[Run]

    @property
    def seconds(self) -> float:
        """The median time."""
        return statistics.median(run.seconds for run in self.runs)

    @property
    def peak_mb(self) -> float:
        """The median peak of memory."""
        return statistics.median(run.peak_mb for run in self.runs)

    def __str__(self) -> str:
        times = sorted(run.seconds for run in self.runs)
        return f"{self.seconds:.2f} s ({times[0]:.2f} to {times[-1]:.2f})"


def alternately(contenders: Mapping[str, Callable[[], Run]], rounds: int) -> dict[str, Runs]:
    """Let contenders take turns, so that whatever else the machine does hits all alike."""
    runs: dict[str, list[Run]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            runs[name].append(contender())
    return {name: Runs(each) for name, each in runs.items()}


def in_child(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *args, **kwargs).result()


def timed(work: Callable[[], object]) -> Run:
    """Time some work; the peak is that of this process so far."""
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return Run(seconds, usage.ru_maxrss / KIB_PER_MB)


def run_command(*command: object) -> Run:
    """Run a program to its end, the start of its interpreter included.

    Raises:
        RuntimeError: it failed.
    """
    arguments = list(map(str, command))
    no_output = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    began = time.perf_counter()
    child = os.posix_spawn(arguments[0], arguments, os.environ, file_actions=no_output)
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - began
    if status:
        raise RuntimeError(f"{' '.join(arguments)} failed, status {status}")
    return Run(seconds, usage.ru_maxrss / KIB_PER_MB)

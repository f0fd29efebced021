"""A program at work on untrusted data, bounded in memory and time."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import MappingProxyType

STALL_S = 60.0
"""A program that gives nothing for so long is ended."""

MEMORY_BYTES = 2 << 30
"""Address space of a program; Linux enforces it."""

CPU_S = 3600
"""Processor time of a program; Linux enforces it."""


ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LANG", "LC_ALL")
"""What a program gets to see of the caller's environment, where keys and passwords may be."""


class BoundedProcess:
    """A running program whose output is read; it never outlives its reader.

    Args:
        command: the program's path and its arguments.
        fed: whether it gets input.
        environment: more variables that it gets.
    """

    def __init__(
        self,
        command: Sequence[str],
        fed: bool = False,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        kept = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
        self._process = subprocess.Popen(
            command,
            env=kept | dict(environment),
            stdin=subprocess.PIPE if fed else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        _limit(self._process.pid)
        self._stalled = False
        self._last_line = ""
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        """Keep the last line of the program's complaints, and their pipe from filling up."""
        assert self._process.stderr
        for line in self._process.stderr:
            self._last_line = line.decode(errors="replace").strip() or self._last_line

    def _stop_stalled(self) -> None:
        self._stalled = True
        self._process.kill()

    @contextmanager
    def _watched(self) -> Iterator[None]:
        watchdog = threading.Timer(STALL_S, self._stop_stalled)
        watchdog.start()
        try:
            yield
        finally:
            watchdog.cancel()

    def read(self, size: int) -> bytes:
        """The next `size` bytes of output, fewer at its end."""
        assert self._process.stdout
        with self._watched():
            return self._process.stdout.read(size)

    def write(self, data: bytes | memoryview) -> bool:
        """Give input to the program; False if it takes no more, which `finish` explains."""
        assert self._process.stdin
        try:
            with self._watched():
                self._process.stdin.write(data)
                self._process.stdin.flush()
        except OSError:  # the other end of the pipe is closed
            return False
        return True

    def finish(self) -> str | None:
        """See the program out after its output's end; why it failed or what it complained of."""
        self._end_input()
        try:
            self._process.wait(STALL_S)
        except subprocess.TimeoutExpired:
            self._stop_stalled()
        self.kill()
        if self._stalled:
            return f"nothing came for {STALL_S:.0f} s"
        status = self._process.returncode
        return self._last_line or (f"it ended with status {status}" if status else None)

    def kill(self) -> None:
        """End the program, if it is still at work, and release what belongs to it."""
        self._end_input()
        self._process.kill()
        self._process.wait()
        self._listener.join()
        for pipe in (self._process.stdout, self._process.stderr):
            assert pipe
            pipe.close()

    def _end_input(self) -> None:
        if self._process.stdin:
            with suppress(OSError):  # what it did not take is of no use any more
                self._process.stdin.close()


def _limit(pid: int) -> None:
    if sys.platform == "linux":
        import resource

        resource.prlimit(pid, resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.prlimit(pid, resource.RLIMIT_CPU, (CPU_S, CPU_S))

"""The process that yt-dlp runs in: within limits, and no longer than the worker that began it.

Its arguments are the size of the largest file in bytes, and those of yt-dlp.
"""

import os
import runpy
import signal
import sys
import threading

CPU_S = 600


def main() -> None:
    """Run yt-dlp."""
    max_bytes = int(sys.argv.pop(1))
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, max_bytes))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    threading.Thread(target=_end_with_worker, daemon=True).start()
    runpy.run_module("yt_dlp", run_name="__main__", alter_sys=True)


def _end_with_worker() -> None:
    sys.stdin.read()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()

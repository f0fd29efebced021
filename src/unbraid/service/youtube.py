"""Videos of YouTube, fetched by yt-dlp in a process of its own."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from unbraid.service.settings import Settings

LOOK_S = 0.2
CALM_S = 30  # that its connections may be silent
PASSED_ON = ("PATH", "HOME", "LANG", "PYTHONPATH", "SSL_CERT_FILE", "HTTPS_PROXY", "https_proxy")
"""What it gets of the environment, which may hold secrets of the server."""


def fetch_video(
    video: str, folder: Path, settings: Settings, on_progress: Callable[[], None]
) -> Path:
    """Fetch the sound of a video.

    Args:
        video: its id.
        folder: empty; gets the file, named after the video.
        settings: limits of size, time and length.
        on_progress: called now and then; may raise `Cancelled` to stop.

    Raises:
        ChildProcessError: it cannot be had; says why.
    """
    until = time.monotonic() + settings.fetch_s
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "unbraid.service.youtube_child", *_arguments(video, settings)],
            cwd=folder,
            env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
            stdin=subprocess.PIPE,  # when that ends, so does the child
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            while process.poll() is None:
                on_progress()
                if time.monotonic() > until:
                    raise ChildProcessError(f"it did not come within {settings.fetch_s:g} s")
                if _size(folder) > settings.max_upload_bytes:
                    raise ChildProcessError("it is too large")
                time.sleep(LOOK_S)
        finally:
            _end(process)
        files = sorted(folder.iterdir())
        if process.returncode or len(files) != 1:
            raise ChildProcessError(_last_line(log))
    return files[0]


def _arguments(video: str, settings: Settings) -> list[str]:
    """The size of a file, for the child, and the arguments of yt-dlp."""
    options = {
        "--use-extractors": "youtube",
        "--format": "bestaudio/best",
        "--match-filters": f"duration<={settings.max_duration_s:g} & !is_live",
        "--max-filesize": str(settings.max_upload_bytes),
        "--socket-timeout": str(CALM_S),
        "--retries": "3",
        "--fragment-retries": "3",
        "--color": "never",
        "--output": "%(title).150B.%(ext)s",
    }
    switches = [
        "--ignore-config",
        "--no-playlist",
        "--no-plugin-dirs",
        "--no-remote-components",
        "--no-cache-dir",
        "--no-progress",
        "--abort-on-unavailable-fragments",
    ]
    plain = [part for option in options.items() for part in option]
    link = f"https://www.youtube.com/watch?v={video}"
    return [str(settings.max_upload_bytes), *switches, *plain, "--", link]


def _size(folder: Path) -> int:
    total = 0
    for file in folder.iterdir():
        with suppress(FileNotFoundError):  # it just got its final name
            total += file.stat().st_size
    return total


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill the child, with what it has started."""
    assert process.stdin
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.stdin.close()
    process.wait()


def _last_line(log: IO[bytes]) -> str:
    """What it said last."""
    log.seek(0)
    lines = log.read().decode(errors="replace").split("\n")
    said = next((line for line in reversed(lines) if line.strip()), "it says nothing")
    return said.strip().removeprefix("ERROR: ").removeprefix("[download] ")[:500]

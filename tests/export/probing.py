"""What ffprobe says of a file, and reads of samples in memory."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from unbraid.types import Read, Samples


def probed(path: Path) -> dict[str, Any]:
    """Streams, with their durations, and tags."""
    program = shutil.which("ffprobe")
    if not program:
        pytest.skip("ffmpeg is not installed")
    command = [program, "-v", "error", "-of", "json", "-show_format", "-show_streams", str(path)]
    answer = subprocess.run(command, check=True, capture_output=True)
    assert not answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def reading(samples: Samples) -> Read:
    """A stem in memory."""
    return lambda start, stop: samples[:, start:stop]

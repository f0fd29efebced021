"""Recordings that the tests of `unbraid.audio` make for themselves."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from unbraid.types import Samples


@pytest.fixture
def noise() -> Samples:
    """One second of stereo noise at 44.1 kHz, the same every time."""
    return np.random.default_rng(0).uniform(-0.5, 0.5, (2, 44_100)).astype(np.float32)


@pytest.fixture
def ffmpeg() -> Callable[..., None]:
    """Runs ffmpeg with the arguments given."""
    program = shutil.which("ffmpeg")
    if not program:
        pytest.skip("ffmpeg is not installed")

    def run(*arguments: str | Path) -> None:
        subprocess.run([program, "-y", "-v", "error", *arguments], check=True)

    return run

"""How busy the GPUs of this machine are, by nvidia-smi where it is installed."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

QUERY = "index,utilization.gpu,memory.used,memory.total"
LONGEST_S = 5.0
MIB = 1 << 20


@dataclass(frozen=True)
class Gpu:
    """A GPU at a moment.

    Attributes:
        index: its number.
        utilisation: share of the last moments in which it worked, 0 to 1.
        used_bytes: of its memory.
        total_bytes: of its memory.
    """

    index: str
    utilisation: float
    used_bytes: int
    total_bytes: int


def read_gpus() -> Sequence[Gpu]:
    """The GPUs; none without nvidia-smi, or while that does not answer."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    command = [program, f"--query-gpu={QUERY}", "--format=csv,noheader,nounits"]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return parse(run.stdout) if run.returncode == 0 else []


def parse(table: str) -> Sequence[Gpu]:
    """The GPUs in a table of nvidia-smi; those are left out that do not say all.

    Example:
        >>> parse("0, 25, 1024, 81559")
        [Gpu(index='0', utilisation=0.25, used_bytes=1073741824, total_bytes=85520809984)]
    """
    gpus = []
    for line in table.splitlines():
        index, *numbers = (field.strip() for field in line.split(","))
        if len(numbers) == 3 and all(number.isdecimal() for number in numbers):
            percent, used, total = map(int, numbers)
            gpus.append(Gpu(index, percent / 100, used * MIB, total * MIB))
    return gpus

import ctypes
from pathlib import Path
from typing import Any

import pytest

from unbraid.separation.machine import (
    Gpu,
    first_cuda_gpu,
    has_bfloat16,
    read_machine,
    read_memory,
)

GIB = 2**30


def written(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """Linux's account of a machine of 16 GiB whose process is in a group of a group."""
    proc = tmp_path / "proc"
    kibibytes = GIB // 1024
    written(
        proc / "meminfo", f"MemTotal: {16 * kibibytes} kB\nMemAvailable: {10 * kibibytes} kB\nX: 0"
    )
    written(proc / "self" / "cgroup", "4:memory:/old\n0::/pod/container\n")
    return proc


def limit(group: Path, limit: str, used: int, cached: int = 0) -> None:
    written(group / "memory.max", f"{limit}\n")
    written(group / "memory.current", f"{used}\n")
    written(group / "memory.stat", f"anon 1\ninactive_file {cached}\n")


def test_memory_is_that_of_the_machine(proc: Path, tmp_path: Path) -> None:
    assert read_memory(proc, tmp_path / "none") == (16 * GIB, 10 * GIB)


def test_memory_is_that_of_the_tightest_group(proc: Path, tmp_path: Path) -> None:
    groups = tmp_path / "cgroup"
    limit(groups / "pod" / "container", "max", 3 * GIB)
    limit(groups / "pod", str(8 * GIB), 5 * GIB, cached=GIB)
    assert read_memory(proc, groups) == (8 * GIB, 4 * GIB)
    limit(groups, str(2 * GIB), GIB)
    assert read_memory(proc, groups) == (2 * GIB, GIB)


def test_elsewhere_what_is_available_is_not_known(tmp_path: Path) -> None:
    assert read_memory(tmp_path / "none")[1] is None


@pytest.mark.parametrize(
    ("flags", "expected"), [("fpu avx512f avx512_bf16", True), ("fpu avx512f", False)]
)
def test_bfloat16_is_a_flag_of_the_cpu(flags: str, expected: bool, tmp_path: Path) -> None:
    assert has_bfloat16(written(tmp_path / "cpuinfo", f"flags : {flags}\n")) is expected


class Driver:
    """CUDA's driver library on a machine with some GPUs."""

    def __init__(self, gpus: int) -> None:
        self.gpus = gpus

    def cuInit(self, flags: int) -> int:  # noqa: N802  CUDA's name
        return 0

    def cuDeviceGet(self, device: Any, index: int) -> int:  # noqa: N802
        return 0 if index < self.gpus else 101

    def cuDeviceTotalMem_v2(self, memory: Any, device: ctypes.c_int) -> int:  # noqa: N802
        memory._obj.value = 8 * GIB
        return 0

    def cuDeviceGetName(self, name: Any, length: int, device: ctypes.c_int) -> int:  # noqa: N802
        name.value = b"Fake GPU"
        return 0


def test_the_first_gpu_is_found_through_the_driver() -> None:
    assert first_cuda_gpu(Driver(1)) == Gpu("cuda", "Fake GPU", 8 * GIB)
    assert first_cuda_gpu(Driver(0)) is None


def test_this_machine_can_be_read() -> None:
    facts = read_machine()
    assert facts.cores >= 1
    assert facts.has_torch
    assert facts.memory_bytes is None or facts.memory_bytes > 10**8

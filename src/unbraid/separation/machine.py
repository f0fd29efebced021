"""What this machine has to compute with, read without loading torch."""

import ctypes
import functools
import importlib.util
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from unbraid.inference import available_cores

MPS_SHARE = 0.75  # of the memory, which an Apple GPU has in common with the CPU


@dataclass(frozen=True)
class Gpu:
    """A graphics processor.

    Attributes:
        kind: how torch names its sort.
        name: of the product.
        memory_bytes: that networks may use.
    """

    kind: Literal["cuda", "mps"]
    name: str
    memory_bytes: int


@dataclass(frozen=True)
class MachineFacts:
    """What there is to compute with.

    Attributes:
        cores: that this process may use.
        memory_bytes: that this process may use at most; None where the system does not say.
        available_bytes: of them, what is free or can be freed.
        gpu: the first one; None if there is none.
        has_bfloat16: whether the CPU multiplies matrices of bfloat16.
        has_openvino: whether it is installed.
        has_torch: whether it is installed.
        torch_has_cuda: whether it is a build for CUDA.
    """

    cores: int
    memory_bytes: int | None
    available_bytes: int | None
    gpu: Gpu | None
    has_bfloat16: bool
    has_openvino: bool
    has_torch: bool
    torch_has_cuda: bool


def read_machine() -> MachineFacts:
    """Look at this machine."""
    total, available = read_memory()
    torch = importlib.util.find_spec("torch")
    libraries = Path(torch.origin).parent / "lib" if torch and torch.origin else None
    return MachineFacts(
        cores=available_cores(),
        memory_bytes=total,
        available_bytes=available,
        gpu=_apple_gpu(total) or _cuda_gpu(),
        has_bfloat16=has_bfloat16(),
        has_openvino=importlib.util.find_spec("openvino") is not None,
        has_torch=torch is not None,
        torch_has_cuda=bool(libraries and any(libraries.glob("*torch_cuda*"))),
    )


def read_memory(
    proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")
) -> tuple[int | None, int | None]:
    """Bytes of memory for this process, whole and available: those of its tightest cgroup.

    Args:
        proc: where Linux tells of processes.
        cgroups: where it tells of their limits, in version 2 of that.
    """
    try:
        lines = (line.split() for line in (proc / "meminfo").read_text().splitlines())
        kilobytes = {name: int(value) for name, value, *_ in lines}
    except OSError:  # not Linux
        return _physical_bytes(), None
    total, available = (1024 * kilobytes[name] for name in ("MemTotal:", "MemAvailable:"))
    for limit, free in _cgroup_limits(proc, cgroups):
        total, available = min(total, limit), min(available, free)
    return total, available


def _physical_bytes() -> int | None:
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _cgroup_limits(proc: Path, cgroups: Path) -> Iterator[tuple[int, int]]:
    """Limit and free bytes of each cgroup that holds this process and has a limit."""
    memberships = (proc / "self" / "cgroup").read_text().splitlines()
    own = next((line.removeprefix("0::/") for line in memberships if line.startswith("0::/")), "")
    for group in (cgroups / own, *(cgroups / own).parents):
        if not group.is_relative_to(cgroups):
            return
        try:
            limit = int((group / "memory.max").read_text())
            used = int((group / "memory.current").read_text())
            lines = (group / "memory.stat").read_text().splitlines()
        except (OSError, ValueError):  # the root has no such files, others may say "max"
            continue
        cached = dict(line.split() for line in lines).get("inactive_file", "0")
        yield limit, limit - used + int(cached)


def has_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether this CPU multiplies matrices of bfloat16; only Linux says so."""
    if not cpuinfo.exists():
        return False
    flags = set(cpuinfo.read_text().split())
    return not flags.isdisjoint({"avx512_bf16", "amx_bf16", "bf16"})


def _apple_gpu(memory_bytes: int | None) -> Gpu | None:
    if sys.platform != "darwin" or platform.machine() != "arm64":
        return None
    return Gpu("mps", "Apple GPU", int(MPS_SHARE * (memory_bytes or 0)))


@functools.cache
def _cuda_gpu() -> Gpu | None:
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return None
    return first_cuda_gpu(driver)


def first_cuda_gpu(driver: Any) -> Gpu | None:
    """The first GPU that CUDA's driver library knows; None if there is none that works."""
    device, memory, name = ctypes.c_int(), ctypes.c_size_t(), ctypes.create_string_buffer(256)
    failed = (
        driver.cuInit(0)
        or driver.cuDeviceGet(ctypes.byref(device), 0)
        or driver.cuDeviceTotalMem_v2(ctypes.byref(memory), device)
        or driver.cuDeviceGetName(name, len(name), device)
    )
    return None if failed else Gpu("cuda", name.value.decode(errors="replace"), memory.value)

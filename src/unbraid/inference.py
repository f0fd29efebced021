"""onnxruntime sessions sized to the cores this process may use."""

import functools
import math
import os
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from unbraid.errors import ModelError

if TYPE_CHECKING:
    import onnxruntime

CGROUP_CPU_MAX = Path("/sys/fs/cgroup/cpu.max")


def available_cores() -> int:
    """Cores this process may use: its affinity, further limited by a container's CPU quota."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    try:
        quota, period = CGROUP_CPU_MAX.read_text().split()
        cores = min(cores, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):  # no cgroup v2, or its quota is "max"
        pass
    return max(1, cores)


_sessions: "WeakValueDictionary[tuple[Path, int], onnxruntime.InferenceSession]" = (
    WeakValueDictionary()
)


_kept: "deque[onnxruntime.InferenceSession]" = deque(maxlen=0)


def keep_sessions(count: int) -> None:
    """Keep the networks that were used last loaded, for a process that will use them again."""
    global _kept
    _kept = deque(_kept, maxlen=count)


def loaded_sessions() -> int:
    """Networks that are in memory."""
    return len(_sessions)


def open_session(
    network: Path, threads: int, *, plan_memory: bool = True
) -> "onnxruntime.InferenceSession":
    """Load an ONNX network for the CPU; while it is in use, the same network is loaded once.

    Args:
        network: path of the .onnx file.
        threads: threads that compute one call; results are bit-identical only for the same number.
        plan_memory: keep one block for all that a call needs, which is fast, and give it back with
            the session; large networks take less without, from memory that stays.

    Raises:
        ModelError: the file is not a network that onnxruntime can load.
    """
    key = network, threads
    session = _sessions.get(key)
    if session is None:
        session = _sessions[key] = _load(network, threads, plan_memory)
    if session in _kept:
        _kept.remove(session)
    _kept.append(session)
    return session


@functools.cache
def _register_frugal_arena() -> None:
    """Memory for sessions to share, which grows by what is asked for and not by powers of two."""
    import onnxruntime

    kind = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR
    cpu = onnxruntime.OrtMemoryInfo("Cpu", kind, 0, onnxruntime.OrtMemType.DEFAULT)
    grow_as_requested = {"arena_extend_strategy": 1}
    config = onnxruntime.OrtArenaCfg(grow_as_requested)
    onnxruntime.create_and_register_allocator(cpu, config)


def _load(network: Path, threads: int, plan_memory: bool) -> "onnxruntime.InferenceSession":
    """Threads wait without spinning, so that the FFTs between two calls have the cores."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = plan_memory
    if not plan_memory:
        _register_frugal_arena()
        options.add_session_config_entry("session.use_env_allocators", "1")
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(
            str(network), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's exceptions share no base below Exception
        raise ModelError(f"{network.name} is not a network that can be loaded: {error}") from error

"""Memory that stays with the process."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of glibc's malloc.h
MOST = 2**31 - 1


def keep_freed_memory() -> None:
    """Have the C library hand freed memory out again instead of giving it back to the system.

    A step of training frees gigabytes in large blocks. Those that the system gives anew come as
    zeroed pages, and zeroing them can take as long as all computing on the CPU.
    """
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "mallopt"):
        library.mallopt(M_MMAP_MAX, 0)
        library.mallopt(M_TRIM_THRESHOLD, MOST)

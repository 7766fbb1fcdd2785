"""Memory that a step gives back is kept for the next one.

The C library hands large blocks back to the system as soon as they are free, and every page of the
next block is then cleared and mapped anew: on the CPU a step of training asks for the same large
blocks each time. Told to keep them, it runs faster; the process stays as large as it once was.
"""

from __future__ import annotations

import ctypes
import sys

# mallopt's parameters, from glibc's malloc.h
TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3
LARGEST = 2**31 - 1  # mallopt takes a C int


def keep_freed_memory() -> bool:
    """Ask glibc to keep freed memory in this process.

    Returns:
        Whether there was a glibc that took it; elsewhere nothing happens.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    wanted = {MMAP_THRESHOLD: LARGEST, TRIM_THRESHOLD: LARGEST, TOP_PAD: 64 << 20}
    accepted = [mallopt(parameter, value) for parameter, value in wanted.items()]
    return all(accepted)

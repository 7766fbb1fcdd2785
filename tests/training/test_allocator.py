"""Freed memory is kept."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from electra_lab.training import allocator

# what the process has mapped; how much of it is resident is the system's own business
MAPPED = """
import sys, torch
from electra_lab.training.allocator import keep_freed_memory
def mapped():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmData"))
if sys.argv[1] == "keep":
    assert keep_freed_memory()
before = mapped()
blocks = [torch.ones(12 << 20) for _ in range(3)]  # 48 MB each: above glibc's own threshold
full = mapped() - before
del blocks
print(full // 1024, (mapped() - before) // 1024)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's allocator is what is asked")
def test_what_is_freed_stays_mapped() -> None:
    (full, kept), (same, left) = (
        map(int, subprocess.check_output([sys.executable, "-c", MAPPED, how], text=True).split())
        for how in ("keep", "leave")
    )
    assert min(full, same) >= 144
    assert kept >= 144
    assert left < 20


def test_elsewhere_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocator.sys, "platform", "win32")
    assert not allocator.keep_freed_memory()

"""Freed memory is kept."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from electra_lab.training import allocator

FAULTS = """
import resource, sys, torch
from electra_lab.training.allocator import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
def use():
    blocks = [torch.ones(12 << 20) for _ in range(3)]  # 48 MB each: above glibc's own threshold
use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    use()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's allocator is what is asked")
def test_pages_are_not_mapped_anew() -> None:
    faults = [
        int(subprocess.check_output([sys.executable, "-c", FAULTS, how], text=True))
        for how in ("keep", "leave")
    ]
    assert faults[0] < faults[1] / 5


def test_elsewhere_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocator.sys, "platform", "win32")
    assert not allocator.keep_freed_memory()

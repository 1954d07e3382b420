"""Memory that was freed goes back to the system."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

SCRIPT = """
import os
from nodegraph.heap import HeapTrimmer

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20

pieces = [bytes(5_000) for _ in range(20_000)]
kept = pieces[::50]
del pieces
before = resident()
{trimmer}.trim()
print(before - resident())
"""


def given_back(trimmer: str) -> int:
    command = [sys.executable, "-c", SCRIPT.format(trimmer=trimmer)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be asked")
def test_gaps_are_given_back_but_not_again_and_again():
    assert given_back("HeapTrimmer(every=0)") > 50
    assert given_back("HeapTrimmer(every=60)") == 0

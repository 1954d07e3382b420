"""Stable Diffusion XL at its true size, 6.5 GiB of random float16 weights, loaded in a process of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHILD = Path(__file__).with_name("true_size_child.py")
NEEDED = 10 * 2**30


def child(*arguments):
    command = [sys.executable, CHILD, *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_sdxl_loads_bit_equal_in_little_more_memory_than_its_file_takes(tmp_path):
    if shutil.disk_usage(tmp_path).free < NEEDED:
        pytest.skip("less than 10 GiB free")
    path = tmp_path / "sdxl.safetensors"
    try:
        child("make", "sdxl", path)
        size = path.stat().st_size
        told = json.loads(child("load", path).splitlines()[-1])
    finally:
        path.unlink(missing_ok=True)
    assert size > 6 * 2**30
    assert told["wrong"] == []
    assert told["grown"] <= 1.1 * size
    print(f"peak memory / file size: {told['grown'] / size:.3f} of {size / 2**30:.2f} GiB")

"""Damaged and hostile checkpoint files: they are refused with a reason, at no cost."""

from __future__ import annotations

import json
import random
import struct
import tracemalloc
from functools import cache

import pytest
import torch
from family_files import LAYOUTS, single_file

from nodegraph.errors import FileProblem
from nodegraph.files import File
from nodes.checkpoints.networks import NetworkRecipe
from nodes.checkpoints.single_file import load_single_file, read_contents
from nodes.weights.header import MAX_TENSORS

FILE = File("checkpoints", "model.safetensors", "0" * 64)
ROOM = 8 << 20
"""Bytes that reading a header may take besides the size of the file; the largest header here has 0.2 MiB."""
KINDS = ("sd1", "sdxl", "sd35", "flux")
LONG = "x" * 5000


@cache
def entries(kind):
    """The header of a healthy file."""
    made, end = {}, 0
    for name, tensor in single_file(kind, torch.float16).items():
        size = tensor.numel() * tensor.element_size()
        dtype = "I64" if tensor.dtype == torch.int64 else "F16"
        made[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [end, end + size]}
        end += size
    return made, end


def write(path, header, size, length=None):
    """A file with that header and zeros for data, which take no room on the disk."""
    data = header if isinstance(header, bytes) else json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(data) if length is None else length) + data)
        file.truncate(8 + len(data) + size)


# --- what may be wrong: each takes a header that it may change, and returns it and the size of the data ---


def truncated(header, size, dice):
    return header, dice.randrange(size)


def renamed(header, size, dice):
    for name in dice.sample(list(header), dice.randint(1, 40)):
        other = dice.choice(
            [name.upper(), name + ".x", name.replace(".", "..", 1), LONG + name, "ü" + name, ""]
        )
        header[other] = header.pop(name)
    return header, size


def prefixed(header, size, dice):
    prefix = dice.choice(["model.", "module.", "first_stage_model.", "model.diffusion_model."])
    return {prefix + name: entry for name, entry in header.items()}, size


def lacking(header, size, dice):
    for name in dice.sample(list(header), dice.randint(1, 3)):
        del header[name]
    return header, size


def transposed(header, size, dice):
    for name in dice.sample(list(header), dice.randint(1, 200)):
        header[name]["shape"].reverse()
    return header, size


def reshaped(header, size, dice):
    for name in dice.sample(list(header), dice.randint(1, 200)):
        shape = header[name]["shape"]
        count = torch.Size(shape).numel()
        header[name]["shape"] = dice.choice([[count], [1, *shape], [*shape, 1], [count, 1, 1, 1], [1, count]])
    return header, size


def oversized(header, size, dice):
    for name in dice.sample(list(header), dice.randint(1, 5)):
        header[name]["shape"] = dice.choice(
            [[2**40], [2**62, 4], [-1], [2**64], [10**30], [1.5], ["a"], None]
        )
    return header, size


def emptied(header, size, dice):
    """Tensors of no bytes and boundless shape."""
    for name in dice.sample(list(header), dice.randint(1, 20)):
        begin = header[name]["data_offsets"][0]
        header[name] = {"dtype": "F16", "shape": [0, 2**40, 3, 3], "data_offsets": [begin, begin]}
    return header, size


def overlapping(header, size, dice):
    for name in dice.sample(list(header), dice.randint(1, 5)):
        begin = dice.randrange(size)
        header[name]["data_offsets"] = dice.choice([[begin, begin + 2], [size, 0], [0, 2**63], [-4, 4]])
    return header, size


def retyped(header, size, dice):
    for name in dice.sample(list(header), dice.randint(1, 5)):
        header[name]["dtype"] = dice.choice(["F32", "I16", "BOOL", "C64", "F4", "X", 7, None, "F8_E4M3"])
    return header, size


def no_header(header, size, dice):
    text = dice.choice(
        [b"", b"{", b"[]", b"null", b'{"a": 1}', b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000]
    )
    return text, dice.randrange(100)


def mixed(header, size, dice):
    other, other_size = entries(dice.choice(KINDS))
    return {**{n: e for n, e in other.items() if dice.random() < 0.5}, **header}, max(size, other_size)


DAMAGES = (
    truncated,
    renamed,
    prefixed,
    lacking,
    transposed,
    reshaped,
    oversized,
    emptied,
    overlapping,
    retyped,
    no_header,
    mixed,
)


def damaged(path, seed):
    """A damaged file; returns what was done to it."""
    dice = random.Random(seed)
    header, size = entries(dice.choice(KINDS))
    damage = DAMAGES[seed % len(DAMAGES)]
    header, size = damage(json.loads(json.dumps(header)), size, dice)
    length = dice.choice([None] * 9 + [dice.choice([0, 1, 2**31, 2**63, 2**64 - 1])])
    write(path, header, size, length)
    return damage.__name__


def outcome(path):
    """The checkpoint, or why it was refused; anything but a ``FileProblem`` fails the test."""
    tracemalloc.start()
    try:
        return load_single_file(read_contents(FILE, path), None)
    except FileProblem as problem:
        assert str(problem).strip()
        return None
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < path.stat().st_size + ROOM, f"{peak} bytes for a file of {path.stat().st_size}"


class Files:
    """Finds the one file there is."""

    def __init__(self, path):
        self._path = path

    def path(self, file):
        return self._path


def recipes(checkpoint):
    yield checkpoint.model.weights
    yield checkpoint.vae.weights
    yield from (recipe.network for _, recipe in checkpoint.clip.weights.encoders)


def build_all(checkpoint, path):
    """Build what the header promises: a module no larger than the file, or a reason."""
    for recipe in recipes(checkpoint):
        assert isinstance(recipe, NetworkRecipe)
        try:
            module = recipe.build(Files(path), torch.bfloat16)
        except FileProblem as problem:
            assert "cannot be loaded: " in str(problem)
        else:
            assert sum(p.nbytes for p in module.parameters()) <= path.stat().st_size


@pytest.mark.parametrize("kind", KINDS)
def test_the_files_that_are_damaged_below_are_healthy(tmp_path, kind):
    path = tmp_path / "model.safetensors"
    write(path, *entries(kind))
    assert outcome(path) is not None
    assert kind in LAYOUTS


@pytest.mark.parametrize("damage", range(len(DAMAGES)), ids=[damage.__name__ for damage in DAMAGES])
def test_a_damaged_file_is_refused_or_is_what_it_says(tmp_path, damage):
    path = tmp_path / "model.safetensors"
    for turn in range(6):
        damaged(path, damage + turn * len(DAMAGES))
        outcome(path)


@pytest.mark.parametrize(
    "damage", [lacking, transposed, reshaped, emptied], ids=lambda damage: damage.__name__
)
def test_weights_that_are_not_what_the_header_promises_are_refused(tmp_path, damage):
    path = tmp_path / "model.safetensors"
    for turn in range(2):
        damaged(path, DAMAGES.index(damage) + turn * len(DAMAGES))
        if checkpoint := outcome(path):
            build_all(checkpoint, path)


@pytest.mark.slow
def test_two_thousand_damaged_files(tmp_path):
    path, read = tmp_path / "model.safetensors", 0
    for seed in range(2_400):
        damaged(path, seed)
        if checkpoint := outcome(path):
            read += 1
            if read % 10 == 0:
                build_all(checkpoint, path)
    assert 0 < read < 1_600


def test_a_file_of_countless_tensors_costs_no_more_than_its_header(tmp_path):
    path = tmp_path / "model.safetensors"
    entry = {"dtype": "F16", "shape": [0], "data_offsets": [0, 0]}
    write(path, {f"t{number}": entry for number in range(MAX_TENSORS + 1)}, 0)
    with pytest.raises(FileProblem, match="100001 tensors; up to 100000 are read"):
        read_contents(FILE, path)


def test_files_without_tensors_and_folders_are_called_so(tmp_path):
    path = tmp_path / "model.safetensors"
    write(path, {}, 0)
    with pytest.raises(FileProblem, match="it holds no tensors"):
        load_single_file(read_contents(FILE, path), None)
    with pytest.raises(FileProblem, match="a folder, not a safetensors file"):
        read_contents(FILE, tmp_path)

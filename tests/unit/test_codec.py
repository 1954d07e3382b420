import enum
import json
import math
import struct
import subprocess
import sys
import threading
import timeit
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nodegraph.codec import MAX_DEPTH, decode, encode, size_of, tensors_in
from nodegraph.errors import CodecError


class Colour(enum.Enum):
    RED = "red"
    BLUE = (0, 0, 1)


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Level(enum.IntEnum):
    LOW = 1


class Size(NamedTuple):
    width: int
    height: int = 8


@dataclass(frozen=True)
class Picture:
    pixels: torch.Tensor
    name: str = ""
    area: int = field(init=False, default=0)

    def __post_init__(self):
        if self.pixels.ndim != 3:
            raise ValueError("a picture has three axes")
        object.__setattr__(self, "area", self.pixels.shape[0] * self.pixels.shape[1])

    @dataclass(frozen=True, slots=True)
    class Corner:
        x: float


@dataclass
class Thawed:
    x: int = 0


class Angle:
    def __init__(self, degrees: float) -> None:
        self.degrees = degrees

    def __codec__(self) -> float:
        return self.degrees

    @classmethod
    def __from_codec__(cls, value: float) -> "Angle":
        return cls(value)


def round_trip(value: Any) -> Any:
    tree, tensors = encode(value)
    return decode(json.loads(json.dumps(tree)), tensors)


def same(a: Any, b: Any) -> bool:
    """Equal in type and in every bit, all the way down."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return struct.pack(">d", a) == struct.pack(">d", b)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return same(list(a.items()), list(b.items()))
    return a == b


plain_keys = st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.tuples(st.integers())
scalars = (
    plain_keys
    | st.floats()
    | st.integers(-(2**70), 2**70)
    | st.sampled_from([Colour.RED, Colour.BLUE, Access.READ | Access.WRITE, Level.LOW, Size(1), Access(0)])
    | st.builds(Picture.Corner, st.floats(allow_nan=False))
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(plain_keys, inner, max_size=4)
        | st.builds(Size, inner, inner)
    ),
    max_leaves=20,
)


@settings(deadline=None, max_examples=300)
@given(values)
def test_values_come_back_with_type_and_bits(value):
    assert same(round_trip(value), value)


@pytest.mark.parametrize(
    "bits", ["7ff8000000000001", "fff0000000000000", "7ff4dead0000beef", "8000000000000000"]
)
def test_floats_keep_every_bit(bits):
    value = struct.unpack(">d", bytes.fromhex(bits))[0]
    assert struct.pack(">d", round_trip(value)).hex() == bits


def test_look_alikes_stay_apart():
    value = [1, "1", True, 1.0, b"1", (1,), [1], {1: 1}, {"1": 1}, None, "None", {"tuple": [1]}, Level.LOW]
    assert same(round_trip(value), value)
    assert len({json.dumps(encode(item).tree) for item in value}) == len(value)


def test_integers_beyond_the_digit_limit():
    assert round_trip(-(10**6000)) == -(10**6000)


def test_sets_and_hooks():
    assert round_trip({1, "a"}) == {1, "a"}
    assert round_trip(frozenset({(1, 2)})) == frozenset({(1, 2)})
    assert encode({"b", "a", 1}).tree == encode({1, "a", "b"}).tree
    assert round_trip([Angle(math.pi)])[0].degrees == math.pi


def same_tensor(a: torch.Tensor, b: torch.Tensor) -> bool:
    if (a.dtype, a.shape) != (b.dtype, b.shape):
        return False
    return bytes(a.reshape(-1).view(torch.uint8).tolist()) == bytes(
        b.contiguous().reshape(-1).view(torch.uint8).tolist()
    )


DTYPES = sorted(
    {
        d
        for d in vars(torch).values()
        if isinstance(d, torch.dtype) and not str(d).startswith(("torch.q", "torch.bits"))
    },
    key=str,
)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 1, 3)], ids=str)
@pytest.mark.filterwarnings("ignore:ComplexHalf")
def test_tensors_of_every_dtype_and_shape(dtype, shape):
    count = math.prod(shape) * dtype.itemsize
    data = torch.randint(0, 256, (count,), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    if dtype is torch.bool:
        data %= 2
    tensor = data.view(dtype).reshape(shape)
    assert same_tensor(round_trip(tensor), tensor)


@settings(deadline=None)
@given(st.lists(st.integers(0, 3), max_size=4), st.randoms(use_true_random=False))
def test_strided_views_keep_their_values(shape, random):
    dims = list(range(len(shape)))
    random.shuffle(dims)
    view = torch.arange(math.prod(shape) * 2.0)[::2].reshape(shape).permute(dims)
    back = round_trip(view)
    assert back.is_contiguous()
    assert torch.equal(back, view)


def test_conjugate_and_negated_views_keep_their_values():
    z = torch.tensor([1 + 2j, 3 - 4j])
    both = round_trip([z, z.conj(), z.conj().imag])
    assert all(torch.equal(a, b) for a, b in zip(both, [z, z.conj(), z.conj().imag], strict=True))


def test_shared_tensors_are_stored_once_and_shared_again():
    pixels = torch.rand(2, 3, 3)
    encoded = encode([Picture(pixels, "a"), {"again": pixels}, pixels.detach()])
    assert len(encoded.tensors) == 1
    picture, again, alias = decode(*encoded)
    assert picture.pixels is again["again"] is alias
    array = np.arange(3)
    first, second = round_trip([array, array])
    assert first is second


def test_encoded_tensors_never_share_memory():
    whole = torch.arange(12.0)
    encoded = encode(
        [whole, whole[:6], whole[6:], whole.view(3, 4), whole.view(torch.int32), whole.expand(2, 12)]
    )
    storages = {tensor.untyped_storage().data_ptr(): tensor for tensor in encoded.tensors.values()}
    assert len(storages) == 6
    assert all(tensor.untyped_storage().nbytes() == tensor.nbytes for tensor in storages.values())


def test_dataclasses_come_back_through_their_own_checks():
    picture = round_trip(Picture(torch.zeros(2, 3, 1), "p"))
    assert (type(picture), picture.name, picture.area) == (Picture, "p", 6)
    tree, _ = encode(picture)
    with pytest.raises(CodecError, match="three axes"):
        decode(tree, {"0": torch.zeros(2)})


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=">i2").reshape(2, 3).T,
        np.array(2.5),
        np.zeros((0, 3), bool),
        np.array(["é", "longer"]),
        np.array(["2024-01-01"], "M8[D]"),
        np.array([1 + 2j], np.complex64),
    ],
    ids=lambda array: str(array.dtype),
)
def test_numpy_arrays(array):
    back = round_trip(array)
    assert (back.dtype, back.shape, back.tobytes()) == (array.dtype, array.shape, array.tobytes())


@pytest.mark.parametrize(
    "number", [np.float64(0.1), np.int8(-3), np.bool_(True), np.str_("é"), np.float32("nan")]
)
def test_numpy_numbers(number):
    back = round_trip(number)
    assert type(back) is type(number)
    assert back.tobytes() == number.tobytes()


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (torch.nn.Linear(1, 1), "Linear cannot be stored; a model travels as a recipe"),
        ((i for i in "ab"), "generator cannot be stored; return a list"),
        (len, "return what it computes"),
        (threading.Lock(), "use plain values"),
        (torch.Generator(), "Generator cannot be stored"),
        (Thawed(), "frozen=True"),
        (torch.nn.Parameter(torch.ones(1)), "detach it"),
        (torch.ones(1, requires_grad=True) * 2, "detach it"),
        (torch.ones(1, device="meta"), "make it dense"),
        (torch.eye(2).to_sparse(), "make it dense"),
        (np.array([object()], object), "use numbers"),
        (np.ma.array([1]), "use a plain array"),
        (enum.Enum("Local", "A").A, "cannot be found again by its name"),  # type: ignore[attr-defined]
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_stored_says_why(value, says):
    with pytest.raises(CodecError, match=says):
        encode({"deep": [value]})


def test_depth_is_bounded_both_ways():
    value: Any = 1
    for _ in range(MAX_DEPTH):
        value = [value]
    assert round_trip(value) == value
    with pytest.raises(CodecError, match="too deeply"):
        encode([value])
    with pytest.raises(CodecError, match="too deeply"):
        decode([value], {})
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(CodecError, match="contain itself"):
        encode(loop)


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"unknown": 1},
        {"int": "x"},
        {"tuple": 3},
        {"dict": [[[], 1]]},
        {"dict": [[1]]},
        {"tensor": "absent"},
        {"tensor": "0", "dtype": "load", "shape": []},
        {"tensor": "0", "dtype": "complex64", "shape": [5]},
        {"array": "0", "dtype": "|O", "shape": [1]},
        {"array": "0", "dtype": "<f8", "shape": [7]},
        {"array": "0", "dtype": "|u1", "shape": [2]},
        {"number": "|O", "bytes": "AAAAAAAAAAA="},
        {"enum": "enum:Enum", "name": "X"},
        {"data": "os:environ", "fields": {}},
        {"data": "subprocess:Popen", "fields": {"args": "true"}},
        {"data": f"{__name__}:Thawed", "fields": {}},
        {"data": f"{__name__}:Picture", "fields": {"nothing": 1}},
        {"data": f"{__name__}:pytest.Item", "fields": {}},
        {"named": f"{__name__}:Size", "items": [1]},
        {"object": f"{__name__}:Picture", "state": 1},
        {"object": f"{__name__}:NamedTuple", "state": 1},
    ],
    ids=str,
)
def test_anything_else_is_refused(tree):
    with pytest.raises(CodecError):
        decode(tree, {"0": torch.zeros(8, dtype=torch.uint8)})


json_trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["int", "tuple", "dict", "enum", "name", "data", "fields", "tensor", "dtype", "array"]
            ),
            inner | st.just(f"{__name__}:Picture"),
            max_size=3,
        )
    ),
)


@settings(deadline=None, max_examples=300)
@given(json_trees)
def test_decode_raises_nothing_but_its_own_error(tree):
    try:
        decode(tree, {})
    except CodecError as error:
        assert str(error)


def test_classes_are_never_imported(monkeypatch):
    tree, tensors = encode(Size(1, 2))
    monkeypatch.delitem(sys.modules, __name__)
    with pytest.raises(CodecError, match="load the node pack"):
        decode(tree, tensors)
    assert __name__ not in sys.modules


def test_the_codec_imports_neither_torch_nor_numpy():
    code = (
        "import sys; from nodegraph.codec import *; decode(*encode([1, (2.5, 'x')])); size_of([1]);"
        "assert not {'torch', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_size_counts_storages_once():
    tensor = torch.zeros(1000)
    assert size_of(tensor) == 4000
    assert size_of(tensor[:1]) == 4000
    assert 4000 < size_of([tensor, tensor[5:], Picture(tensor.view(10, 10, 10))]) < 4600
    assert size_of(torch.nn.Linear(100, 10)) > 100 * 10 * 4
    assert size_of(torch.zeros(1000, device="meta")) == 0
    assert size_of(np.zeros(1000)[::2]) > 8000
    assert size_of("x" * 1000) > 1000
    assert size_of({"a": ["x" * 1000]}) > 1000


def test_size_and_tensors_of_deep_or_cyclic_values():
    value: list[Any] = [torch.ones(1)]
    value.append(value)
    for _ in range(5000):
        value = [value]
    assert size_of(value) > 5000 * 8
    assert len(tensors_in(value)) == 1


def test_tensors_in_order_and_once():
    a, b, c = torch.zeros(1), torch.ones(1), torch.ones(2, 2, 2)
    assert [id(t) for t in tensors_in([a, {"k": b}, a, Picture(c)])] == [id(a), id(b), id(c)]
    assert tensors_in("text") == []


def test_size_of_plain_values_is_quick():
    best = min(timeit.repeat(lambda: size_of(7), number=20_000, repeat=5)) / 20_000
    assert best < 5e-6

"""In half precision, and on a GPU, our nodes come as near to float32 on the processor as diffusers does."""

from __future__ import annotations

import pytest
import torch
from pipeline_pairs import PAIRS, prepared

TOLERANCES = {torch.float32: 1e-4, torch.float16: 1.5e-2, torch.bfloat16: 1.2e-1}
"""‖ours - float32‖ / ‖float32‖."""
NO_FURTHER = 1.5
"""Times diffusers' own distance, that ours may be: both are rounding."""

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # of diffusers
    pytest.mark.filterwarnings("ignore:`upcast_attention`:FutureWarning"),
]
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")


@pytest.fixture(autouse=True)
def _float32_is_float32(monkeypatch):
    """By default cuDNN computes float32 convolutions in TF32."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


@pytest.fixture(scope="module")
def cpu(tmp_path_factory):
    return prepared(tmp_path_factory.mktemp("models"))


def distance(found, expected):
    return float((found.float() - expected).norm() / expected.norm())


def check(cpu, row, device, dtype):
    expected = PAIRS[row](cpu).theirs()
    pair = PAIRS[row](cpu._replace(device=device, dtype=dtype))
    ours, theirs = distance(pair.ours(), expected), distance(pair.theirs(), expected)
    print(f"{device} {dtype} {row[0]}: ours {ours:.1e}, diffusers {theirs:.1e}")
    assert ours <= TOLERANCES[dtype]
    assert ours <= NO_FURTHER * theirs + 1e-3


@pytest.mark.gpu
@needs_cuda
@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@pytest.mark.parametrize("row", PAIRS, ids=" | ".join)
def test_on_a_gpu(cpu, row, dtype):
    check(cpu, row, "cuda", dtype)


@pytest.mark.slow
@pytest.mark.parametrize("row", PAIRS, ids=" | ".join)
def test_in_bfloat16_on_the_processor(cpu, row):
    check(cpu, row, "cpu", torch.bfloat16)

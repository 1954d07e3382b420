"""Memory and time that loading a checkpoint of true size takes, beside the size of its file.

    python tests/benchmarks/bench_loading.py [--model sd15|sdxl]

The file is made of random float16 weights, in the layout in which it is downloaded, in a temporary folder.
Each way of loading runs in a process of its own, which imports what it needs before it begins; what counts
is by how much the largest resident size then grows.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "nodes"))

NODEGRAPH = """
import json, resource, sys, time
from pathlib import Path
import torch, diffusers, transformers
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.loaders import single_file_utils
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection
from nodegraph.files import File
from nodes.checkpoints.single_file import load_single_file, read_contents
from nodes.text_encoders.tokenizers import clip_tokenizer
clip_tokenizer()
path = Path(sys.argv[1])
class Files:
    def path(self, file): return path
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
model, clip, vae = load_single_file(read_contents(File("checkpoints", path.name, "0" * 64), path), None)
dtypes = {model: torch.float16, clip: torch.float16, vae: torch.bfloat16}
held = [part.weights.build(Files(), dtype) for part, dtype in dtypes.items()]
seconds = time.perf_counter() - start
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([(after - before) * 1024, seconds]))
"""

READ_WHOLE = """
import json, resource, sys, time
import torch
from safetensors.torch import load_file
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
held = {name: tensor.clone() for name, tensor in load_file(sys.argv[1]).items()}
seconds = time.perf_counter() - start
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([(after - before) * 1024, seconds]))
"""


def make_file(path: Path, model: str) -> None:
    """A checkpoint of true size with random weights."""
    from family_files import true_size, write_file

    write_file(path, true_size(model))


def measured(program: str, path: Path) -> tuple[float, float]:
    """By how many bytes the largest resident size grows, and seconds."""
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], check=True, capture_output=True, text=True
    )
    grown, seconds = json.loads(done.stdout.splitlines()[-1])
    return grown, seconds


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", choices=("sd15", "sdxl"), default="sd15")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        subprocess.run([sys.executable, __file__, "--make", options.model, str(path)], check=True)
        size = path.stat().st_size
        print(f"{options.model}: a file of {size / 2**30:.2f} GiB")
        print("| way | peak memory / file size | seconds |")
        print("|---|---:|---:|")
        for name, program in {"nodegraph": NODEGRAPH, "load_file, each tensor copied": READ_WHOLE}.items():
            grown, seconds = measured(program, path)
            print(f"| {name} | {grown / size:.3f} | {seconds:.1f} |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--make"]:
        make_file(Path(sys.argv[3]), sys.argv[2])
    else:
        main()

"""Peak memory and time of decoding and encoding large pictures whole and in tiles.

    python tests/benchmarks/bench_tiled_vae.py [--side 1024]

An autoencoder of the true size of Stable Diffusion's with random float32 weights; each way runs in a process
of its own, and what counts is by how much its largest resident size grows once the weights are there.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

import torch

from nodes.vae.autoencoder import decode, encode
from nodes.vae.tiling import decode_in_tiles, encode_in_tiles

SCALE, OVERLAP = 8, 64
WAYS = {"whole": 0, "tiles of 512": 512, "tiles of 256": 256}


def measured(direction: str, tile: int, side: int) -> tuple[int, float]:
    """KiB by which the largest resident size grows, and seconds."""
    from diffusers import AutoencoderKL

    module = AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),
        layers_per_block=2,
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
    ).eval()
    latents, pixels = torch.randn(1, 4, side // SCALE, side // SCALE), torch.rand(1, side, side, 3)
    sizes = {"tile": (tile or side) // SCALE, "overlap": OVERLAP // SCALE, "scale": SCALE}
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    with torch.no_grad():
        if direction == "decode":
            decode_in_tiles(lambda piece: decode(module, piece, 1.0, 0.0), latents, **sizes)
        else:
            encode_in_tiles(lambda piece: encode(module, piece, 1.0, 0.0), pixels, **sizes)
    taken = time.perf_counter() - start
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, taken


def main() -> None:
    """Print one line per way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--tile", type=int)
    parser.add_argument("--direction", choices=["decode", "encode"])
    options = parser.parse_args()
    if options.tile is not None:
        print(json.dumps(measured(options.direction, options.tile, options.side)))
        return
    print(f"| {options.side} x {options.side} | peak, MiB | seconds |\n|---|---:|---:|")
    for direction in [options.direction] if options.direction else ["decode", "encode"]:
        for name, tile in WAYS.items():
            grown, taken = _in_a_process("--direction", direction, "--side", options.side, "--tile", tile)
            print(f"| {direction}, {name} | {grown / 1024:.0f} | {taken:.1f} |", flush=True)


def _in_a_process(*arguments: str | int) -> tuple[int, float]:
    command = [sys.executable, __file__, *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    grown, taken = json.loads(done.stdout.splitlines()[-1])
    return grown, taken


if __name__ == "__main__":
    main()

"""Peak memory and time of decoding large latents whole and in tiles.

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

from nodes.vae.autoencoder import decode
from nodes.vae.tiling import decode_in_tiles

SCALE, OVERLAP = 8, 64
WAYS = {"whole": 0, "tiles of 512": 512, "tiles of 256": 256}


def measured(tile: int, side: int) -> tuple[int, float]:
    """KiB by which the largest resident size grows, and seconds."""
    from diffusers import AutoencoderKL

    module = AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),
        layers_per_block=2,
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
    ).eval()
    latents = torch.randn(1, 4, side // SCALE, side // SCALE)
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    with torch.no_grad():
        if tile:
            decode_in_tiles(
                lambda piece: decode(module, piece, 1.0, 0.0),
                latents,
                tile=tile // SCALE,
                overlap=OVERLAP // SCALE,
                scale=SCALE,
            )
        else:
            decode(module, latents, 1.0, 0.0)
    taken = time.perf_counter() - start
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, taken


def main() -> None:
    """Print one line per way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--tile", type=int)
    options = parser.parse_args()
    if options.tile is not None:
        print(json.dumps(measured(options.tile, options.side)))
        return
    print(f"| {options.side} x {options.side} | peak, MiB | seconds |\n|---|---:|---:|")
    for name, tile in WAYS.items():
        command = [sys.executable, __file__, "--side", str(options.side), "--tile", str(tile)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        grown, taken = json.loads(done.stdout.splitlines()[-1])
        print(f"| {name} | {grown / 1024:.0f} | {taken:.1f} |", flush=True)


if __name__ == "__main__":
    main()

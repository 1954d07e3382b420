"""ComfyScript: nodes as Python functions made from ``/object_info``, called by position. Argument: URL."""

import json
import sys

from comfy_script import runtime

runtime.load(sys.argv[1])
from comfy_script.runtime import nodes, util  # noqa: E402 - they come into being by loading

with runtime.Workflow(wait=True):
    model, clip, vae = nodes.CheckpointLoaderSimple(nodes.Checkpoints.emoji_sd)
    positive = nodes.CLIPTextEncode("a red apple on a blue background", clip)
    negative = nodes.CLIPTextEncode("", clip)
    latent = nodes.EmptyLatentImage(128, 128, 1)
    latent = nodes.KSampler(
        model, 104, 20, 2.5, "dpmpp_2m", nodes.Schedulers.normal, positive, negative, latent, 1.0
    )
    [picture] = util.get_images(nodes.VAEDecode(latent, vae), save=True)
print(json.dumps({"size": picture.size}))

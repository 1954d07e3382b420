"""comfy-api-client: validated answers, upload, mask, run, history. Arguments: URL, prompt, picture.

Its own ``create_client`` cannot be used: version 0.1.0 calls a method that it does not have once a run ends.
"""

import asyncio
import json
import sys
from pathlib import Path

import httpx
from comfy_api_client.client import ComfyAPIClient
from PIL import Image

url, prompt_path, picture_path = sys.argv[1:]


async def main() -> None:
    prompt = json.loads(Path(prompt_path).read_text())
    prompt["sampler"]["inputs"]["seed"] = 103
    picture = Image.open(picture_path)
    async with httpx.AsyncClient() as http:
        client = ComfyAPIClient(url, http)
        uploaded = await client.upload_image("api_client.png", picture, subfolder="clients")
        mask = await client.upload_mask("mask.png", picture.convert("RGBA"), uploaded)
        submitted = await client.submit_workflow(prompt, return_future=False)
        async with asyncio.timeout(60):
            while submitted.prompt_id not in await client.get_history(submitted.prompt_id):
                await asyncio.sleep(0.1)
        result = await client.fetch_results(submitted.prompt_id)
        queue = await client.get_queue()
        stats = await client.get_system_stats()
        done = await client.get_completed_prompts()
        await client.remove_from_history([submitted.prompt_id])
        left = await client.get_history(submitted.prompt_id)
    print(
        json.dumps(
            {
                "uploaded": uploaded.model_dump(),
                "mask": mask.model_dump(),
                "images": [item.image.size for item in result.output_images],
                "pending": len(queue.pending),
                "devices": len(stats.devices),
                "completed": submitted.prompt_id in done,
                "left": left,
            }
        )
    )


asyncio.run(main())

"""comfyui-workflow-client: a picture for a prompt with values set. Arguments: host and port, prompt."""

import asyncio
import json
import sys

from comfyuiclient import ComfyUIClientAsync

host, prompt = sys.argv[1:]


async def main() -> None:
    client = ComfyUIClientAsync(host, prompt)
    await client.connect()
    try:
        await client.set_data("Sample", seed=102)
        pictures = await client.generate(["Save Image"])
    finally:
        await client.close()
    print(json.dumps({name: picture.size for name, picture in pictures.items()}))


asyncio.run(main())

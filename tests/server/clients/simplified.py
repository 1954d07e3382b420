"""comfy-api-simplified: upload, run, picture, queue, errors. Arguments: URL, prompt, picture."""

import json
import sys

from comfy_api_simplified import ComfyApiWrapper, ComfyWorkflowWrapper
from comfy_api_simplified.exceptions import ComfyApiError

url, prompt, picture = sys.argv[1:]
api = ComfyApiWrapper(url)
uploaded = api.upload_image(picture)
workflow = ComfyWorkflowWrapper(prompt)
workflow.set_node_param("Sample", "seed", 101)
images = api.queue_and_wait_images(workflow, "Save Image")
workflow.set_node_param("Sample", "steps", 0)
try:
    api.queue_prompt(workflow)
    error = ""
except ComfyApiError as refused:
    error = str(refused)
print(
    json.dumps(
        {
            "uploaded": uploaded,
            "images": {name: data[:8].hex() for name, data in images.items()},
            "error": error,
            "queue": api.get_queue(),
            "sampler": api.get_object_info("KSampler")["KSampler"]["output"],
            "stats": sorted(api.get_system_stats()),
            "embeddings": api.get_embeddings(),
        }
    )
)

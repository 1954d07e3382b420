"""Installs third-party ComfyUI clients into a folder, for ``test_comfy_clients.py``.

    python tests/server/clients/install.py FOLDER
    NODEGRAPH_COMFY_CLIENTS=FOLDER pytest tests/server/test_comfy_clients.py

They get a virtual environment and a ``node_modules`` of their own there; nothing of them enters the project.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path

PYTHON_CLIENTS = (
    "comfy-api-simplified==1.6.0",
    "comfyui-workflow-client==0.1.0",
    "comfy-api-client==0.1.0",
    "comfy-script[client,runtime]==0.6.1",
    "comfy-cli==1.23.0",
)
NODE_CLIENTS = {
    "@saintno/comfyui-sdk": "0.3.1",
    "@stable-canvas/comfyui-client": "1.5.9",
    "comfy-ui-client": "0.1.2",
    "ws": "8",
}


def install(folder: Path) -> None:
    """Make ``folder/venv`` and ``folder/node_modules``."""
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv/bin/python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PYTHON_CLIENTS], check=True)
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm is not installed: the clients in Python are there, those in JavaScript are not")
    (folder / "package.json").write_text(json.dumps({"private": True, "dependencies": NODE_CLIENTS}))
    subprocess.run([npm, "install", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    install(Path(sys.argv[1]).resolve())

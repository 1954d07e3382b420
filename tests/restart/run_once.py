"""Runs one workflow and ends. Reads a JSON object from standard input:

root: folder with ``plugins``, ``models``, ``inputs`` and, after the first run, ``results`` and ``output``;
workflow: the document; targets: ids of the nodes whose results are wanted, or ``null``;
builtin: whether the built-in nodes are needed (they bring torch, which takes seconds to import).
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

from nodegraph.cache.disk import DiskStore
from nodegraph.cache.memory import MemoryStore
from nodegraph.cache.results import ResultCache
from nodegraph.devices import DeviceManager, pick_device
from nodegraph.engine import Engine
from nodegraph.files import Folders
from nodegraph.registry import NodeRegistry
from nodegraph.workflow import workflow_from_document


def make_engine(root, builtin):
    registry = NodeRegistry()
    if builtin:
        registry.discover("nodes")
    registry.discover_folder(root / "plugins")
    assert not registry.problems, registry.problems
    folders = Folders(root / "output", models=(root / "models",), inputs=(root / "inputs",))
    device = pick_device("cpu") if builtin else SimpleNamespace(type="cpu")
    cache = ResultCache(MemoryStore(1 << 28), DiskStore(root / "results", 1 << 30))
    return Engine(registry, cache, folders, DeviceManager(device, folders))


def main():
    request = json.load(sys.stdin)
    engine = make_engine(Path(request["root"]), request["builtin"])
    result = engine.run_sync(workflow_from_document(request["workflow"]), targets=request["targets"])
    assert result.status == "done", [f"{error}\n{error.traceback}" for error in result.errors]
    answer = {
        "origins": {id: record.origin for id, record in result.nodes.items()},
        "seconds": {id: record.seconds for id, record in result.nodes.items()},
        "outputs": {id: repr(outputs) for id, outputs in result.outputs.items()},
        "files": [[file.path, file.digest] for file in result.files],
        "builds": engine.devices.builds,
        "imported": sorted({"torch", "diffusers", "transformers"} & sys.modules.keys()),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()

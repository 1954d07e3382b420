"""The rules of the house: which way imports point, and what is never imported at all."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent

LAYERS = [
    "errors",
    "printable",
    "system_errors",
    "hints",
    "addresses",
    "captions",
    "titles",
    "events",
    "hardware",
    "collector",
    "heap",
    "codec",
    "sockets",
    "specs",
    "previews",
    "digests",
    "model_folders",
    "companions",
    "files",
    "private_paths",
    "context",
    "testing",
    "handles",
    "body",
    "interface",
    "node_type",
    "contradictions",
    "declaration",
    "registry",
    "locations",
    "constants",
    "workflow",
    "inline",
    "graph",
    "tracing",
    "loops",
    "validation",
    "targets",
    "python_code",
    "cache",
    "devices",
    "planning",
    "explain",
    "execution",
    "engine",
    "jobs",
    "worker",
    "server",
    "client",
    "console",
    "cli",
    "__main__",
]
"""Modules and packages of ``nodegraph``, lowest first: each may import what stands before it."""

PUBLIC = {
    "nodegraph",
    "nodegraph.body",
    "nodegraph.errors",
    "nodegraph.files",
    "nodegraph.node_type",
    "nodegraph.specs",
}
"""What the modules called ``nodes`` and ``types`` may import of the engine."""

AWARE = {
    "nodes.checkpoints.autoencoders": {"nodegraph", "nodegraph.errors"},
    "nodes.checkpoints.configs": {"nodegraph.errors"},
    "nodes.checkpoints.families.family": {"nodegraph", "nodegraph.errors"},
    "nodes.checkpoints.files": {"nodegraph", "nodegraph.errors"},
    "nodes.checkpoints.folder": {"nodegraph", "nodegraph.errors"},
    "nodes.checkpoints.loading": {"nodegraph", "nodegraph.errors"},
    "nodes.checkpoints.networks": {"nodegraph", "nodegraph.errors"},
    "nodes.checkpoints.parts": {"nodegraph", "nodegraph.errors"},
    "nodes.checkpoints.recipes": {"nodegraph", "nodegraph.errors"},
    "nodes.checkpoints.scheduler": {"nodegraph.errors"},
    "nodes.checkpoints.single_file": {"nodegraph", "nodegraph.errors"},
    "nodes.checkpoints.text_encoders": {"nodegraph", "nodegraph.errors"},
    "nodes.checkpoints.tiny": {"nodegraph", "nodegraph.errors"},
    "nodes.clip_vision.encoding": {"nodegraph"},
    "nodes.clip_vision.loading": {"nodegraph", "nodegraph.errors"},
    "nodes.controlnet.folder": {"nodegraph", "nodegraph.errors"},
    "nodes.images.checking": {"nodegraph.errors"},
    "nodes.images.compose.grid": {"nodegraph.captions"},
    "nodes.images.facts": {"nodegraph.specs"},
    "nodes.images.files.fetching": {"nodegraph.addresses"},
    "nodes.adapters.ip_adapter.file": {"nodegraph", "nodegraph.errors"},
    "nodes.adapters.ip_adapter.image_prompt": {"nodegraph.errors"},
    "nodes.adapters.lora.file": {"nodegraph.errors"},
    "nodes.adapters.lora.recipes": {"nodegraph", "nodegraph.errors"},
    "nodes.adapters.merging.recipes": {"nodegraph", "nodegraph.errors"},
    "nodes.conditioning.checking": {"nodegraph.errors", "nodegraph.files", "nodegraph.specs"},
    "nodes.conditioning.embedding_files": {"nodegraph.errors"},
    "nodes.conditioning.embeddings": {"nodegraph", "nodegraph.errors"},
    "nodes.conditioning.prompting": {"nodegraph", "nodegraph.errors"},
    "nodes.sampling.binding": {"nodegraph", "nodegraph.errors"},
    "nodes.sampling.facts": {"nodegraph.specs"},
    "nodes.sampling.job": {"nodegraph", "nodegraph.errors"},
    "nodes.sampling.patching.compiled": {"nodegraph.errors"},
    "nodes.sampling.previewing": {"nodegraph", "nodegraph.errors"},
    "nodes.style.pictures": {"nodegraph.errors"},
}
"""The other modules of ``nodes`` that know of the engine, and what of it; all the rest is pure."""

LATE = ("diffusers", "transformers")
NEVER = ("pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal")


class Import(NamedTuple):
    module: str
    """The importing module."""
    target: str
    """The imported module."""
    inside: bool
    """Whether it happens inside a function."""
    line: int

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target}"


def modules(package: str) -> dict[str, Path]:
    paths = (ROOT / package).rglob("*.py")
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in paths}
    return {name.removesuffix(".__init__"): path for name, path in sorted(names.items())}


MODULES = {**modules("nodegraph"), **modules("nodes")}


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports_in(module: str, tree: ast.AST, inside: bool = False) -> Iterator[Import]:
    """Every import that may happen when the program runs."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (Import(module, alias.name, inside, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}:{node.lineno} imports relatively"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield Import(module, full if full in MODULES else str(node.module), inside, node.lineno)
        elif not is_type_checking(node):
            function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from imports_in(module, node, inside or function)


TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in MODULES.items()}
IMPORTS = [found for name, tree in TREES.items() for found in imports_in(name, tree)]


def of(package: str) -> list[Import]:
    return [found for found in IMPORTS if found.module.split(".")[0] == package]


def layer(module: str) -> int:
    """Where a module of ``nodegraph`` stands; the package itself, which users import, is above its parts."""
    parts = module.split(".")
    return LAYERS.index(parts[1]) if len(parts) > 1 else len(LAYERS)


def is_from(target: str, packages: tuple[str, ...]) -> bool:
    return target.split(".")[0] in packages


# --- which way imports point ----------------------------------------------------------------------------


def test_every_module_of_the_engine_has_a_place_in_the_list():
    found = {name.split(".")[1] for name in MODULES if name.startswith("nodegraph.")}
    assert found == set(LAYERS)


def test_imports_point_one_way():
    upward = [
        str(found)
        for found in of("nodegraph")
        if found.target.startswith("nodegraph.")
        and found.module != "nodegraph"
        and layer(found.target) > layer(found.module)
    ]
    assert upward == []


def test_no_module_imports_the_face_of_the_package_it_is_part_of():
    assert [str(found) for found in of("nodegraph") if found.target == "nodegraph"] == []


def test_no_two_modules_import_each_other():
    graph: dict[str, set[str]] = {name: set() for name in MODULES}
    for found in IMPORTS:
        if found.target in MODULES:
            graph[found.module].add(found.target)
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError


def test_the_engine_knows_nothing_of_the_nodes():
    assert [str(found) for found in of("nodegraph") if is_from(found.target, ("nodes",))] == []


def test_node_modules_use_the_public_face_of_the_engine():
    inner = [
        str(found)
        for found in of("nodes")
        if found.target.startswith("nodegraph")
        and found.module.rpartition(".")[2] in ("nodes", "types")
        and found.target not in PUBLIC
    ]
    assert inner == []


def test_algorithms_know_nothing_of_the_engine():
    aware = [
        str(found)
        for found in of("nodes")
        if found.target.startswith("nodegraph")
        and found.module.rpartition(".")[2] not in ("nodes", "types")
        and found.target not in AWARE.get(found.module, set())
    ]
    assert aware == []


def test_the_list_of_modules_that_know_the_engine_is_no_longer_than_need_be():
    imported = {(found.module, found.target) for found in of("nodes")}
    allowed = {(module, target) for module, targets in AWARE.items() for target in targets}
    assert allowed - imported == set()


# --- what is imported late, or never --------------------------------------------------------------------


def test_diffusers_and_transformers_are_imported_inside_functions_of_nodes_only():
    assert [str(found) for found in of("nodegraph") if is_from(found.target, LATE)] == []
    assert [str(found) for found in of("nodes") if is_from(found.target, LATE) and not found.inside] == []


def test_the_engine_imports_torch_and_numpy_inside_functions_only():
    eager = [f for f in of("nodegraph") if is_from(f.target, ("torch", "numpy")) and not f.inside]
    assert [str(found) for found in eager] == []


def test_nothing_is_ever_pickled():
    assert [str(found) for found in IMPORTS if is_from(found.target, NEVER)] == []


def test_torch_files_are_read_with_weights_only():
    unsafe = [
        f"{name}:{node.lineno}"
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "torch.load"
        and not any(keyword.arg == "weights_only" for keyword in node.keywords)
    ]
    assert unsafe == []


def imported_by(statements: str) -> set[str]:
    """Top-level packages that a fresh interpreter has loaded after running some statements."""
    program = f"{statements}\nimport sys\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=120, check=True
    )
    return set(done.stdout.split())


def test_discovering_the_nodes_imports_neither_diffusers_nor_transformers():
    loaded = imported_by(
        "from nodegraph.registry import NodeRegistry\n"
        "registry = NodeRegistry.with_plugins()\n"
        "assert 'KSampler' in registry.ids() and not registry.problems\n"
        "[node.describe() for node in registry.nodes()]"
    )
    assert "torch" in loaded
    assert not loaded & set(LATE)


@pytest.mark.parametrize("module", ["nodegraph", "nodegraph.engine", "nodegraph.cli"])
def test_the_engine_is_imported_without_torch(module):
    assert not imported_by(f"import {module}") & {"torch", "numpy", *LATE}


# --- documentation --------------------------------------------------------------------------------------


def undocumented(name: str, tree: ast.AST) -> Iterator[str]:
    """Public classes, functions and methods without a docstring."""
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if node.name.startswith("_"):
            continue
        if not ast.get_docstring(node):
            yield f"{name}.{node.name}"
        if isinstance(node, ast.ClassDef):
            yield from undocumented(f"{name}.{node.name}", node)


def test_every_module_says_what_it_is():
    assert [name for name, tree in TREES.items() if not ast.get_docstring(tree)] == []


def test_every_public_name_has_a_docstring():
    assert [where for name, tree in TREES.items() for where in undocumented(name, tree)] == []

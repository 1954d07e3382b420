"""Start-up time is a feature: what a command does not need it does not import."""

import json
import subprocess
import sys

import pytest

PROGRAM = """
import io, json, sys
from contextlib import redirect_stdout, suppress
from nodegraph.cli import main
sys.argv = ["nodegraph", *json.loads(sys.argv[1])]
with redirect_stdout(io.StringIO()) as output, suppress(SystemExit):
    main()
assert output.getvalue()
print(json.dumps(sorted(sys.modules)))
"""
MODELS = {"diffusers", "transformers", "accelerate", "tokenizers"}
HEAVY = {"torch", "numpy", "PIL", "networkx", "asyncio", "sqlite3", *MODELS}
VALUES = {
    "format": "nodegraph",
    "version": 1,
    "nodes": {
        "one": {"type": "Integer", "inputs": {"value": 1}},
        "grey": {"type": "EmptyImage", "inputs": {"width": 8, "height": 8}},
        "show": {"type": "PreviewImage", "links": {"images": ["grey", "image"]}},
    },
}


def imported(*arguments):
    """Names of the modules that a command of a fresh process imports."""
    command = [sys.executable, "-c", PROGRAM, json.dumps(arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_help_imports_nothing_heavy():
    assert not imported("--help") & {*HEAVY, "pydantic"}


@pytest.mark.parametrize("arguments", [("run", "--help"), ("--version",)])
def test_nor_do_options_that_only_print(arguments):
    assert not imported(*arguments) & HEAVY  # typer itself reads the declaration of a command with pydantic


def test_listing_nodes_imports_no_model_library(home):
    found = imported("nodes")
    assert "torch" in found
    assert not found & MODELS


def test_running_nodes_without_a_model_imports_no_model_library(home):
    (home / "w.json").write_text(json.dumps(VALUES))
    assert not imported("run", str(home / "w.json")) & MODELS

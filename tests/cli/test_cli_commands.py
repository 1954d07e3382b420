import json
import subprocess
import sys

import pytest


def test_help_and_version_name_the_commands(cli):
    text = cli("--help").stdout
    assert all(
        command in text for command in ("run", "validate", "nodes", "import", "export", "cache", "models")
    )
    assert cli("--version").stdout.startswith("nodegraph 0.")


def test_help_imports_nothing_heavy():
    program = (
        "import sys, nodegraph.cli\n"
        "heavy = {'pydantic', 'torch', 'rich', 'numpy', 'networkx'} & sys.modules.keys()\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_listing_nodes_does_not_import_diffusers(home):
    program = (
        "import sys\n"
        "from nodegraph.console.catalogue import nodes_command\n"
        "nodes_command(None, as_json=False)\n"
        "sys.exit(', '.join({'diffusers', 'transformers'} & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "toy.Number" in done.stdout


def test_nodes_are_listed_by_category(cli):
    text = cli("nodes").stdout
    assert "\ntoy\n" in f"\n{text}"
    assert "  toy.Number" in text
    assert "A number that takes a moment." in text


def test_nodes_as_json_describes_each(cli):
    document = json.loads(cli("nodes", "--json").stdout)
    assert document["nodes"]["toy.Paint"]["terminal"] is True
    assert document["problems"] == []


def test_one_node_is_described(cli):
    text = cli("nodes", "toy.Number").stdout
    assert text.startswith("toy.Number (version 1, toy, pack toy)")
    assert "default 1; at least 0; at most 255" in text
    assert "the number." in text
    assert json.loads(cli("nodes", "toy.Number", "--json").stdout)["inputs"]["value"]["default"] == 1


def test_an_unknown_node_brings_the_nearest_names(cli):
    result = cli("nodes", "toy.numbr")
    assert result.exit_code == 2
    assert "Did you mean toy.Number?" in result.stderr


def test_a_broken_pack_is_reported_and_the_others_load(cli, home):
    (home / "home" / "plugins" / "broken.py").write_text("raise RuntimeError('not today')")
    result = cli("nodes")
    assert result.exit_code == 0
    assert "toy.Number" in result.stdout
    assert "pack broken did not load" in result.stderr
    assert "not today" in result.stderr


def test_validate_lists_every_issue(cli, painting, save):
    assert cli("validate", painting).stdout.strip().endswith("w.json: valid, 2 nodes")
    broken = save(
        "b.json",
        number=("Number", {"value": 999, "typo": 1}, {}),
        paint=("Paint", {}, {"value": ["gone", "int"]}),
    )
    result = cli("validate", broken)
    assert result.exit_code == 2
    assert all(place in result.stdout for place in ("number.value", "number.typo", "paint.value", "3 issues"))
    document = json.loads(cli("validate", broken, "--json").stdout)
    assert document["valid"] is False
    assert {issue["input"] for issue in document["issues"]} == {"value", "typo"}


def test_validate_tells_unreadable_files(cli, home):
    (home / "x.json").write_text("[")
    assert cli("validate", "x.json").exit_code == 2
    document = json.loads(cli("validate", "x.json", "--json").stdout)
    assert "not valid JSON" in document["error"]["message"]


def test_import_and_export_are_inverse(cli, home):
    comfy = {
        "3": {"inputs": {"value": 7, "note": ""}, "class_type": "toy.Number", "_meta": {"title": "N"}},
        "4": {"inputs": {"value": ["3", 0], "name": "picture"}, "class_type": "toy.Paint"},
    }
    (home / "comfy.json").write_text(json.dumps(comfy))
    assert cli("import", "comfy.json", "-o", "own.json").stdout.strip() == "own.json"
    own = json.loads((home / "own.json").read_text())
    assert own["nodes"]["4"]["links"] == {"value": ["3", "int"]}
    assert json.loads(cli("export", "own.json").stdout) == comfy
    assert cli("export", "own.json", "-o", "again.json").exit_code == 0
    assert json.loads((home / "again.json").read_text()) == comfy


def test_export_says_what_cannot_be_expressed(cli, home):
    document = {"format": "nodegraph", "version": 1, "nodes": {"a": {"type": "subgraph/s"}}}
    (home / "w.json").write_text(json.dumps(document))
    result = cli("export", "w.json")
    assert result.exit_code == 2
    assert "nodes.a" in result.stderr


def test_the_cache_is_counted_checked_and_cleared(cli, painting, home):
    assert "0 results" in cli("cache", "info").stdout
    cli("run", painting)
    info = json.loads(cli("cache", "info", "--json").stdout)
    assert info["entries"] == 2
    assert info["bytes"] > 0
    assert "2 results intact, 0 damaged" in cli("cache", "verify").stdout
    assert "removed 2 results" in cli("cache", "clear").stdout
    assert json.loads(cli("cache", "info", "--json").stdout)["entries"] == 0


def test_a_damaged_result_is_found_and_removed(cli, painting, home):
    cli("run", painting)
    entry = next((home / "cache" / "results").rglob("*.json"))
    entry.write_bytes(entry.read_bytes()[:-9] + b"#" + entry.read_bytes()[-8:])
    result = cli("cache", "verify")
    assert result.exit_code == 1
    assert "1 result intact, 1 damaged" in result.stdout
    assert cli("cache", "verify").exit_code == 0


def test_models_are_listed_by_kind(cli, home):
    (home / "more" / "upscalers").mkdir(parents=True)
    (home / "more" / "upscalers" / "x2.safetensors").touch()
    assert "upscalers\n  x2.safetensors\n" in cli("models", "list", "--models", "more").stdout
    assert json.loads(cli("models", "list", "--models", "more", "--json").stdout)["upscalers"] == [
        "x2.safetensors"
    ]


@pytest.mark.parametrize("arguments", [[], ["cache"], ["models"]])
def test_without_a_command_help_is_shown(cli, arguments):
    result = cli(*arguments)
    assert result.exit_code == 2
    assert "Commands" in result.stdout + result.stderr

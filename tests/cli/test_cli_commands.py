import json
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file


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
    assert "Did you mean one of these?\n  toy.Number  A number that takes a moment.\n" in result.stderr


def test_a_part_of_a_name_brings_the_nodes_that_have_it(cli):
    result = cli("nodes", "vae")
    assert result.exit_code == 2
    assert [line.split()[0] for line in result.stderr.splitlines()[1:]] == [
        "VAEDecode",
        "VAEDecodeTiled",
        "VAEEncode",
        "VAEEncodeForInpaint",
        "VAEEncodeTiled",
        "VAELoader",
    ]


def test_a_name_like_no_other_brings_the_command_that_lists_them(cli):
    assert "no node 'xyzzy'; nodegraph nodes lists them all" in cli("nodes", "xyzzy").stderr


def test_a_broken_pack_is_reported_and_the_others_load(cli, home):
    (home / "home" / "plugins" / "broken.py").write_text("raise RuntimeError('not today')")
    result = cli("nodes")
    assert result.exit_code == 0
    assert "toy.Number" in result.stdout
    place = home / "home" / "plugins" / "broken.py"
    assert result.stderr == f"the pack broken did not load:\n  {place}:1: RuntimeError: not today\n"


def test_every_wrong_declaration_of_a_pack_is_reported_once_with_its_place(cli, home):
    plugin = home / "home" / "plugins" / "broken.py"
    plugin.write_text(
        "from nodegraph import node\n\n"
        "@node()\ndef One(a) -> int:\n    return 1\n\n"
        "@node()\ndef Good(a: int) -> int:\n    return 1\n\n"
        "@node\ndef Two(a: int) -> int:\n    return 1\n\n"
        "@node()\ndef Three(a: int = 'x') -> int:\n    return 1\n"
    )
    result = cli("nodes")
    first, *places = result.stderr.splitlines()
    assert first == "the pack broken did not load:"
    assert [place.strip().partition(": node ")[0] for place in places] == [
        f"{plugin}:{line}" for line in (3, 11, 15)
    ]
    assert "broken.Good" not in result.stdout
    assert "Declaration" not in result.stderr
    problems = json.loads(cli("nodes", "--json").stdout)["problems"]
    assert [problem["place"] for problem in problems] == [f"{plugin}:{line}" for line in (3, 11, 15)]


def test_a_pack_that_did_not_load_is_told_only_where_it_matters(cli, home, painting, save):
    (home / "home" / "plugins" / "broken.py").write_text("raise RuntimeError('not today')")
    for arguments in (
        ["run", painting],
        ["validate", painting],
        ["export", painting],
        ["nodes", "toy.Number"],
    ):
        assert cli(*arguments).stderr == ""
    assert "not today" in cli("nodes", "broken.Thing").stderr
    assert "not today" in cli("models", "list").stderr
    document = json.loads(painting.read_text())
    document["nodes"]["number"]["type"] = "broken.Number"
    painting.write_text(json.dumps(document))
    assert cli("run", painting).stderr.count("not today") == 1
    assert cli("import", painting).stderr.count("not today") == 1


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


def test_validate_tells_of_keys_that_mean_nothing_but_calls_the_workflow_valid(cli, painting):
    document = json.loads(painting.read_text())
    document["nodes"]["paint"]["input"] = {"name": "x"}
    painting.write_text(json.dumps(document))
    result = cli("validate", painting)
    assert result.exit_code == 0
    warning, outcome = result.stdout.strip().splitlines()
    assert warning.startswith("warning: paint: the node has a key 'input'")
    assert "Did you mean 'inputs'" in warning
    assert outcome.endswith("w.json: valid, 2 nodes, 1 warning")
    told = json.loads(cli("validate", painting, "--json").stdout)
    assert told["valid"] is True
    assert [(issue["code"], issue["severity"]) for issue in told["issues"]] == [("unknown_key", "warning")]


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


@pytest.mark.parametrize(
    "command", [["cache", "info"], ["cache", "clear"], ["validate", "w.json"], ["run", "w.json"]]
)
def test_a_cache_folder_that_is_a_file_is_refused(cli, painting, home, command):
    (home / "file").touch()
    result = cli(*command, "--cache-dir", "file")
    assert result.exit_code == 2
    assert "the cache folder file is not a folder" in result.stderr


def test_a_damaged_result_is_found_and_removed(cli, painting, home):
    cli("run", painting)
    entry = next((home / "cache" / "results").rglob("*.json"))
    entry.write_bytes(entry.read_bytes()[:-9] + b"#" + entry.read_bytes()[-8:])
    result = cli("cache", "verify")
    assert result.exit_code == 1
    assert "1 result intact, 1 damaged" in result.stdout
    assert cli("cache", "verify").exit_code == 0


def test_models_are_listed_by_kind_with_what_they_are(cli, home):
    (home / "more" / "upscalers").mkdir(parents=True)
    (home / "more" / "upscalers" / "x2.safetensors").touch()
    listed = cli("models", "list", "--models", "more").stdout
    assert "upscalers\n  x2.safetensors  0 B\n" in listed
    assert "checkpoints\n  emoji-sd  sd  F16  " in listed
    (row,) = json.loads(cli("models", "list", "--models", "more", "--json").stdout)["upscalers"]
    assert (row["name"], row["bytes"], row["digest"]) == ("x2.safetensors", 0, "")


def test_a_model_in_two_files_is_listed_as_one(cli, home):
    (home / "more" / "vae_approx").mkdir(parents=True)
    for half in ("encoder", "decoder"):
        weights = {"x": np.zeros(8, dtype=np.float32)}
        save_file(weights, home / "more" / "vae_approx" / f"taesd_{half}.safetensors")
    (row,) = json.loads(cli("models", "list", "--models", "more", "--json").stdout)["vae"]
    files = sorted((home / "more" / "vae_approx").iterdir())
    assert (row["name"], row["bytes"]) == ("taesd", sum(file.stat().st_size for file in files))
    assert row["dtypes"] == ["F32"]
    assert "'taesd_encoder.safetensors' and 'taesd_decoder.safetensors' cannot be loaded" in row["problem"]
    verified = cli("models", "verify", "--models", "more", "--json")
    assert verified.exit_code == 2
    assert len(json.loads(verified.stdout)["vae"][0]["digest"]) == 64


def test_models_are_verified_with_their_digests(cli, home):
    result = cli("models", "verify", "--json")
    assert result.exit_code == 0
    (row,) = json.loads(result.stdout)["checkpoints"]
    assert (row["name"], row["family"], row["problem"], len(row["digest"])) == ("emoji-sd", "sd", "", 64)
    (home / "more" / "vae").mkdir(parents=True)
    (home / "more" / "vae" / "bad.safetensors").write_bytes(b"no weights")
    result = cli("models", "verify", "--models", "more")
    assert result.exit_code == 2
    assert "'bad.safetensors' cannot be used: it is not a readable safetensors file" in result.stdout


def test_models_in_the_folders_of_another_program(cli, home):
    (home / "webui" / "models" / "Stable-diffusion").mkdir(parents=True)
    (home / "webui" / "models" / "Stable-diffusion" / "mine.safetensors").touch()
    paths = "a111:\n  base_path: webui\n  checkpoints: models/Stable-diffusion\n"
    (home / "extra_model_paths.yaml").write_text(paths)
    for given in ("extra_model_paths.yaml", "webui", "webui/models"):
        assert "\n  mine.safetensors" in cli("models", "list", "--models", given).stdout
    (home / "extra_model_paths.yaml").write_text("- a list")
    result = cli("models", "list", "--models", "extra_model_paths.yaml")
    assert result.exit_code == 2
    assert "does not name folders as ComfyUI's extra_model_paths.yaml does" in result.stderr


@pytest.mark.parametrize("folder", ["more/gan", "more/../more/gan"])
def test_the_folder_of_one_kind_of_models_is_refused_with_the_one_that_is_meant(cli, home, folder):
    (home / "more" / "gan").mkdir(parents=True)
    result = cli("models", "list", "--models", folder)
    assert result.exit_code == 2
    assert f"the folder that holds it: --models {folder.removesuffix('/gan')}\n" in result.stderr
    assert cli("models", "list", "--models", "more").exit_code == 0
    (home / "more" / "gan" / "gan").mkdir()
    assert cli("models", "list", "--models", folder).exit_code == 0


@pytest.mark.parametrize("arguments", [[], ["cache"], ["models"]])
def test_without_a_command_help_is_shown(cli, arguments):
    result = cli(*arguments)
    assert result.exit_code == 2
    assert "Commands" in result.stdout + result.stderr


def test_export_writes_a_program(cli, home):
    (home / "n.json").write_text(
        json.dumps({"format": "nodegraph", "version": 1, "nodes": {"t": {"type": "Text"}}})
    )
    result = cli("export", "n.json", "--format", "python", "-o", "n.py")
    assert (result.exit_code, result.stdout.strip()) == (0, "n.py")
    assert "t = Text.node()" in (home / "n.py").read_text().splitlines()

"""What is hostile or careless ends in one line, and never among the answers."""

import json
import os
import subprocess
import sys

import pytest

CHATTY = '''
import os
from nodegraph import node
print("printed at import")

@node(terminal=True)
def Chatty(x: int = 1) -> int:
    """Prints, and goes elsewhere."""
    print("printed by a node")
    os.chdir("/")
    return x
'''


def test_what_packs_and_nodes_print_is_not_among_the_answers(home):
    (home / "home" / "plugins" / "chatty.py").write_text(CHATTY)
    document = {"format": "nodegraph", "version": 1, "nodes": {"a": {"type": "chatty.Chatty"}}}
    (home / "w.json").write_text(json.dumps(document))
    command = [sys.executable, "-m", "nodegraph", "run", "w.json", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=home, env={**os.environ})
    assert json.loads(done.stdout)["status"] == "done"
    assert "printed at import" in done.stderr
    assert "printed by a node" in done.stderr


def test_a_file_name_that_is_no_utf_8_is_a_name_like_any_other(home, painting):
    name = os.fsencode(home) + b"/\xff.json"
    os.rename(painting, name)  # noqa: PTH104 - pathlib takes no bytes
    command = [sys.executable, "-m", "nodegraph", "run", name]
    done = subprocess.run(command, capture_output=True, check=False, cwd=home, env={**os.environ})
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)


def test_a_sweep_without_measure_is_refused_at_once(cli, painting):
    values = ",".join(str(n % 256) for n in range(1200))
    result = cli("run", painting, "--set", f"number.value={values}", "--grid")
    assert result.exit_code == 2
    assert "1200 runs" in result.stderr


@pytest.mark.parametrize(
    "command",
    [["run"], ["validate"], ["validate", "--json"], ["export"], ["run", "--set", "number.value=300"]],
)
def test_a_terminal_does_not_obey_the_ids_of_nodes(cli, home, command):
    evil = "\x1b]0;owned\x07\x9b31m\u202e"
    nodes = {
        evil: {"type": "toy.Numbre" + evil, "links": {evil: [evil, evil]}},
        "number": {"type": "toy.Number", "inputs": {evil: evil}},
        "paint": {"type": "toy.Paint", "inputs": {"name": evil}, "links": {"value": ["number", "int"]}},
    }
    (home / "w.json").write_text(json.dumps({"format": "nodegraph", "version": 1, "nodes": nodes}))
    result = cli(command[0], home / "w.json", *command[1:])
    assert not set(evil) & set("\x1b\x07\x9b\u202e") & set(result.output), result.output
    assert r"\u001b" in result.output or r"\x1b" in result.output


def test_a_name_of_a_picture_holds_no_control_characters(cli, painting):
    result = cli("run", painting, "--set", 'paint.name="\\u001b[31m"')
    assert result.exit_code == 1
    assert "holds characters that no file's name should" in result.stderr


def test_an_answer_that_the_encoding_has_no_letters_for_is_spelt(painting, home):
    name = os.fsencode(home) + b"/\xff.json"
    os.rename(painting, name)  # noqa: PTH104 - pathlib takes no bytes
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "nodegraph", "validate", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert r"\udcff.json: valid" in done.stdout

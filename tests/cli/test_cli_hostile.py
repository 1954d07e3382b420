"""What is hostile or careless ends in one line, and never among the answers."""

import json
import os
import subprocess
import sys

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

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from nodegraph.console.report import duration


def paths_in(text):
    return [Path(line) for line in text.splitlines() if line.endswith(".png")]


def opened(path):
    with Image.open(path) as picture:
        picture.load()
        return picture


def test_prints_the_path_and_where_results_came_from(cli, painting, home):
    first = cli("run", painting)
    assert first.exit_code == 0, first.stderr
    (path,) = paths_in(first.stdout)
    assert path.is_absolute()
    assert path.parent == home / "output"
    assert opened(path).getpixel((0, 0)) == (9, 9, 9)
    assert first.stdout.splitlines()[-1].startswith("2 nodes: 2 ran · ")


def test_a_second_run_says_that_every_node_came_from_disk(cli, painting):
    first, second = cli("run", painting), cli("run", painting)
    assert second.exit_code == 0
    assert "every node came from disk" in second.stdout
    assert paths_in(second.stdout) == paths_in(first.stdout)


def test_only_what_follows_a_change_runs_again(cli, painting):
    cli("run", painting)
    changed = cli("run", painting, "--set", "paint.name=other")
    assert "2 nodes: 1 ran, 1 from disk" in changed.stdout


def test_json_is_one_object_with_the_promised_keys(cli, painting):
    document = json.loads(cli("run", painting, "--json").stdout)
    assert list(document) == ["status", "outputs", "executed", "nodes", "issues", "error"]
    assert document["status"] == "done"
    assert document["executed"] == 2
    assert [Path(path).name for path in document["outputs"]] == ["picture_00001.png"]
    assert document["nodes"]["number"].keys() == {"type", "origin", "seconds"}
    assert document["nodes"]["number"]["type"] == "toy.Number"
    assert document["nodes"]["number"]["seconds"] >= 0.05
    assert (document["issues"], document["error"]) == ([], None)
    again = json.loads(cli("run", painting, "--json").stdout)
    assert again["executed"] == 0
    assert {node["origin"] for node in again["nodes"].values()} == {"disk"}


def test_settings_reach_the_node(cli, painting):
    result = cli("run", painting, "--set", "number.value=200", "--set", "paint.name=bright")
    (path,) = paths_in(result.stdout)
    assert path.name == "bright_00001.png"
    assert opened(path).getpixel((0, 0)) == (200, 200, 200)


def test_out_says_where_pictures_go(cli, painting, home):
    (path,) = paths_in(cli("run", painting, "--out", home / "elsewhere").stdout)
    assert path.parent == home / "elsewhere"


def test_a_key_that_means_nothing_is_a_warning_beside_the_result(cli, painting):
    document = json.loads(painting.read_text())
    document["nodes"]["number"]["input"] = {"value": 3}
    painting.write_text(json.dumps(document))
    result = cli("run", painting)
    assert result.exit_code == 0
    assert "warning: number: the node has a key 'input'" in result.stderr
    assert cli("run", painting, "--quiet").stderr == ""
    (issue,) = json.loads(cli("run", painting, "--json").stdout)["issues"]
    assert (issue["code"], issue["severity"]) == ("unknown_key", "warning")
    sweep = cli("run", painting, "--grid", "--set", "number.value=1,2")
    assert (sweep.exit_code, sweep.stderr.count("means nothing")) == (0, 1)


def test_an_invalid_workflow_tells_its_warnings_as_well(cli, painting):
    document = json.loads(painting.read_text())
    document["nodes"]["paint"]["link"] = document["nodes"]["paint"].pop("links")
    painting.write_text(json.dumps(document))
    result = cli("run", painting)
    assert result.exit_code == 2
    assert "invalid workflow, 1 issue, 1 warning:" in result.stderr
    assert "warning: paint: the node has a key 'link'" in result.stderr


def test_quiet_prints_paths_only(cli, painting):
    result = cli("run", painting, "--quiet")
    assert len(result.stdout.splitlines()) == 1
    assert result.stderr == ""


def test_explain_says_why_each_node_ran(cli, painting):
    assert "number: miss: new node" in cli("run", painting, "--explain").stdout
    assert "paint: hit: on disk" in cli("run", painting, "--explain").stdout
    changed = cli("run", painting, "--explain", "--json", "--set", "number.value=3")
    nodes = json.loads(changed.stdout)["nodes"]
    assert nodes["number"]["explanation"] == "miss: input value changed"
    assert nodes["paint"]["explanation"] == "miss: input value changed"
    cli("cache", "clear")
    cleared = cli("run", painting, "--explain", "--set", "number.value=3").stdout
    assert "number: miss: evicted: it was on disk, and is gone" in cleared


def test_explain_tells_of_the_iterations_of_a_loop(cli, home):
    body = {
        "inputs": {"value": [["number", "value"]]},
        "outputs": {"value": ["number", "int"]},
        "nodes": {"number": {"type": "toy.Number"}},
    }
    nodes = {
        "loop": {"type": "Repeat", "inputs": {"body": "same", "value": 7, "times": 1}},
        "paint": {"type": "toy.Paint", "links": {"value": ["loop", "value"]}},
    }
    document = {"format": "nodegraph", "version": 1, "nodes": nodes, "subgraphs": {"same": body}}
    (home / "w.json").write_text(json.dumps(document))
    assert "0 of 1 iteration from the cache" in cli("run", "w.json", "--explain").stdout
    more = cli("run", "w.json", "--explain", "--set", "loop.times=2", "--set", "loop/number.note=x")
    assert "loop: miss: input body, times changed; 0 of 2 iterations from the cache" in more.stdout
    more = cli("run", "w.json", "--explain", "--set", "loop.times=3", "--set", "loop/number.note=x")
    assert "loop: miss: input times changed; 2 of 3 iterations from the cache" in more.stdout


def test_a_cache_folder_can_be_named(cli, painting, home):
    cli("run", painting, "--cache-dir", home / "other")
    assert "2 ran" in cli("run", painting).stdout
    assert "every node came from disk" in cli("run", painting, "--cache-dir", home / "other").stdout


def test_a_comfyui_file_runs(cli, home):
    nodes = {
        "3": {"class_type": "toy.Number", "inputs": {"value": 7}, "_meta": {"title": "N"}},
        "4": {"class_type": "toy.Paint", "inputs": {"value": ["3", 0]}},
    }
    (home / "comfy.json").write_text(json.dumps(nodes))
    (path,) = paths_in(cli("run", "comfy.json", "--set", "3.value=8").stdout)
    assert opened(path).getpixel((0, 0)) == (8, 8, 8)


def test_a_saved_picture_carries_its_workflow_and_reruns(cli, painting):
    first = cli("run", painting)
    (path,) = paths_in(first.stdout)
    assert json.loads(opened(path).text["prompt"])["number"]["inputs"] == {"value": 9, "note": ""}
    painting.unlink()
    assert "every node came from disk" in cli("run", path).stdout
    (changed,) = paths_in(cli("run", path, "--set", "number.value=10").stdout)
    assert opened(changed).getpixel((0, 0)) == (10, 10, 10)


def test_metadata_can_be_left_out(cli, painting):
    (path,) = paths_in(cli("run", painting, "--no-metadata").stdout)
    assert opened(path).text == {}
    result = cli("run", path)
    assert result.exit_code == 2
    assert "carries no workflow" in result.stderr


def test_a_sweep_runs_every_combination_and_draws_a_sheet(cli, painting, home):
    result = cli("run", painting, "--set", "number.value=1,5,9", "--set", "paint.name=a,b", "--grid")
    assert result.exit_code == 0, result.stderr
    paths = paths_in(result.stdout)
    assert [path.name for path in paths[:2]] == ["a_00001.png", "b_00001.png"]
    assert len(paths) == 7
    sheet = opened(paths[-1])
    assert paths[-1].name == "grid_00001.png"
    assert sheet.width < 3 * 40 < sheet.height
    assert "value=5, name=b: 2 nodes: 1 ran, 1 from memory" in result.stdout


def test_a_sweep_prints_one_object(cli, painting):
    result = cli("run", painting, "--set", "number.value=1,5", "--grid", "--json")
    document = json.loads(result.stdout)
    assert list(document)[:6] == ["status", "outputs", "executed", "nodes", "issues", "error"]
    assert document["executed"] == 4
    assert len(document["outputs"]) == 3
    assert [run["executed"] for run in document["runs"]] == [2, 2]


def test_a_mistake_in_a_sweep_is_found_before_anything_runs(cli, painting, home):
    result = cli("run", painting, "--set", "number.value=1,999", "--grid")
    assert result.exit_code == 2
    assert "at most 255" in result.stderr
    assert not (home / "output").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--set", "number.value=999"], "number.value: "),
        (["--set", "number.valu=1"], "Did you mean 'value'"),
        (["--set", "nobody.value=1"], "no node 'nobody'; there are: number, paint"),
        (["--set", "nonsense"], "node.input=value"),
        (["--grid"], "--grid needs a --set with several values"),
        (["--models", "nowhere"], "nowhere is not a folder"),
        (["--device", "abacus"], "abacus"),
        (["--unheard-of"], "No such option"),
    ],
)
def test_wrong_use_exits_with_two_and_plain_words(cli, painting, arguments, says):
    result = cli("run", painting, *arguments)
    assert result.exit_code == 2, result.stderr
    assert says in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not valid JSON at line 1"),
        ("{}", "format: is missing"),
        ('{"format": "nodegraph", "version": 1, "nodes": {"a": {"type": "toy.Numbr"}}}', "toy.Number"),
        ('{"nodes": [], "links": []}', "nothing would come out"),
    ],
)
def test_broken_files_exit_with_two(cli, home, text, says):
    (home / "broken.json").write_text(text)
    result = cli("run", "broken.json")
    assert result.exit_code == 2
    assert says in result.stderr
    document = json.loads(cli("run", "broken.json", "--json").stdout)
    assert document["status"] == "invalid"
    assert says in str(document["issues"] or document["error"])


def test_a_missing_file_exits_with_two(cli):
    result = cli("run", "gone.json")
    assert result.exit_code == 2
    assert "gone.json: cannot be read: No such file" in result.stderr


def test_a_failing_node_is_named_without_a_traceback(cli, save):
    file = save(
        number=("Number", {}, {}),
        bad=("Fail", {}, {"value": ["number", "int"]}),
        paint=("Paint", {}, {"value": ["bad", "int"]}),
    )
    result = cli("run", file)
    assert result.exit_code == 1
    assert "node bad (toy.Fail) failed" in result.stderr
    assert "no luck today" in result.stderr
    assert "value = 1" in result.stderr
    assert "Traceback" not in result.stderr
    assert "Traceback" in cli("run", file, "--traceback").stderr
    document = json.loads(cli("run", file, "--json").stdout)
    assert document["status"] == "failed"
    assert document["error"]["node"] == "bad"
    assert "RuntimeError" in document["error"]["traceback"]


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


def test_ctrl_c_cancels_a_run(save, home):
    mark = home / "started"
    file = save(
        slow=("Slow", {"value": 1, "mark": str(mark)}, {}), paint=("Paint", {}, {"value": ["slow", "int"]})
    )
    command = [sys.executable, "-m", "nodegraph", "run", str(file), "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    ) as run:
        wait_for(mark.exists)
        run.send_signal(signal.SIGINT)
        stdout, stderr = run.communicate(timeout=60)
    assert run.returncode == 1
    assert json.loads(stdout)["status"] == "cancelled"
    assert "Traceback" not in stderr


@pytest.mark.parametrize(("seconds", "text"), [(0.04, "0.0 s"), (1.23, "1.2 s"), (185.2, "3 min 5 s")])
def test_durations_read_as_people_say_them(seconds, text):
    assert duration(seconds) == text

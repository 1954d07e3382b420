"""``--set`` for nodes inside subgraphs and loops, by the ids that messages give them."""

import json

import pytest
from PIL import Image

from nodegraph.workflow import read_workflow

ADD_TWO = {
    "inputs": {"x": [["first", "value"]], "note": [["first", "note"], ["second", "note"]]},
    "outputs": {"sum": ["second", "int"]},
    "nodes": {
        "first": {"type": "toy.Plus", "inputs": {"by": 1}},
        "second": {"type": "toy.Plus", "inputs": {"by": 1}, "links": {"value": ["first", "int"]}},
    },
}
ADD_FOUR = {
    "inputs": {"x": [["one", "x"]]},
    "outputs": {"sum": ["two", "sum"]},
    "nodes": {
        "one": {"type": "subgraph/add_two"},
        "two": {"type": "subgraph/add_two", "links": {"x": ["one", "sum"]}},
    },
}
PLUS = '''

@node(category="toy")
def Plus(value: int = 0, by: int = 1, note: str = "") -> int:
    """Add."""
    return value + by
'''


@pytest.fixture
def home(home):
    plugin = home / "home" / "plugins" / "toy.py"
    plugin.write_text(plugin.read_text() + PLUS)
    return home


@pytest.fixture
def write(home):
    """Writes a workflow that paints a picture as bright as the result of its last node."""

    def write(nodes, output="sum", subgraphs=None):
        paint = {"type": "toy.Paint", "links": {"value": [list(nodes)[-1], output]}}
        document = {"format": "nodegraph", "version": 1, "nodes": {**nodes, "paint": paint}}
        subgraphs = subgraphs or {"add_two": ADD_TWO, "add_four": ADD_FOUR}
        (home / "w.json").write_text(json.dumps({**document, "subgraphs": subgraphs}))

    return write


@pytest.fixture
def result(cli):
    """Runs the workflow with settings; the number that comes out."""

    def run(*settings):
        done = cli("run", "w.json", "--quiet", *(part for text in settings for part in ("--set", text)))
        assert done.exit_code == 0, done.stderr
        return brightness(done.stdout.strip())

    return run


def brightness(path):
    with Image.open(path) as picture:
        return picture.getpixel((0, 0))[0]


def sub(name, **links):
    return {"type": f"subgraph/{name}", "links": links}


PAIR = {"a": sub("add_two"), "b": sub("add_two", x=["a", "sum"])}


def test_an_inner_input_is_set_in_that_instance_alone(write, result):
    write(PAIR)
    assert result() == 4
    assert result("a/first.by=10") == 13
    assert result("a/first.by=10", "b/first.by=100", "a/second.by=0") == 111


def test_subgraphs_in_subgraphs_are_reached_one_by_one(write, result):
    write({"a": sub("add_four"), "b": sub("add_four", x=["a", "sum"])})
    assert result() == 8
    assert result("a/one/first.by=10") == 17
    assert result("a/one/first.by=10", "b/two/first.by=100") == 116


def test_what_fed_the_inner_input_from_outside_no_longer_does_there(write, result):
    write({"n": {"type": "toy.Number", "inputs": {"value": 50}}, "a": sub("add_two", x=["n", "int"])})
    assert result() == 52
    assert result("a/first.value=3") == 5


def test_an_inner_wire_is_replaced(write, result):
    write(PAIR)
    assert result("b/second.value=7") == 8


def test_an_input_of_an_inner_subgraph_node_is_set(write, result):
    write({"a": sub("add_four")})
    assert result("a/two.x=100") == 102


def test_an_outer_input_takes_text_as_the_inner_one_does(write, result):
    write(PAIR)
    assert result("a.note=123", "b/first.note=true") == 4


def test_the_body_of_a_loop_is_set_for_all_iterations_of_that_loop_alone(write, result, cli):
    loop = {"type": "Repeat", "inputs": {"body": "add_two", "times": 3}}
    nodes = {
        "start": {"type": "toy.Plus"},
        "a": {**loop, "links": {"value": ["start", "int"]}},
        "b": {**loop, "links": {"value": ["a", "value"]}},
    }
    body = {**ADD_TWO, "inputs": {"value": ADD_TWO["inputs"]["x"]}, "outputs": {"value": ["second", "int"]}}
    write(nodes, "value", {"add_two": body})
    assert result() == 13
    assert result("a/first.by=10") == 40
    iteration = cli("run", "w.json", "--set", "a/first-2.by=10")
    assert iteration.exit_code == 2
    assert "'a/first' is that node in all of them" in iteration.stderr


def test_a_node_inside_may_be_swept(cli, write):
    write(PAIR)
    done = cli("run", "w.json", "--json", "--grid", "--set", "a/first.by=1,10", "--set", "b/first.by=5")
    assert done.exit_code == 0, done.stderr
    assert [brightness(run["outputs"][0]) for run in json.loads(done.stdout)["runs"]] == [8, 17]


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("a/third.by=1", "no node 'a/third'; inside 'a' there are: first, second"),
        ("a/first/x.by=1", "'a/first' has no nodes inside"),
        ("c/first.by=1", "no node 'c/first'; there are: a, b, paint"),
        ("a/first.by=1,2", "to run once with each of 1, 2, add --grid"),
        ("a/first.by=x", "a/first.by: by is 'x', but int is expected"),
    ],
)
def test_a_mistake_is_told_with_what_would_do(cli, write, setting, says):
    write(PAIR)
    done = cli("run", "w.json", "--set", setting)
    assert done.exit_code == 2
    assert says in done.stderr


def test_a_node_that_two_bodies_have_must_be_named_clearly(cli, write, home):
    plugin = home / "home" / "plugins" / "toy.py"
    two = "\nfrom nodegraph import Body\n\n@node()\ndef Two(one: Body, other: Body) -> int:\n    return 1\n"
    plugin.write_text(plugin.read_text() + two)
    write({"both": {"type": "toy.Two", "inputs": {"one": "add_two", "other": "add_two"}}}, "int")
    done = cli("run", "w.json", "--set", "both/first.by=3")
    assert done.exit_code == 2
    assert "'both/first' may be a node of any of these: one, other; rename it in one of them" in done.stderr


def test_a_subgraph_that_contains_itself_is_an_issue_as_ever(cli, write):
    again = {"inputs": {"x": [["inner", "x"]]}, "outputs": {"sum": ["inner", "sum"]}}
    write({"a": sub("again")}, subgraphs={"again": {**again, "nodes": {"inner": sub("again")}}})
    for setting in ("a.x=1", "a/inner/inner.x=1"):
        done = cli("run", "w.json", "--set", setting)
        assert done.exit_code == 2
        assert "contains itself" in done.stderr


def test_the_picture_of_a_changed_instance_carries_the_change(cli, write, home):
    write(PAIR)
    path = cli("run", "w.json", "--quiet", "--set", "a/first.by=40").stdout.strip()
    assert "every node came from disk" in cli("run", path).stdout
    cli("import", path, "-o", "changed.json")
    subgraphs = read_workflow(home / "changed.json").subgraphs
    assert [subgraphs[name].nodes["first"].inputs["by"] for name in ("add_two", "add_two_2")] == [1, 40]

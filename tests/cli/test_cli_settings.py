from __future__ import annotations

import shlex
from typing import Any, Literal

import pytest

from nodegraph import node
from nodegraph.console.errors import UsageError
from nodegraph.console.settings import parse_settings, variants
from nodegraph.console.values import split_list
from nodegraph.handles import Link
from nodegraph.registry import NodeRegistry
from nodegraph.workflow import NodeEntry, Workflow


@node()
def Prompt(
    text: str = "",
    steps: int = 1,
    cfg: float = 1.0,
    words: list[str] | None = None,
    any: Any = 0,
    kind: Literal["round", "square"] = "round",
) -> int:
    """Prompt."""
    return steps


@pytest.fixture
def registry():
    registry = NodeRegistry()
    registry.add(Prompt)
    return registry


@pytest.fixture
def workflow():
    linked = NodeEntry(type="Prompt", inputs={"cfg": 2.0}, links={"steps": Link("b.c", "int")})
    return Workflow(nodes={"a": linked, "b.c": NodeEntry(type="Prompt"), "x": NodeEntry(type="Unknown")})


def values(text, workflow, registry, sweep=False):
    ((setting,)) = parse_settings([text], workflow, registry, sweep=sweep)
    return setting.values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.steps=20", 20),
        ("a.cfg=7.5", 7.5),
        ("a.cfg=1,x", "1,x"),
        ("a.kind=round", "round"),
        ("a.text=a cat", "a cat"),
        ("a.text=a=b, c", "a=b, c"),
        ("a.text=123", "123"),
        ("a.text=true", "true"),
        ('a.text="quoted"', "quoted"),
        ("a.text=", ""),
        ('a.words=["x", "y"]', ["x", "y"]),
        ("a.words=null", None),
        ("a.any=123", 123),
        ("x.whatever=123", 123),
        ("a.typo=123", 123),
        ("b.c.steps=3", 3),
        ("a.cfg=NaN", "NaN"),
    ],
)
def test_a_value_is_json_or_text_as_the_input_takes_it(workflow, registry, text, value):
    assert values(text, workflow, registry) == (value,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.cfg=1,5,7.5", (1, 5, 7.5)),
        ("a.text=a cat, a dog", ("a cat", "a dog")),
        ('a.text="a cat, black",a dog', ("a cat, black", "a dog")),
        ('a.words=["x","y"],null', (["x", "y"], None)),
        ("a.steps=3", (3,)),
    ],
)
def test_a_sweep_takes_comma_lists(workflow, registry, text, expected):
    assert values(text, workflow, registry, sweep=True) == expected


@pytest.mark.parametrize(
    "text", ["a.cfg=1,5,7.5", "a.steps= 2, 3", "a.kind=round,square", "a.words=null,null"]
)
def test_a_list_without_grid_is_refused_with_a_hint_where_one_value_is_wanted(workflow, registry, text):
    with pytest.raises(UsageError, match=r"takes one value; to run once with each of .*, add --grid"):
        parse_settings([text], workflow, registry, sweep=False)


@pytest.mark.parametrize(
    ("text", "sweep", "hint"),
    [
        ("a.cfg=[1,5]", False, "each of 1, 5, write --set a.cfg=1,5 --grid"),
        ("a.cfg=[1, 5]", True, "each of 1, 5, write --set a.cfg=1,5 --grid"),
        ('a.kind=["round","square"]', False, """write --set 'a.kind="round","square"' --grid"""),
        ("a.words=x, y", False, """a list, written as JSON: --set 'a.words=["x","y"]'"""),
        ("a.words=x,y", True, """a list, written as JSON: --set 'a.words=["x"],["y"]'"""),
        ("a.words=x", False, """a list, written as JSON: --set 'a.words=["x"]'"""),
    ],
)
def test_a_list_in_another_form_is_refused_with_how_to_write_it(workflow, registry, text, sweep, hint):
    with pytest.raises(UsageError) as refused:
        parse_settings([text], workflow, registry, sweep=sweep)
    assert hint in str(refused.value)
    again = shlex.split(hint[hint.index("--set") :])
    parse_settings([again[1]], workflow, registry, sweep="--grid" in again or sweep)  # it is as it says


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (r'a.text="\ud800"', "half a surrogate pair"),
        (r'a.text=["\udfff"]', "half a surrogate pair"),
        ('a.any={"x": 1, "x": 2}', "more than once"),
        ("a.text=\udcff", "not UTF-8"),
    ],
)
@pytest.mark.parametrize("sweep", [False, True])
def test_what_no_file_may_hold_is_refused(workflow, registry, text, problem, sweep):
    with pytest.raises(UsageError, match=f"^--set .*{problem}"):
        parse_settings([text], workflow, registry, sweep=sweep)


@pytest.mark.parametrize(
    ("text", "value"), [('a.text="a cat', '"a cat'), ("a.text=[a cat:1.2]", "[a cat:1.2]")]
)
def test_what_only_begins_as_json_is_text(workflow, registry, text, value):
    assert values(text, workflow, registry) == (value,)


@pytest.mark.parametrize(
    ("node", "hint"),
    [("aa", "did you mean 'a'"), ("B.C", r"did you mean 'b\.c'"), ("zzz", "there are: a, b")],
)
def test_the_nearest_node_is_suggested(workflow, registry, node, hint):
    with pytest.raises(UsageError, match=f"no node '{node}'; {hint}"):
        parse_settings([f"{node}.steps=1"], workflow, registry, sweep=False)


def test_of_very_many_nodes_few_are_named(registry):
    workflow = Workflow(nodes={f"node{number}": NodeEntry(type="Prompt") for number in range(5000)})
    with pytest.raises(UsageError, match=r"node19 and 4980 more$"):
        parse_settings(["other.steps=1"], workflow, registry, sweep=False)


@pytest.mark.parametrize("text", ["a.text=a,b", "a.any=1,2", 'a.words=["x","y"]', "x.whatever=1,2"])
def test_a_comma_is_no_list_where_the_value_may_hold_one(workflow, registry, text):
    assert len(values(text, workflow, registry)) == 1


def test_quotes_brackets_and_escapes_protect_commas():
    assert split_list(r'a,"b,\",c",[1,{"x":2}],d') == ["a", r'"b,\",c"', '[1,{"x":2}]', "d"]


@pytest.mark.parametrize("text", ["a.cfg", "cfg=3", ".cfg=3", "a.=3", "=3", ""])
def test_other_forms_are_refused(workflow, registry, text):
    with pytest.raises(UsageError, match=r"node\.input=value"):
        parse_settings([text], workflow, registry, sweep=False)


def test_an_unknown_node_is_refused_with_those_there_are(workflow, registry):
    with pytest.raises(UsageError, match=r"no node 'z'; there are: a, b\.c, x"):
        parse_settings(["z.cfg=3"], workflow, registry, sweep=False)


def test_settings_replace_links_and_the_last_of_two_wins(workflow, registry):
    settings = parse_settings(["a.steps=3", "a.steps=4"], workflow, registry, sweep=False)
    (variant,) = variants(workflow, settings)
    assert variant.workflow.nodes["a"].inputs == {"cfg": 2.0, "steps": 4}
    assert variant.workflow.nodes["a"].links == {}
    assert variant.labels == ()


def test_everything_that_is_wrong_is_told_at_once(workflow, registry):
    with pytest.raises(UsageError) as caught:
        parse_settings(["nobody.cfg=1", "a.cfg=5", "cfg"], workflow, registry, sweep=False)
    first, second = str(caught.value).splitlines()
    assert first.startswith("--set nobody.cfg=1: there is no node 'nobody'")
    assert second.startswith("--set takes node.input=value, such as sampler.cfg=5, not 'cfg'")


def test_every_combination_is_a_variant_with_its_label(workflow, registry):
    settings = parse_settings(["a.cfg=1,5", "b.c.text=x", "a.steps=2,3"], workflow, registry, sweep=True)
    found = variants(workflow, settings)
    assert [variant.labels for variant in found] == [
        ("cfg=1", "steps=2"),
        ("cfg=1", "steps=3"),
        ("cfg=5", "steps=2"),
        ("cfg=5", "steps=3"),
    ]
    assert [variant.workflow.nodes["a"].inputs for variant in found[1:3]] == [
        {"cfg": 1, "steps": 3},
        {"cfg": 5, "steps": 2},
    ]
    assert all(variant.workflow.nodes["b.c"].inputs == {"text": "x"} for variant in found)


def test_labels_of_long_values_keep_the_part_that_differs(workflow, registry):
    start = "a photo of a small brown owl that sits on an old oak"
    values = f'"{start} in winter, in oil","{start} in summer, in oil"'
    settings = parse_settings([f"b.c.text={values}"], workflow, registry, sweep=True)
    assert [variant.labels for variant in variants(workflow, settings)] == [
        ("text=…winter, in oil",),
        ("text=…summer, in oil",),
    ]


def test_labels_name_the_node_where_two_inputs_are_called_the_same(workflow, registry):
    settings = parse_settings(["a.cfg=1,5", "b.c.cfg=1,5"], workflow, registry, sweep=True)
    assert variants(workflow, settings)[1].labels == ("a.cfg=1", "b.c.cfg=5")


def test_a_value_may_be_a_list(workflow, registry):
    settings = parse_settings(['a.words=["x"],["y"]'], workflow, registry, sweep=True)
    found = variants(workflow, settings)
    assert [variant.workflow.nodes["a"].inputs["words"] for variant in found] == [["x"], ["y"]]


def test_no_settings_give_the_workflow_itself(workflow):
    assert [variant.workflow for variant in variants(workflow, [])] == [workflow]

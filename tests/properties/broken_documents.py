"""Valid workflow documents, and hypothesis strategies that break them."""

import json

from hypothesis import strategies as st
from toy_nodes import TOYS

INNER = {
    "inputs": {"value": [["add", "a"]], "index": [["add", "b"]]},
    "outputs": {"out": ["same", "value"]},
    "nodes": {
        "add": {"type": "Add"},
        "same": {"type": "Same", "links": {"value": ["add", "int"]}},
    },
}
PLAIN = {
    "format": "nodegraph",
    "version": 1,
    "name": "plain",
    "nodes": {
        "one": {"type": "Add", "version": 1, "inputs": {"a": 1, "b": 2}, "ui": {"position": [1, 2]}},
        "half": {"type": "Scale", "inputs": {"x": 0.5}, "links": {"by": ["one", "int"]}},
        "name": {"type": "Name", "links": {"value": ["one", "int"]}},
        "words": {"type": "Words", "links": {"items": [["name", "str"], ["name", "str"]]}},
        "pick": {
            "type": "Choose",
            "inputs": {"mode": "first"},
            "links": {"first": ["one", "int"], "second": ["one", "int"]},
        },
        "show": {"type": "Result", "links": {"value": ["words", "str"]}},
        "end": {"type": "Result", "links": {"value": ["pick", "int"]}},
    },
}
NESTED = {
    "format": "nodegraph",
    "version": 1,
    "nodes": {
        "span": {"type": "Span", "inputs": {"x": 3}},
        "loop": {"type": "Repeat", "inputs": {"body": "inner", "times": 2, "value": 1}},
        "each": {"type": "ForEach", "inputs": {"body": "each"}, "links": {"items": ["span", "results"]}},
        "sub": {"type": "subgraph/outer", "links": {"p": ["loop", "value"]}},
        "even": {"type": "IsEven", "links": {"x": ["sub", "r"]}},
        "switch": {
            "type": "Switch",
            "links": {
                "condition": ["even", "bool"],
                "on_true": ["each", "results"],
                "on_false": ["each", "results"],
            },
        },
        "end": {"type": "Result", "links": {"value": ["switch", "result"]}},
    },
    "subgraphs": {
        "inner": INNER,
        "each": {
            "inputs": {"item": [["later", "x"]]},
            "outputs": {"out": ["later", "int"]},
            "nodes": {"later": {"type": "Later"}},
        },
        "outer": {
            "inputs": {"p": [["deep", "value"]]},
            "outputs": {"r": ["deep", "out"]},
            "nodes": {"deep": {"type": "subgraph/inner", "inputs": {"index": 3}}},
        },
    },
}
COMFY = {
    "1": {"class_type": "Add", "inputs": {"a": 1, "b": 2}, "_meta": {"title": "one"}},
    "2": {"class_type": "Span", "inputs": {"x": ["1", 0]}},
    "3": {"class_type": "Total", "inputs": {"items": {"__value__": [1.5, 2]}}},
    "4": {"class_type": "Divide", "inputs": {"a": ["1", 0], "b": 3}},
    "5": {"class_type": "Choose", "inputs": {"mode": "first", "first": ["4", 0], "second": ["4", 1]}},
    "6": {"class_type": "Result", "inputs": {"value": ["5", 0]}},
    "7": {"class_type": "Result", "inputs": {"value": ["2", 0]}},
    "8": {"class_type": "Unheard", "inputs": {"x": ["3", 0], "pair": ["a", 1]}},
}
DOCUMENTS = (PLAIN, NESTED)


def _deep(levels):
    value = "deep"
    for level in range(levels):
        value = [value] if level % 2 else {"nodes": value}
    return value


JUNK = (
    *(None, True, False, 0, -1, 3, 2**31, -(2**63), 2**64, 10**40, 0.5, -0.0, 1e308, 5e-324),
    *("", "x", "\0", "ünï 😀", "a/b", "../../etc/passwd", "%s{0}", "subgraph/inner", "inner", "x" * 5000),
    *([], {}, [[]], [{}], [1, 2], ["one", "int"], [["one", "int"]], ["one"], ["one", 0], ["1", 0], ["1", 7]),
    *({"a": 1}, {"": {}}, {"type": "Add"}, {"nodes": {}}, _deep(20), _deep(90), _deep(300), list(range(200))),
    *("Add", "Repeat", "subgraph/outer", "subgraph/", "pack.Node", "loop", "sub", "sub/deep", "loop/add-1"),
)
KEYS = (
    "",
    "x",
    "a/b",
    "😀",
    "nodes",
    "type",
    "inputs",
    "links",
    "version",
    "format",
    "value",
    "one",
    "sub/deep",
)


def _places(document):
    """Every ``(container, key)`` in a JSON document, from the outside in."""
    found, level = [], [document]
    while level:
        pairs = [
            (parent, key)
            for parent in level
            for key in (list(parent) if isinstance(parent, dict) else range(len(parent)))
        ]
        found += pairs
        level = [parent[key] for parent, key in pairs if isinstance(parent[key], dict | list)]
    return found


def _replace(document, parent, key, junk, name):
    parent[key] = junk


def _delete(document, parent, key, junk, name):
    del parent[key]


def _copy(document, parent, key, junk, name):
    places = _places(document)
    source, there = places[len(str(junk)) * 7 % len(places)]
    parent[key] = json.loads(json.dumps(source[there]))


def _rename(document, parent, key, junk, name):
    if isinstance(parent, dict):
        parent[name] = parent.pop(key)
    else:
        parent.insert(0, parent.pop(key))


def _add(document, parent, key, junk, name):
    if isinstance(parent, dict):
        parent[name] = junk
    else:
        parent.append(junk)


OPERATIONS = (_replace, _replace, _delete, _copy, _rename, _add)
mutations = st.tuples(
    st.sampled_from(OPERATIONS), st.integers(0, 500), st.sampled_from(JUNK), st.sampled_from(KEYS)
)


def mutate(document, steps):
    """A copy of a document with some of its places changed."""
    document = json.loads(json.dumps(document))
    for operation, number, junk, name in steps:
        places = _places(document)
        if places:
            parent, key = places[number % len(places)]
            operation(document, parent, key, json.loads(json.dumps(junk)), name)
    return document


def broken(*documents):
    """Documents with one to four places changed."""
    return st.builds(mutate, st.sampled_from(documents), st.lists(mutations, min_size=1, max_size=4))


IDS = ("a", "b", "c", "a/b", "ü")
TYPES = tuple(toy.record.id for toy in TOYS) + ("subgraph/s", "subgraph/t", "Nowhere")
INPUTS = tuple(sorted({name for toy in TOYS for name in toy.record.inputs} - {"times"}))
OUTPUTS = tuple(sorted({output.name for toy in TOYS for output in toy.record.outputs})) + ("out",)
SMALL = st.sampled_from((0, 1, -2, 3, 0.5, True, "s", "t", "first", None, [1, 2], ["s"], []))


def _wires(ids):
    wire = st.tuples(st.sampled_from(ids), st.sampled_from(OUTPUTS))
    return wire | st.lists(wire, min_size=1, max_size=2)


def _entries(ids):
    """Nodes of any type, wired at random, so that cycles and wrong types abound."""
    entry = st.fixed_dictionaries(
        {
            "type": st.sampled_from(TYPES),
            "inputs": st.dictionaries(st.sampled_from(INPUTS), SMALL, max_size=3),
            "links": st.dictionaries(st.sampled_from(INPUTS), _wires(ids), max_size=3),
        }
    )
    return st.dictionaries(st.sampled_from(ids), entry, min_size=1, max_size=4)


_subgraph = st.fixed_dictionaries(
    {
        "inputs": st.dictionaries(
            st.sampled_from(INPUTS),
            st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from(INPUTS)), max_size=2),
            max_size=2,
        ),
        "outputs": st.dictionaries(
            st.sampled_from(OUTPUTS), st.tuples(st.sampled_from(IDS), st.sampled_from(OUTPUTS)), max_size=2
        ),
        "nodes": _entries(IDS),
    }
)
wild = st.fixed_dictionaries(
    {
        "format": st.just("nodegraph"),
        "version": st.just(1),
        "nodes": _entries(IDS),
        "subgraphs": st.dictionaries(st.sampled_from(("s", "t")), _subgraph, max_size=2),
    }
)

"""Valid workflow documents, ways to break them, and documents wired at random.

Every choice is read from a byte string: drawing one is far cheaper for hypothesis than drawing a nested
document, and it shrinks as well.
"""

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


class Choices:
    """Choices read from bytes; when they run out, the first option each time."""

    def __init__(self, data):
        self._data = iter(data)

    def number(self, below):
        return next(self._data, 0) % below

    def one_of(self, options):
        return options[self.number(len(options))]


choices = st.binary(min_size=60, max_size=200).map(Choices)


def _deep(levels):
    value = "deep"
    for level in range(levels):
        value = [value] if level % 2 else {"nodes": value}
    return value


IDS = ("one", "span", "loop", "sub", "add", "a/b", "ü")
TYPES = (*(toy.record.id for toy in TOYS), "subgraph/inner", "subgraph/outer", "subgraph/", "pack.Nowhere")
OUTPUTS = tuple(sorted({output.name for toy in TOYS for output in toy.record.outputs} | {"out", "r", "0"}))
SCALARS = (
    None,
    True,
    False,
    0,
    -1,
    3,
    0.5,
    -0.0,
    "",
    "x",
    "first",
    "inner",
    "each",
    [],
    [1, 2],
    ["s"],
    {"a": 1},
)
JUNK = (
    *SCALARS,
    *(2**31, -(2**63), 2**64, 10**40, 1e308, 5e-324, "\0", "ünï 😀", "../../etc/passwd", "%s{0}", "x" * 5000),
    *(
        [[]],
        [{}],
        ["one", "int"],
        [["one", "int"]],
        ["one"],
        ["one", 0],
        ["1", 0],
        ["1", 7],
        list(range(200)),
    ),
    *({"": {}}, {"type": "Add"}, {"nodes": {}}, _deep(20), _deep(90), _deep(300), "sub/deep", "loop/add-1"),
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


def _members(document, *names):
    """The places inside every object or list that is called one of ``names``."""
    inside = [parent[key] for parent, key in _places(document) if key in names]
    return [
        place for container in inside if isinstance(container, dict | list) for place in _places(container)
    ]


def _copied(value):
    return json.loads(json.dumps(value))


def _replace(place, choices, document):
    place[0][place[1]] = _copied(choices.one_of(JUNK))


def _delete(place, choices, document):
    del place[0][place[1]]


def _copy(place, choices, document):
    source, key = choices.one_of(_places(document))
    place[0][place[1]] = _copied(source[key])


def _rename(place, choices, document):
    parent, key = place
    if isinstance(parent, dict):
        parent[choices.one_of(KEYS)] = parent.pop(key)
    else:
        parent.insert(0, parent.pop(key))


def _add(place, choices, document):
    parent, _ = place
    if isinstance(parent, dict):
        parent[choices.one_of(KEYS)] = _copied(choices.one_of(JUNK))
    else:
        parent.append(_copied(choices.one_of(JUNK)))


def _change_constant(place, choices, document):
    places = [place for place in _members(document, "inputs") if isinstance(place[1], str)] or [place]
    _replace(choices.one_of(places), choices, document)


def _change_link(place, choices, document):
    """Wire an input to some output of some node, which may not exist."""
    texts = [(parent, key) for parent, key in _members(document, "links", "outputs") if key in (0, 1)]
    parent, key = choices.one_of(texts or [place])
    nodes = document.get("nodes")
    ids = list(nodes) if isinstance(nodes, dict) else []
    parent[key] = choices.one_of((*ids, *IDS) if key == 0 else OUTPUTS)


def _change_type(place, choices, document):
    places = [(parent, key) for parent, key in _places(document) if key in ("type", "class_type")] or [place]
    parent, key = choices.one_of(places)
    parent[key] = choices.one_of(TYPES)


def _swap_subtrees(place, choices, document):
    names = choices.one_of((("nodes",), ("links",), ("inputs",), ("subgraphs",)))
    places = _members(document, *names) or [place]
    (one, a), (two, b) = choices.one_of(places), choices.one_of(places)
    one[a], two[b] = _copied(two[b]), _copied(one[a])


TAME = (_change_constant, _change_link, _change_type, _swap_subtrees)
OPERATIONS = (*TAME, *TAME, *TAME, *TAME, _replace, _delete, _delete, _copy, _rename, _add)


def broken(choices, *documents):
    """One of the documents, with one to three places changed."""
    document = _copied(choices.one_of(documents))
    for _ in range(choices.one_of((1, 1, 2, 3))):
        places = _places(document)
        if places:
            choices.one_of(OPERATIONS)(choices.one_of(places), choices, document)
    return document


CONSTANTS = {
    "int": (0, 1, 2, 3, -7, 10**30),
    "float": (0.5, 1, -2.0),
    "str": ("", "s", "first"),
    "bool": (True, False),
    "list[float]": ([], [1, 2.5]),
    "list[str]": ([], ["s", "t"]),
    "Body": ("s", "t", "u"),
}


class _Scrawl:
    """Writes nodes one after the other, wired mostly but not always as they should be."""

    def __init__(self, choices):
        self.choices = choices
        self.nodes = {}
        self._outputs = []  # of the nodes so far: id, output and the name of its type

    def add(self, count):
        for number in range(count):
            self._add(f"n{number}", self.choices.one_of(TOYS).record)

    def end(self):
        self.nodes["end"] = {"type": "Result", "links": {"value": self.wire("T")}}

    def wire(self, wanted):
        any_type = wanted in ("T", "Any") or self._slip()
        fitting = [[id, name] for id, name, type in self._outputs if any_type or type == wanted]
        if not fitting or self._slip():
            ids = [*self.nodes, "n2", "end", "a/b"]
            return [self.choices.one_of(ids), self.choices.one_of(("int", "value", "out", "results"))]
        return self.choices.one_of(fitting)

    def _add(self, id, toy):
        entry = {"type": toy.id, "inputs": {}, "links": {}}
        if self.choices.number(10) == 0:
            entry["type"] = self.choices.one_of(("subgraph/s", "subgraph/t", "subgraph/u", "Nowhere"))
        for name, input in toy.inputs.items():
            self._fill(entry, name, input)
        self.nodes[id] = entry
        self._outputs += [(id, output.name, output.type.name) for output in toy.outputs]

    def _fill(self, entry, name, input):
        type = input.type.name
        fitting = CONSTANTS.get(type, SCALARS[:6])
        if type != "Body" and self.choices.number(2):
            gathered = type.startswith("list") and self.choices.number(2)
            element = type[5:-1] if gathered else type
            entry["links"][name] = [self.wire(element)] * 2 if gathered else self.wire(type)
        elif (input.required and not self._slip()) or self.choices.number(2):
            values = SCALARS if self._slip() else input.menu or fitting
            entry["inputs"]["x" if self._slip() else name] = self.choices.one_of(values)

    def _slip(self):
        return self.choices.number(40) == 0


def _subgraph(choices):
    scrawl = _Scrawl(choices)
    scrawl.add(1 + choices.number(3))
    entries = scrawl.nodes.items()
    places = [[id, name] for id, entry in entries for name in (*entry["links"], *entry["inputs"])]
    inputs = choices.one_of((("value",), ("item",), ("value", "index"), ("p", "q"), ()))
    return {
        "inputs": {name: [choices.one_of(places)] for name in inputs if places},
        "outputs": {"out": scrawl.wire("T")},
        "nodes": scrawl.nodes,
    }


def wild(choices):
    """A document of the right form whose nodes are wired at random."""
    scrawl = _Scrawl(choices)
    scrawl.add(1 + choices.number(5))
    scrawl.end()
    subgraphs = {name: _subgraph(choices) for name in ("s", "t")[: choices.number(3)]}
    return {"format": "nodegraph", "version": 1, "nodes": scrawl.nodes, "subgraphs": subgraphs}

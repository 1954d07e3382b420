"""A naive evaluator of generated workflows: recursive, one node at a time, nothing cached or planned.

It says what a run computes, and so which nodes fail. A node asks for all of its inputs that are not lazy at
once, and with them for the lazy ones it takes element by element, whose lengths say how often it runs. The
lazy inputs it chooses are asked for with them too where the choice depends on constants alone, and otherwise
only when all of those are there.
"""

import asyncio
import functools
from typing import Any, NamedTuple

from random_graphs import ANY, BOOL, FLOAT, INT, SIGNATURES, STR, Inner, Made, T, Wire
from toy_nodes import TOYS

FUNCTIONS = {toy.record.id: toy.record for toy in TOYS}


class NoResult(Exception):
    """A node has no result: it failed, or something it depends on did."""


class Constant(NamedTuple):
    """What an open input is where it is known before anything runs."""

    value: Any

    def __call__(self):
        return self.value


class _Context:
    def progress(self, value, total, message=""):
        pass


class Naive:
    """Evaluates one graph.

    Args:
        given: what its open inputs are: constants, or functions without parameters, by place.
        failed: the ids of the nodes at the top level that failed are added here.
        root: the node at the top level that this graph belongs to, or ``None``.
    """

    def __init__(self, nodes, given=None, failed=None, root=None):
        self.nodes = nodes
        self.given = given or {}
        self.failed = set() if failed is None else failed
        self.root = root
        self.outputs = functools.cache(self._compute)  # of a node: its values by output name, or None
        self._inner = functools.cache(self._new_inner)

    def value(self, wire):
        """The value of an output."""
        made = self.nodes[wire.node]
        if made.type.startswith("subgraph/"):
            return self._inner(wire.node).value(made.inner.outputs[wire.output])
        outputs = self.outputs(wire.node)
        if outputs is None:
            raise NoResult(wire.node)
        return outputs[wire.output]

    def terminals(self):
        """The ids of the nodes a run ends in, also inside subgraphs."""
        found = []
        for id, made in self.nodes.items():
            if made.type.startswith("subgraph/"):
                found += [f"{id}/{inner}" for inner in self._inner(id).terminals()]
            elif made.type == "Result":
                found.append(id)
        return found

    def outputs_at(self, path):
        """What ``outputs`` gives for a node that may be inside subgraphs."""
        id, _, rest = path.partition("/")
        return self._inner(id).outputs_at(rest) if rest else self.outputs(id)

    def _new_inner(self, id):
        made: Made = self.nodes[id]
        given = {name: self._input(id, made, name) for name, places in made.inner.places.items() if places}
        return _instance(made.inner, given, self.failed, self.root or id)

    def _input(self, id, made, name):
        """A constant, or a function that gives the value."""
        if (id, name) in self.given:
            return self.given[id, name]
        if name in made.constants:
            return Constant(made.constants[name])
        return functools.partial(self._linked, made.links[name])

    def _linked(self, link):
        return self.value(link) if isinstance(link, Wire) else [self.value(wire) for wire in link]

    def _compute(self, id):
        made = self.nodes[id]
        try:
            return self._loop(id, made) if made.inner else self._call(id, made)
        except NoResult:
            return None
        except Exception:
            self.failed.add(self.root or id)
            return None

    def _inputs(self, id, made):
        """Every input that has a constant or a wire, or is fed from outside."""
        names = [*made.constants, *made.links, *(name for node, name in self.given if node == id)]
        return {name: self._input(id, made, name) for name in names}

    def _call(self, id, made):
        signature, record = SIGNATURES[made.type], FUNCTIONS[made.type]
        inputs = self._inputs(id, made)
        constants = {
            name: as_type(input.value, signature.inputs[name])
            for name, input in inputs.items()
            if isinstance(input, Constant)
        }
        wired = {name: input for name, input in inputs.items() if name not in constants}
        early = {name for name in wired if name not in record.lazy_inputs or name in made.mapped}
        if wired.keys() <= record.lazy_inputs:
            early |= _chosen(record, constants) & wired.keys()
        values = {**record.defaults, **constants, **_collected(id, made, wired, early)}
        rows = _rows(values, made.mapped)
        chosen = [_chosen(record, row) for row in rows]
        late = _collected(id, made, wired, set().union(*chosen) & wired.keys() - early)
        results = [_invoke(record, {**row, **late}, names) for row, names in zip(rows, chosen, strict=True)]
        names = list(signature.outputs)
        return _joined(names, results) if made.mapped else results[0]

    def _loop(self, id, made):
        return (self._repeat if made.type == "Repeat" else self._each)(id, made)

    def _repeat(self, id, made):
        times = made.constants.get("times")
        if "times" in made.links:
            times = self._linked(made.links["times"])
        loops = [self._repeated(id, made, count) for count in (times if made.mapped else [times])]
        for _, iterations in loops:
            _run_terminals(iterations)
        if made.mapped:
            return {"value": _all([result for result, _ in loops])}
        return {"value": loops[0][0]()}

    def _repeated(self, id, made, count):
        """What gives the result of one loop, and its iterations."""
        current = self._input(id, made, "value")
        iterations = []
        for index in range(count):
            given = {"value": current, "index": Constant(index)}
            iteration = _instance(made.inner, given, self.failed, self.root or id)
            iterations.append(iteration)
            current = functools.partial(iteration.value, made.inner.outputs["out"])
        return current, iterations

    def _each(self, id, made):
        source = self._input(id, made, "items")
        items = source()
        if not isinstance(items, list):
            raise TypeError("not a list")
        iterations = []
        for index, item in enumerate(items):
            element = Constant(item) if isinstance(source, Constant) else functools.partial(_identity, item)
            given = {"item": element, "index": Constant(index)}
            iterations.append(_instance(made.inner, given, self.failed, self.root or id))
        _run_terminals(iterations)
        return {"results": _all([functools.partial(i.value, made.inner.outputs["out"]) for i in iterations])}


def _collected(id, made, wired, names):
    """The checked values of several inputs; all are asked for before a missing one ends it."""
    values, missing = {}, False
    for name in sorted(names):
        try:
            values[name] = wired[name]()
        except NoResult:
            missing = True
    if missing:
        raise NoResult(id)
    return {name: _checked(made, name, value) for name, value in values.items()}


def _checked(made, name, value):
    type, narrow = SIGNATURES[made.type].inputs[name], made.type == "Narrow"
    if name in made.mapped:
        return [as_type(item, type, narrow) for item in value]
    return as_type(value, type, narrow)


def _identity(value):
    return value


def _run_terminals(iterations):
    for iteration in iterations:
        for path in iteration.terminals():
            iteration.outputs_at(path)


def _all(functions):
    """The value of each function; all are called before a missing one ends it."""
    values, missing = [], False
    for function in functions:
        try:
            values.append(function())
        except NoResult:
            missing = True
    if missing:
        raise NoResult
    return values


def _instance(inner: Inner, given, failed, root):
    places = {tuple(place): given[name] for name, places in inner.places.items() for place in places}
    return Naive(inner.nodes, places, failed, root)


def _rows(values, mapped):
    if not mapped:
        return [values]
    lengths = {len(values[name]) for name in mapped}
    if len(lengths) > 1:
        raise ValueError("lists of different lengths")
    return [
        {name: value[index] if name in mapped else value for name, value in values.items()}
        for index in range(lengths.pop())
    ]


def _chosen(record, row):
    if record.needs is None:
        return set()
    return set(record.needs(*(row[name] for name in ("condition", "first") if name in row)))


def _invoke(record, row, chosen):
    row = {**row, **dict.fromkeys(record.lazy_inputs - chosen)}
    arguments = [_Context()] if record.takes_context else []
    result = record.function(*arguments, **row)
    if record.is_async:
        result = asyncio.run(result)
    names = list(SIGNATURES[record.id].outputs)
    return dict(zip(names, result if len(names) > 1 else (result,), strict=True))


def _joined(names, results):
    return {name: [result[name] for result in results] for name in names}


def as_type(value, type, narrow=False):
    """A value as an input of some type receives it; raises where it does not fit."""
    if type in (ANY, T):
        return value
    if type == "menu":
        type, fine = STR, value in ("first", "second")
    elif type[0] == "union":
        return as_type(value, INT if isinstance(value, int) else STR)
    elif type[0] == "list":
        if not isinstance(value, list):
            raise TypeError(value)
        return [as_type(item, type[1]) for item in value]
    else:
        fine = not narrow or -5 <= value <= 500
    classes = {INT: (int,), FLOAT: (float, int), STR: (str,), BOOL: (bool,)}[type]
    if not isinstance(value, classes) or (isinstance(value, bool) and type != BOOL) or not fine:
        raise TypeError(value)
    return float(value) if type == FLOAT else value

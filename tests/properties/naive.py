"""A naive evaluator of generated workflows: recursive, one node at a time, nothing cached or planned."""

import asyncio
import functools

from random_graphs import ANY, BOOL, FLOAT, INT, SIGNATURES, STR, Inner, Made, T, Wire
from toy_nodes import TOYS

FUNCTIONS = {toy.record.id: toy.record for toy in TOYS}


class NoResult(Exception):
    """A node has no result: it failed, or something it depends on did."""


class _Context:
    def progress(self, value, total, message=""):
        pass


class Naive:
    """Evaluates one graph.

    Args:
        given: what its open inputs are: functions without parameters, by place.
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
        given = {name: functools.partial(self._given_or_wired, id, made, name) for name in made.inner.places}
        return _instance(made.inner, given, self.failed, self.root or id)

    def _given_or_wired(self, id, made, name):
        return made.constants[name] if name in made.constants else self._wired(id, made, name)

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

    def _places(self, id, made):
        """The names of the inputs that have a wire, or are fed from outside."""
        open_names = [name for node, name in self.given if node == id]
        return {**dict.fromkeys(made.links), **dict.fromkeys(open_names)}

    def _wired(self, id, made, name):
        return self.given[id, name]() if (id, name) in self.given else self._linked(made.links[name])

    def _call(self, id, made):
        signature, record = SIGNATURES[made.type], FUNCTIONS[made.type]
        values = {
            **record.defaults,
            **{n: as_type(v, signature.inputs[n]) for n, v in made.constants.items()},
        }
        wired = self._places(id, made)
        values |= self._collected(
            id, made, [n for n in wired if n not in record.lazy_inputs or n in made.mapped]
        )
        rows = _rows(values, made.mapped)
        chosen = [_chosen(record, row) for row in rows]
        wanted = {n for names in chosen for n in names if n in wired and n not in made.mapped}
        late = self._collected(id, made, sorted(wanted))
        results = [_invoke(record, {**row, **late}, names) for row, names in zip(rows, chosen, strict=True)]
        names = list(signature.outputs)
        return _joined(names, results) if made.mapped else results[0]

    def _collected(self, id, made, names):
        """The checked values of several inputs; all are asked for before a missing one ends it."""
        values, missing = {}, False
        for name in names:
            try:
                values[name] = self._wired(id, made, name)
            except NoResult:
                missing = True
        if missing:
            raise NoResult(id)
        types = SIGNATURES[made.type].inputs
        return {n: self._checked(made, n, value, types[n]) for n, value in values.items()}

    def _checked(self, made, name, value, type):
        narrow = made.type == "Narrow"
        if name in made.mapped:
            return [as_type(item, type, narrow) for item in value]
        return as_type(value, type, narrow)

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
        if "value" in made.links or (id, "value") in self.given:
            current = functools.partial(self._wired, id, made, "value")
        else:
            current = functools.partial(made.constants.__getitem__, "value")
        iterations = []
        for index in range(count):
            given = {"value": current, "index": functools.partial(int, index)}
            iteration = _instance(made.inner, given, self.failed, self.root or id)
            iterations.append(iteration)
            current = functools.partial(iteration.value, made.inner.outputs["out"])
        return current, iterations

    def _each(self, id, made):
        linked = "items" in made.links or (id, "items") in self.given
        items = self._wired(id, made, "items") if linked else made.constants["items"]
        if not isinstance(items, list):
            raise TypeError("not a list")
        iterations = []
        for index, item in enumerate(items):
            given = {"item": functools.partial(_identity, item), "index": functools.partial(int, index)}
            iterations.append(_instance(made.inner, given, self.failed, self.root or id))
        _run_terminals(iterations)
        return {"results": _all([functools.partial(i.value, made.inner.outputs["out"]) for i in iterations])}


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

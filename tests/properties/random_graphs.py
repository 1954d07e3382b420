"""Hypothesis strategies for valid workflows, with what the generator knows about the type of every wire."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hypothesis import strategies as st

ANY, INT, FLOAT, STR, BOOL, T = "any", "int", "float", "str", "bool", "T"
TEXTS = ("", "a", "wörds", "two words", "0")


def list_of(element):
    return ("list", element)


class Wire(NamedTuple):
    node: str
    output: str


class Signature(NamedTuple):
    """Types of the inputs (those of ``optional`` may be left out) and outputs of a toy node."""

    inputs: dict[str, Any]
    outputs: dict[str, Any]
    optional: frozenset[str] = frozenset()


def _signature(outputs, *optional, **inputs):
    return Signature(inputs, outputs, frozenset(optional))


SIGNATURES = {
    "Add": _signature({"int": INT}, "b", a=INT, b=INT),
    "Scale": _signature({"float": FLOAT}, "by", x=FLOAT, by=FLOAT),
    "Join": _signature({"str": STR}, "b", a=STR, b=STR),
    "IsEven": _signature({"bool": BOOL}, x=INT),
    "Small": _signature({"int": INT}, x=INT),
    "Span": _signature({"results": list_of(INT)}, x=INT),
    "Total": _signature({"float": FLOAT}, items=list_of(FLOAT)),
    "Words": _signature({"str": STR}, "separator", items=list_of(STR), separator=STR),
    "Divide": _signature({"quotient": INT, "remainder": INT}, "b", a=INT, b=INT),
    "Narrow": _signature({"int": INT}, x=INT),
    "Choose": _signature({"int": INT}, mode="menu", first=INT, second=INT),
    "Extend": _signature({"int": INT}, "extra", x=INT, extra=INT),
    "Name": _signature({"str": STR}, value=("union", INT, STR)),
    "Show": _signature({"str": STR}, value=ANY),
    "Same": _signature({"value": T}, value=T),
    "Later": _signature({"int": INT}, x=INT),
    "Soon": _signature({"str": STR}, "times", text=STR, times=INT),
    "Tick": _signature({"int": INT}, x=INT),
    "Prefer": _signature({"int": INT}, "b", first=BOOL, a=INT, b=INT),
    "CreateList": _signature({"list": list_of(T)}, items=list_of(T)),
    "GetItem": _signature({"item": T}, "index", items=list_of(T), index=INT),
    "Switch": _signature({"result": T}, condition=BOOL, on_true=T, on_false=T),
    "Result": _signature({"value": T}, value=T),
}
COMMON = sorted(SIGNATURES.keys() - {"Result", "Tick"})


def fits(source, target):
    """Whether a wire of one type may go straight into an input of another."""
    if ANY in (source, target) or target == T:
        return True
    if target[0] == "union":
        return any(fits(source, member) for member in target[1:])
    if target[0] == "list":
        return source[0] == "list" and fits(source[1], target[1])
    return source == target or (source, target) == (INT, FLOAT)


@dataclass
class Made:
    """One node of a generated graph.

    Attributes:
        mapped: the inputs it takes element by element.
        inner: the graph it stands for or repeats.
    """

    type: str
    constants: dict[str, Any] = field(default_factory=dict)
    links: dict[str, Wire | list[Wire]] = field(default_factory=dict)
    mapped: set[str] = field(default_factory=set)
    inner: "Inner | None" = None


@dataclass
class Inner:
    """A graph with open inputs: their types, the places they feed, and the outputs."""

    name: str
    inputs: dict[str, Any]
    places: dict[str, list[tuple[str, str]]]
    outputs: dict[str, Wire]
    nodes: dict[str, Made]


@dataclass
class Drawn:
    """A generated workflow."""

    nodes: dict[str, Made]
    inners: list[Inner]

    @property
    def document(self):
        subgraphs = {inner.name: _subgraph(inner) for inner in self.inners}
        return {"format": "nodegraph", "version": 1, "nodes": _entries(self.nodes), "subgraphs": subgraphs}

    def types(self):
        """Every node type in it, also inside its subgraphs."""
        graphs = [self.nodes, *(inner.nodes for inner in self.inners)]
        return {made.type for nodes in graphs for made in nodes.values()}


def _entries(nodes):
    return {
        id: {"type": made.type, "inputs": made.constants, "links": made.links} for id, made in nodes.items()
    }


def _subgraph(inner):
    return {"inputs": inner.places, "outputs": inner.outputs, "nodes": _entries(inner.nodes)}


ints = st.integers(-3, 9) | st.sampled_from((0, 2**31, -(2**63), 10**18))
floats = st.sampled_from((0.0, -0.0, 0.5, 1.0, 3.25, -7.125, 1e-9, 1, 4))
VALUES = {
    INT: ints,
    FLOAT: floats,
    STR: st.sampled_from(TEXTS),
    BOOL: st.booleans(),
    "menu": st.sampled_from(("first", "second")),
    ANY: ints | st.sampled_from(TEXTS) | st.none(),
    "small": st.integers(-5, 9),
}


class _Builder:
    """Draws nodes one after the other; each may be wired to those before it."""

    def __init__(self, draw, inners, depth, opened=()):
        self.draw = draw
        self.inners = inners
        self.depth = depth
        self.nodes = {}
        self.pool = dict(opened)  # the type of every output at hand
        self.counts = set()  # outputs that are 0 to 3

    def build(self, size, kinds):
        for _ in range(size):
            kind = self.draw(st.sampled_from(kinds))
            getattr(self, f"_{kind}", self._toy)(kind)

    def _add(self, made, outputs):
        id = f"n{len(self.nodes)}"
        self.nodes[id] = made
        if made.mapped:
            outputs = {name: list_of(type) for name, type in outputs.items()}
        self.pool.update({Wire(id, name): type for name, type in outputs.items()})
        if made.type in ("Small", "Span"):
            self.counts.update(Wire(id, name) for name in outputs)
        return id

    def _toy(self, kind):
        signature = SIGNATURES[kind]
        made, bound = Made(kind), None
        for name, type in signature.inputs.items():
            if name in signature.optional and self.draw(st.booleans()):
                continue
            bound = self._fill(made, name, type, bound)
        outputs = {name: _bound(type, bound) for name, type in signature.outputs.items()}
        self._add(made, outputs)

    def _fill(self, made, name, type, bound):
        """Wire an input or give it a constant; returns what ``T`` stands for."""
        generic = type in (T, list_of(T))
        wanted = _bound(type, bound) if generic and bound is not None else type
        wires = self._wires(wanted, exact=generic and bound is not None)
        # a constant list has a type of its own, and makes a union with what may hold anything
        if wires and ((wanted[0] == "list" and ANY in wanted) or self.draw(st.integers(0, 3))):
            wire = self.draw(st.sampled_from(wires))
            actual = self.pool[wire]
            if not fits(actual, wanted):
                made.mapped.add(name)
            made.links[name] = wire
        else:
            actual = self._gather_or_constant(made, name, wanted, exact=generic and bound is not None)
        if not generic or bound is not None:
            return bound
        return actual[1] if type == list_of(T) and actual != ANY else actual

    def _wires(self, type, exact):
        if exact:
            return [wire for wire, actual in self.pool.items() if actual == type]
        return [wire for wire, actual in self.pool.items() if fits(actual, type) or self._maps(wire, type)]

    def _maps(self, wire, type):
        actual = self.pool[wire]
        return actual[0] == "list" and fits(actual[1], type)

    def _gather_or_constant(self, made, name, type, exact):
        element = type[1] if type[0] == "list" else type
        gather = type != "menu" and not exact and (type[0] == "list" or self._seldom())
        wires = self._gathered(element) if gather else []
        if not wires:
            made.constants[name], actual = self._constant(made.type, type)
            return actual
        made.links[name] = wires
        if type[0] != "list" and type not in (ANY, T):
            made.mapped.add(name)
        return list_of(self.pool[wires[0]] if element == T else element)

    def _gathered(self, element):
        """Wires that together make a list of ``element``; those of a free type are all of one."""
        wires = [w for w, actual in self.pool.items() if w.node and fits(actual, element)]
        if not wires or self.draw(st.booleans()):
            return []
        first = self.draw(st.sampled_from(wires))
        alike = [w for w in wires if self.pool[w] == self.pool[first]] if element == T else wires
        return [first, *self.draw(st.lists(st.sampled_from(alike), max_size=2))]

    def _seldom(self):
        return self.draw(st.integers(0, 5)) == 0

    def _constant(self, owner, type):
        if owner == "Narrow":
            return self.draw(st.integers(-5, 500)), INT
        if type[0] == "list":
            element = INT if type[1] == T else type[1]
            return [self._constant("", element)[0] for _ in range(self.draw(st.integers(1, 3)))], list_of(
                element
            )
        if type[0] == "union":
            type = INT
        if type == T:
            type = self.draw(st.sampled_from((INT, STR)))
        return self.draw(VALUES[type]), type

    def inner(self, inputs, output=None):
        """A graph with these open inputs, and an output of the given type if one is given."""
        name = f"g{len(self.inners)}"
        self.inners.append(None)
        opened = {Wire("", input): type for input, type in inputs.items()}
        builder = _Builder(self.draw, self.inners, self.depth - 1, opened)
        builder.build(self.draw(st.integers(1, 4)), builder.kinds())
        result = builder._output(inputs, output)
        inner = Inner(name, inputs, _open_places(builder.nodes, inputs), {"out": result}, builder.nodes)
        self.inners[int(name[1:])] = inner
        return inner, builder.pool[result]

    def kinds(self):
        return [*COMMON, "Result", *(("sub", "repeat", "each") if self.depth > 0 else ())]

    def _output(self, inputs, type):
        wires = [w for w, actual in self.pool.items() if w.node and type in (None, actual)]
        if wires:
            return self.draw(st.sampled_from(wires))
        source = Wire("", next(iter(inputs)))
        return Wire(self._add(Made("Same", links={"value": source}), {"value": self.pool[source]}), "value")

    def _sub(self, _):
        """A workflow used as a node, fed with wires or constants of just the right type."""
        inputs = {name: self.draw(st.sampled_from((INT, STR, BOOL))) for name in ("p", "q")}
        inner, type = self.inner(inputs)
        made = Made(f"subgraph/{inner.name}", inner=inner)
        for name, wanted in inputs.items():
            if inner.places[name]:
                self._feed(made, name, wanted)
        self._add(made, {"out": type})

    def _feed(self, made, name, type):
        wires = [wire for wire, actual in self.pool.items() if actual == type]
        if wires and self.draw(st.booleans()):
            made.links[name] = self.draw(st.sampled_from(wires))
        else:
            # within what Narrow takes: a constant is checked before the run, a wire only during it
            made.constants[name] = self.draw(VALUES["small" if type == INT else type])

    def _repeat(self, _):
        sources = [wire for wire, actual in self.pool.items() if actual != BOOL]
        made = Made("Repeat")
        gathered = self._gathered(T) if self._seldom() else []
        if gathered:
            made.links["value"], type = gathered, list_of(self.pool[gathered[0]])
        elif sources and self.draw(st.booleans()):
            made.links["value"] = self.draw(st.sampled_from(sources))
            type = self.pool[made.links["value"]]
        else:
            made.constants["value"], type = self.draw(VALUES["small"]), INT
        indexed = {"index": INT} if self.draw(st.booleans()) else {}
        made.inner, _ = self.inner({"value": type, **indexed}, output=type)
        made.constants["body"] = made.inner.name
        counts = sorted(wire for wire in self.counts if self.pool[wire] in (INT, list_of(INT)))
        if counts and self.draw(st.booleans()):
            made.links["times"] = self.draw(st.sampled_from(counts))
            if self.pool[made.links["times"]] != INT:
                made.mapped.add("times")
        else:
            made.constants["times"] = self.draw(st.integers(0, 3))
        self._add(made, {"value": type})

    def _each(self, _):
        lists = [wire for wire, actual in self.pool.items() if actual[0] == "list"]
        made = Made("ForEach")
        gathered = self._gathered(T)
        if gathered:
            made.links["items"], element = gathered, self.pool[gathered[0]]
        elif lists and self.draw(st.booleans()):
            made.links["items"] = self.draw(st.sampled_from(lists))
            element = self.pool[made.links["items"]][1]
        else:
            made.constants["items"], element = self.draw(st.lists(VALUES["small"], max_size=3)), INT
        indexed = {"index": INT} if self.draw(st.booleans()) else {}
        made.inner, result = self.inner({"item": element, **indexed})
        made.constants["body"] = made.inner.name
        self._add(made, {"results": list_of(result)})


def _bound(type, bound):
    if type == T:
        return bound
    return list_of(bound) if type == list_of(T) else type


def _open_places(nodes, inputs):
    """Takes the wires that stand for open inputs out again; returns the places they fed."""
    places = {name: [] for name in inputs}
    for id, made in nodes.items():
        for name, link in list(made.links.items()):
            if isinstance(link, Wire) and not link.node:
                places[link.output].append((id, name))
                del made.links[name]
    return places


@st.composite
def workflows(draw):
    """A valid workflow of 1 to 12 nodes, besides those in its subgraphs."""
    builder = _Builder(draw, [], depth=2)
    cacheable = draw(st.integers(0, 3))
    builder.build(draw(st.integers(1, 12)), [*builder.kinds(), *(() if cacheable else ("Tick", "Tick"))])
    return Drawn(builder.nodes, builder.inners)

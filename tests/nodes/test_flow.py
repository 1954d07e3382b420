"""What marks the ends of a body, in a loop that only passes on."""

from __future__ import annotations

from nodegraph.graph import build_graph
from nodegraph.registry import NodeRegistry
from nodegraph.validation import analyse
from nodegraph.workflow import Workflow
from nodes.flow.nodes import Identity

BODY = {
    "inputs": {"value": [["start", "value"]], "index": [["index", "value"]]},
    "outputs": {"result": ["end", "value"]},
    "nodes": {
        "start": {"type": "Identity"},
        "index": {"type": "Identity"},
        "end": {"type": "Identity", "links": {"value": ["start", "value"]}},
    },
}


def test_identity_passes_on_the_very_same():
    value = [object()]
    assert Identity(value) is value


def test_a_body_of_identities_fits_a_loop_and_keeps_the_type():
    nodes = {
        "text": {"type": "String", "inputs": {"value": "a"}},
        "loop": {"type": "Repeat", "inputs": {"body": "body"}, "links": {"value": ["text", "str"]}},
        "sum": {"type": "AddIntegers", "links": {"a": ["loop", "value"]}},
    }
    workflow = Workflow.model_validate({"nodes": nodes, "subgraphs": {"body": BODY}})
    registry = NodeRegistry()
    registry.discover("nodes", "")
    issue = analyse(build_graph(workflow, registry)).issues[0]
    assert (issue.node, issue.input, issue.given) == ("sum", "a", "str")

"""Writes docs/nodes.md from the declarations of the built-in nodes: ``python docs/make_nodes.py``."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

from nodegraph.node_type import Input, Node, plain
from nodegraph.registry import NodeRegistry

PAGE = Path(__file__).with_name("nodes.md")
HEAD = """# Nodes

Every built-in node, by category. Made by `docs/make_nodes.py` from the nodes' own signatures and
docstrings; `nodegraph nodes NAME` prints one, `nodegraph nodes --json` all of them with JSON schemas.
"""


def page() -> str:
    """The whole page."""
    registry = NodeRegistry()
    registry.discover("nodes", "")
    groups = groupby(registry.nodes(), key=lambda node: node.category)
    return HEAD + "".join(f"\n## {category}\n" + "".join(map(_section, nodes)) for category, nodes in groups)


def _section(node: Node) -> str:
    marks = [mark for mark, given in (("output node", node.terminal), ("device", node.device)) if given]
    outputs = ", ".join(f"`{output.name}`: {output.type}" for output in node.outputs) or "none"
    lines = [f"\n### {node.id}", "", node.description, ""]
    lines += ["| input | type | default | |", "| --- | --- | --- | --- |"]
    lines += [_row(input) for input in node.inputs.values()]
    lines += ["", f"Outputs: {outputs}." + (f" ({', '.join(marks)})" if marks else "")]
    return "\n".join(lines) + "\n"


def _row(input: Input) -> str:
    default = "required" if input.required else f"`{_short(plain(input.default))}`"
    type = " · ".join(f"`{value}`" for value in input.menu) if input.menu else input.type.name
    limits = _limits(input.json_schema)
    text = " ".join(part for part in (input.description.replace("\n", " "), limits) if part)
    return f"| `{input.name}` | {type} | {default} | {text} |".replace(" | None", " or None")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 40 else text[:37] + "…"


def _limits(schema: dict[str, Any]) -> str:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    if low is None and high is None:
        return ""
    return f"({'' if low is None else low}…{'' if high is None else high})"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")

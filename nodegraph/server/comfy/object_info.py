"""Node types as ``/object_info`` describes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from nodegraph.files import INPUTS, OutputFile
from nodegraph.node_type import Input, Node, Output, plain
from nodegraph.registry import NodeRegistry
from nodegraph.sockets import SocketType

PLAIN = {int: "INT", float: "FLOAT", str: "STRING", bool: "BOOLEAN"}
ANYTHING = "*"
WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
BOUNDS = {
    "minimum": "min",
    "maximum": "max",
    "exclusiveMinimum": "min",
    "exclusiveMaximum": "max",
    "multipleOf": "step",
}

POSITIONS = {
    "CLIPTextEncode": ("text", "clip"),
    "KSampler": (
        "model",
        "seed",
        "steps",
        "cfg",
        "sampler_name",
        "scheduler",
        "positive",
        "negative",
        "latent_image",
        "denoise",
    ),
}
"""The order in which ComfyUI declares inputs, where ours is another: some clients give them by position."""

FileNames = Callable[[str], Sequence[str]]
"""The names of the files in a folder, such as ``checkpoints``."""


def all_nodes(registry: NodeRegistry, names: FileNames) -> dict[str, Any]:
    """Every node type, by id."""
    return {node.id: describe_node(node, names) for node in registry.nodes()}


def describe_node(node: Node, names: FileNames) -> dict[str, Any]:
    """One node type.

    ComfyUI calls optional what may stay unconnected; an input with a default is required there, and its
    default is told.
    """
    inputs = {name: node.inputs[name] for name in _in_order(node)}
    entries = {name: input_entry(input, _files(input, names)) for name, input in inputs.items()}
    optional = [name for name, input in inputs.items() if _may_be_absent(input)]
    required = [name for name in inputs if name not in optional]
    groups = {"required": required, **({"optional": optional} if optional else {})}
    outputs = wired_outputs(node)
    return {
        "input": {group: {name: entries[name] for name in members} for group, members in groups.items()},
        "input_order": groups,
        "is_input_list": False,
        "output": [type_name(output.type) for output in outputs],
        "output_is_list": [output.type.kind == "list" for output in outputs],
        "output_name": [output.name for output in outputs],
        "output_tooltips": [output.description for output in outputs],
        "name": node.id,
        "display_name": node.title,
        "description": node.description,
        "python_module": f"custom_nodes.{node.pack}" if node.pack else "nodes",
        "category": node.category,
        "output_node": node.terminal,
        "deprecated": False,
        "experimental": False,
        "api_node": False,
    }


def input_entry(input: Input, files: Iterable[str]) -> list[Any]:
    """``[type or menu, options]`` of an input.

    Args:
        files: the menu of an input that names a file.
    """
    menu = list(files) if input.folder else [plain(item) for item in input.menu or ()]
    has_menu = input.folder is not None or input.menu is not None
    return [menu if has_menu else type_name(input.type), _options(input, has_menu)]


def wired_outputs(node: Node) -> tuple[Output, ...]:
    """The outputs that clients may wire; files written for the user are told in the history instead."""
    if node.terminal and all(_is_files(output.type) for output in node.outputs):
        return ()
    return node.outputs


def type_name(type: SocketType) -> str:
    """ComfyUI's name of a socket type: ``IMAGE``, ``CONTROL_NET``, ``INT,FLOAT``, ``*``."""
    if type.kind == "list":
        return type_name(type.args[0])
    if type.kind == "union":
        names = [type_name(member) for member in type.args if member.kind != "none"]
        return ANYTHING if ANYTHING in names else ",".join(dict.fromkeys(names))
    if type.cls is None:
        return ANYTHING
    return PLAIN.get(type.cls) or WORD_START.sub("_", type.cls.__name__).upper()


def _in_order(node: Node) -> list[str]:
    first = [name for name in POSITIONS.get(node.id, ()) if name in node.inputs]
    return first + [name for name in node.inputs if name not in first]


def _is_files(type: SocketType) -> bool:
    return (type.args[0] if type.kind == "list" else type).cls is OutputFile


def _may_be_absent(input: Input) -> bool:
    return not input.required and (input.default is None or input.socket_only)


def _files(input: Input, names: FileNames) -> Sequence[str]:
    return names(input.folder) if input.folder else ()


def _options(input: Input, has_menu: bool) -> dict[str, Any]:
    options: dict[str, Any] = {"tooltip": input.description} if input.description else {}
    if not input.required and input.default is not None and not input.socket_only:
        options["default"] = plain(input.default)
    if input.lazy:
        options["lazy"] = True
    return options | ({} if has_menu else _limits(input.json_schema)) | _widget(input)


def _limits(schema: Mapping[str, Any]) -> dict[str, Any]:
    found = schema if not schema.get("anyOf") else next(iter(schema["anyOf"]))
    return {name: found[key] for key, name in BOUNDS.items() if key in found}


def _widget(input: Input) -> dict[str, Any]:
    options: dict[str, Any] = {"image_upload": True} if input.folder == INPUTS else {}
    if input.widget is None:
        return options
    if input.widget.kind == "seed":
        options["control_after_generate"] = True
    return options | ({"multiline": True} if input.widget.options.get("multiline") else {})

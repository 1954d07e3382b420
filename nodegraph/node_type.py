"""The immutable record of a node type, and the markers that refine its signature."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Literal, NewType, NotRequired, TypeVar, Union, get_args, get_origin

from annotated_types import BaseMetadata
from pydantic import ConfigDict, Field, InstanceOf, TypeAdapter, with_config
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import SchemaValidator
from pydantic_core.core_schema import IsInstanceSchema
from typing_extensions import TypedDict

from nodegraph.body import takes_body
from nodegraph.files import InFolder
from nodegraph.interface import BodyInterface
from nodegraph.sockets import SocketType, class_socket, has_json_form, variables_in
from nodegraph.titles import title_of

REQUIRED: Any = type("Required", (), {"__repr__": lambda self: "REQUIRED"})()


@dataclass(frozen=True)
class Lazy:
    """Marks an input that is computed only when the node's ``needs=`` asks for it.

    An input that was not asked for arrives as ``None``.
    """


class Widget:
    """Says how an editor shows an input: ``Widget("slider")``, ``Widget("text", multiline=True)``."""

    def __init__(self, kind: str, **options: Any) -> None:
        self.kind = kind
        self.options = options


class _ConstantSchema(GenerateJsonSchema):
    """JSON schema of constants: a class that only a wire can carry is matched by no constant."""

    def is_instance_schema(self, schema: IsInstanceSchema) -> dict[str, Any]:
        return {"not": {}}


@dataclass(frozen=True)
class Input:
    """One input of a node.

    Attributes:
        name: its name in the signature.
        type: what may be wired into it.
        annotation: the annotation as written, constraints included.
        default: its default, or ``REQUIRED``.
        description: from ``Field(description=...)`` or the docstring.
        lazy: computed only on demand.
        menu: the allowed values of a ``Literal`` or enum.
        folder: the folder whose files it names, if it is an ``InFolder`` input.
        widget: how an editor shows it, if the author said.
        interface: what the bodies that it takes must look like, if the author said.
    """

    name: str
    type: SocketType
    annotation: Any
    default: Any = REQUIRED
    description: str = ""
    lazy: bool = False
    menu: tuple[Any, ...] | None = None
    folder: str | None = None
    widget: Widget | None = None
    interface: BodyInterface | None = None

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is REQUIRED

    @property
    def socket_only(self) -> bool:
        """Whether only a wire can give it a value, because its type has no JSON form."""
        return not has_json_form(self.type)

    @cached_property
    def constrained(self) -> bool:
        """Whether its values have to meet more than its type."""
        return _has_constraints(self.annotation)

    @cached_property
    def json_schema(self) -> dict[str, Any]:
        """JSON schema of the constants it takes; empty for an input that only a wire can feed."""
        if self.socket_only:
            return {}
        schema = TypeAdapter(checked_annotation(self.annotation)).json_schema(
            schema_generator=_ConstantSchema
        )
        if self.widget:
            schema["x-widget"] = {"kind": self.widget.kind, **self.widget.options}
        if self.folder:
            schema["x-folder"] = self.folder
        return schema


@dataclass(frozen=True)
class Output:
    """One output of a node: its name and the type of what it carries."""

    name: str
    type: SocketType
    description: str = ""


Migration = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, eq=False)
class Node:
    """A node type, read from the signature of a function.

    Attributes:
        id: its name in workflows: ``KSampler``, or ``pack.Name`` for a third-party pack.
        function: the function itself, ``ctx`` first if ``takes_context``.
        inputs: by name, in the order of the signature.
        outputs: in order.
        category: slash-separated place in menus.
        version: raised when inputs change, with a migration from the version before.
        description: first paragraph of the docstring.
        display_name: its title, where that is not its id in words; see ``title``.
        terminal: a run ends in it: it saves or shows something, so it runs although nothing follows.
        device: it computes on the device, one such node at a time.
        cacheable: equal inputs give equal outputs; otherwise it runs anew in every run.
        takes_context: its first parameter is the ``NodeContext``.
        is_async: it is a coroutine function.
        needs: ``needs(**eager inputs) -> names`` of the lazy inputs to compute.
        fingerprint: ``fingerprint(**constant inputs)`` returns a value that enters the key; it may name
            ``files``, the engine's ``Folders``. Where an input is wired, a default of the function's own
            stands in; without one the result is never kept.
        infer: given a ``Spec`` for each input it names (and ``files``, the engine's ``Folders``, if it
            names that), returns facts about the output, or by output name where there are several, or
            raises ``Mismatch``.
        fallback: a cheaper function of the same signature, tried once when memory runs out.
        migrations: ``{version: function}`` from that version's inputs to the next version's.
        pack: name of the pack it came with, set by the registry.
    """

    id: str
    function: Callable[..., Any]
    inputs: Mapping[str, Input]
    outputs: tuple[Output, ...]
    category: str = "general"
    version: int = 1
    description: str = ""
    display_name: str = ""
    terminal: bool = False
    device: bool = False
    cacheable: bool = True
    takes_context: bool = False
    is_async: bool = False
    needs: Callable[..., Any] | None = None
    fingerprint: Callable[..., Any] | None = None
    infer: Callable[..., Any] | None = None
    fallback: Callable[..., Any] | None = None
    migrations: Mapping[int, Migration] = field(default_factory=lambda: MappingProxyType({}))
    pack: str = ""

    def __repr__(self) -> str:
        return f"<node {self.id} v{self.version}>"

    @property
    def title(self) -> str:
        """What people read: the declared ``display_name``, else the id in words."""
        return self.display_name or title_of(self.id)

    def output(self, name: str) -> Output | None:
        """The output of that name, or ``None``."""
        return self._outputs_by_name.get(name)

    @cached_property
    def _outputs_by_name(self) -> dict[str, Output]:
        return {output.name: output for output in self.outputs}

    @cached_property
    def output_index(self) -> dict[str, int]:
        """Position of each output, by name."""
        return {output.name: index for index, output in enumerate(self.outputs)}

    @cached_property
    def required(self) -> frozenset[str]:
        """Names of the inputs without a default."""
        return frozenset(name for name, input in self.inputs.items() if input.required)

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """Default values by input name, normalised like constants. Do not modify."""
        given = {name: input.default for name, input in self.inputs.items() if not input.required}
        unset = {name: None for name in given if given[name] is None}  # allowed for a lazy input of any type
        rest = {name: value for name, value in given.items() if name not in unset}
        return {**given, **self.validator.validate_python(rest)}

    @cached_property
    def generic(self) -> bool:
        """Whether an output type depends on what is wired in."""
        return any(variables_in(output.type) for output in self.outputs)

    @cached_property
    def file_inputs(self) -> dict[str, str]:
        """Inputs that name a file, with the folder."""
        return {name: input.folder for name, input in self.inputs.items() if input.folder}

    @cached_property
    def lazy_inputs(self) -> frozenset[str]:
        """Names of the inputs computed on demand."""
        return frozenset(name for name, input in self.inputs.items() if input.lazy)

    @cached_property
    def validator(self) -> SchemaValidator:
        """Checks and normalises a dict of constants in one call; unknown names are refused."""
        fields = {
            name: NotRequired[checked_annotation(input.annotation)] for name, input in self.inputs.items()
        }
        strict = with_config(ConfigDict(strict=True, extra="forbid", allow_inf_nan=False))
        typed_dict = strict(TypedDict("Constants", fields))  # type: ignore[operator]
        validator = TypeAdapter(typed_dict).validator
        assert isinstance(validator, SchemaValidator)
        return validator

    def describe(self) -> dict[str, Any]:
        """All of the declaration as JSON data."""
        return {
            "id": self.id,
            "display_name": self.title,
            "category": self.category,
            "version": self.version,
            "description": self.description,
            "pack": self.pack,
            "terminal": self.terminal,
            "device": self.device,
            "cacheable": self.cacheable,
            "inputs": {name: _describe_input(input) for name, input in self.inputs.items()},
            "outputs": [
                {"name": output.name, "type": output.type.name, "description": output.description}
                for output in self.outputs
            ],
        }


def _describe_input(input: Input) -> dict[str, Any]:
    description: dict[str, Any] = {
        "type": input.type.name,
        "required": input.required,
        "description": input.description,
        "lazy": input.lazy,
        "socket_only": input.socket_only,
        "schema": input.json_schema,
        "widget": widget_of(input),
    }
    if input.interface:
        description["body"] = input.interface.describe()
    if not input.required:
        description["default"] = plain(input.default)
    return description


WIDGETS = {"boolean": "switch", "integer": "number", "number": "number", "string": "text", "array": "list"}


def widget_of(input: Input) -> dict[str, Any] | None:
    """How an editor shows the constant of an input; ``None`` where only a wire can feed it.

    ``kind`` is what the author said, else ``file`` (of the folder ``folder``), ``menu`` (of ``choices``),
    ``body`` (a subgraph), ``switch``, ``number`` (``min``, ``max``, ``step``, ``whole``), ``text``, ``list``,
    or ``json`` for anything else.
    """
    if input.socket_only:
        return None
    schema = _without_none(input.json_schema)
    options = _options(input, schema)
    if input.widget is not None:
        return {**options, "kind": input.widget.kind, **input.widget.options}
    if input.folder:
        kind = "file"
    elif input.menu is not None:
        kind = "menu"
    elif takes_body(input.type):
        kind = "body"
    else:
        kind = WIDGETS.get(str(schema.get("type")), "json")
    return {"kind": kind, **options}


def _without_none(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of what is given, where null is another choice."""
    options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    return {**schema, **options[0]} if len(options) == 1 else schema


def _options(input: Input, schema: Mapping[str, Any]) -> dict[str, Any]:
    """What a widget has to know besides its kind."""
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    whole = schema.get("type") == "integer"
    step = schema.get("multipleOf", 1 if whole else None)
    choices = None if input.menu is None else [plain(value) for value in input.menu]
    known = {"min": low, "max": high, "step": step, "choices": choices, "folder": input.folder}
    return {name: value for name, value in known.items() if value is not None} | (
        {"whole": True} if whole else {}
    )


def plain(value: Any) -> Any:
    """An enum member as its value, a tuple as a list, anything else as it is."""
    if isinstance(value, enum.Enum):
        return value.value
    return [plain(item) for item in value] if isinstance(value, tuple) else value


@cache
def parameters_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """Names of the parameters of a function, without ``*`` and ``**``."""
    parameters = inspect.signature(function).parameters.values()
    return tuple(p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL))


@cache
def required_parameters_of(function: Callable[..., Any]) -> frozenset[str]:
    """Names of the parameters that have no default."""
    parameters = inspect.signature(function).parameters
    return frozenset(
        name for name in parameters_of(function) if parameters[name].default is inspect.Parameter.empty
    )


def _has_constraints(annotation: Any) -> bool:
    found = getattr(annotation, "__metadata__", ())
    own = (item.metadata if isinstance(item, FieldInfo) else isinstance(item, BaseMetadata) for item in found)
    return any(own) or any(map(_has_constraints, get_args(annotation)))


def checked_annotation(annotation: Any) -> Any:
    """The annotation pydantic checks constants against.

    Enums and tuples are read from their JSON form; a class without a JSON form is checked by
    ``isinstance`` alone, so that pydantic does not look inside tensors; a type variable takes anything.
    Constraints stay where they are.
    """
    origin, args = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, TypeVar):
        return Any
    if isinstance(annotation, NewType):
        return checked_annotation(annotation.__supertype__)
    if origin is Annotated:
        return Annotated[checked_annotation(args[0]), *args[1:]]
    if origin in (Union, UnionType):
        return Union[tuple(map(checked_annotation, args))]  # noqa: UP007 - made at run time
    if origin is list:
        return list[checked_annotation(args[0])]  # type: ignore[misc]
    return _checked_class(annotation, origin or annotation)


def _checked_class(annotation: Any, cls: Any) -> Any:
    if cls in (Any, Literal, NoneType) or not isinstance(cls, type):
        return annotation
    if issubclass(cls, enum.Enum | tuple):
        return Annotated[annotation, Field(strict=False)]
    return annotation if has_json_form(class_socket(cls)) else InstanceOf[cls]  # type: ignore[misc]


__all__ = ["REQUIRED", "InFolder", "Input", "Lazy", "Migration", "Node", "Output", "Widget"]

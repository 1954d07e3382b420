"""Reading a node from a typed function: its signature is the only declaration."""

from __future__ import annotations

import enum
import inspect
import re
import typing
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import update_wrapper
from types import MappingProxyType
from typing import (
    Annotated,
    Any,
    Concatenate,
    Generic,
    Literal,
    NoReturn,
    ParamSpec,
    TypeVar,
    get_args,
    get_origin,
    overload,
)

import docstring_parser
from pydantic.fields import FieldInfo

from nodegraph.context import NodeContext
from nodegraph.contradictions import contradictions
from nodegraph.errors import DeclarationError
from nodegraph.files import InFolder
from nodegraph.handles import Call, Subgraph, new_handle
from nodegraph.interface import BodyInterface
from nodegraph.node_type import REQUIRED, Input, Lazy, Migration, Node, Output, Widget
from nodegraph.sockets import SocketType, socket_type

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
S = TypeVar("S")


class NodeFunction(Generic[P, R, Q, S]):
    """A typed function that is also a node: call it as before, or wire it with ``.node(...)``.

    Attributes:
        record: what was read from the signature.
    """

    def __init__(self, function: Callable[P, R], record: Node) -> None:
        update_wrapper(self, function)
        self._function = function
        self.record = record

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function itself."""
        return self._function(*args, **kwargs)

    def node(self, *args: Q.args, **kwargs: Q.kwargs) -> S:
        """Put the node into a graph instead of running it.

        To a type checker this is the function without ``ctx``, so a wrong wire is a type error where it
        is written. What really comes back is a handle: wire it on, or give it to
        ``Workflow.from_outputs``.
        """
        names = list(self.record.inputs)
        if len(args) > len(names):
            raise TypeError(f"{self.record.id} takes {len(names)} inputs, got {len(args)}")
        call = Call(self.record, {**dict(zip(names, args, strict=False)), **kwargs})
        return typing.cast(S, new_handle(call))

    def __repr__(self) -> str:
        return repr(self.record)


class _Decorator:
    def __init__(self, **options: Any) -> None:
        self._options = options

    @overload
    def __call__(
        self, function: Callable[Concatenate[NodeContext, P], Coroutine[Any, Any, R]]
    ) -> NodeFunction[Concatenate[NodeContext, P], Coroutine[Any, Any, R], P, R]: ...
    @overload
    def __call__(
        self, function: Callable[Concatenate[NodeContext, P], R]
    ) -> NodeFunction[Concatenate[NodeContext, P], R, P, R]: ...
    @overload
    def __call__(
        self, function: Callable[P, Coroutine[Any, Any, R]]
    ) -> NodeFunction[P, Coroutine[Any, Any, R], P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R]) -> NodeFunction[P, R, P, R]: ...
    def __call__(self, function: Any) -> Any:
        try:
            declared: Any = NodeFunction(function, _Reader(function).node(**self._options))
        except DeclarationError as error:
            return _noted(error, function)
        if (declarations := _declarations.get()) is not None:
            declarations.append(declared)
        return declared


_mistakes: ContextVar[list[DeclarationError] | None] = ContextVar("mistakes", default=None)
_declarations: ContextVar[list[NodeFunction[Any, Any, Any, Any]] | None] = ContextVar(
    "declarations", default=None
)


@contextmanager
def collected_declarations() -> Iterator[list[NodeFunction[Any, Any, Any, Any]]]:
    """While the ``with`` block lasts, every node that is declared goes into the list that it gives.

    It holds those too whose names were given to something else afterwards.
    """
    declarations: list[NodeFunction[Any, Any, Any, Any]] = []
    token = _declarations.set(declarations)
    try:
        yield declarations
    finally:
        _declarations.reset(token)


@contextmanager
def collected_mistakes() -> Iterator[list[DeclarationError]]:
    """While the ``with`` block lasts, wrong declarations go into the list that it gives.

    Each leaves its function as it was, so that the rest of the module is read as well. Modules with
    mistakes are not fit for use.
    """
    mistakes: list[DeclarationError] = []
    token = _mistakes.set(mistakes)
    try:
        yield mistakes
    finally:
        _mistakes.reset(token)


def _noted(error: DeclarationError, function: Any) -> Any:
    mistakes = _mistakes.get()
    if mistakes is None:
        raise error
    mistakes.append(error)
    return function


def node(
    function: None = None,
    /,
    *,
    category: str = "general",
    version: int = 1,
    name: str | None = None,
    display_name: str = "",
    outputs: Sequence[str] | None = None,
    terminal: bool = False,
    device: bool = False,
    cache: bool = True,
    needs: Callable[..., Sequence[str]] | None = None,
    fingerprint: Callable[..., Any] | None = None,
    infer: Callable[..., Any] | None = None,
    fallback: Callable[..., Any] | None = None,
    migrations: Mapping[int, Migration] | None = None,
) -> _Decorator:
    """Make a typed function a node; see ``Node`` for what each option means.

    Args:
        name: the node's name where it is not the function's.
        outputs: names of the outputs where the return annotation does not name them.

    Raises:
        DeclarationError: the declaration contradicts itself; the message names file and line.
    """
    bare: Any = function
    if bare is not None:
        return typing.cast(_Decorator, _without_parentheses(bare))
    return _Decorator(
        category=category,
        version=version,
        name=name,
        display_name=display_name,
        output_names=outputs,
        terminal=terminal,
        device=device,
        cacheable=cache,
        needs=needs,
        fingerprint=fingerprint,
        infer=infer,
        fallback=fallback,
        migrations=MappingProxyType(dict(migrations or {})),
    )


def _without_parentheses(function: Callable[..., Any]) -> Any:
    try:
        _Reader(function).fail("write @node() with parentheses, and options in them")
    except DeclarationError as error:
        return _noted(error, function)


class _Reader:
    """Reads one function; every complaint names the author's file and line."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.signature = inspect.signature(function)
        self.doc = docstring_parser.parse(inspect.getdoc(function) or "")
        try:
            self.hints = typing.get_type_hints(function, include_extras=True)
        except Exception as error:  # noqa: BLE001 - any failure of an annotation is the author's
            self.fail(f"an annotation cannot be evaluated: {error}")

    def fail(self, problem: str) -> NoReturn:
        code = getattr(inspect.unwrap(self.function), "__code__", None)
        place = f"{code.co_filename}:{code.co_firstlineno}" if code else repr(self.function)
        raise DeclarationError(place, f"node {getattr(self.function, '__name__', '?')}: {problem}") from None

    def node(self, *, name: str | None, output_names: Sequence[str] | None, **options: Any) -> Node:
        takes_context, parameters = self._parameters()
        record = Node(
            id=name or self.function.__name__,
            function=self.function,
            inputs=MappingProxyType({p.name: self._input(p) for p in parameters}),
            outputs=self._outputs(output_names),
            description=self._description(),
            takes_context=takes_context,
            is_async=inspect.iscoroutinefunction(self.function),
            **options,
        )
        for problem in contradictions(record):
            self.fail(problem)
        return record

    def _parameters(self) -> tuple[bool, list[inspect.Parameter]]:
        parameters = list(self.signature.parameters.values())
        for parameter in parameters:
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                self.fail(f"*{parameter.name} has no name and type a socket could have; list the inputs")
            if parameter.kind is parameter.POSITIONAL_ONLY:
                self.fail(f"input {parameter.name!r} is positional-only, but inputs are given by name")
            if parameter.name not in self.hints:
                self.fail(f"input {parameter.name!r} has no type annotation")
        takes_context = bool(parameters) and self.hints[parameters[0].name] is NodeContext
        inputs = parameters[takes_context:]
        if any(self.hints[parameter.name] is NodeContext for parameter in inputs):
            self.fail("the NodeContext must be the first parameter")
        return takes_context, inputs

    def _input(self, parameter: inspect.Parameter) -> Input:
        annotation = self.hints[parameter.name]
        metadata = getattr(annotation, "__metadata__", ())
        type = self._socket(annotation, f"input {parameter.name!r}")
        default = REQUIRED if parameter.default is parameter.empty else parameter.default
        widget = next((m for m in metadata if isinstance(m, Widget)), None)
        return Input(
            name=parameter.name,
            type=type,
            annotation=annotation,
            default=default,
            description=self._input_description(parameter.name, metadata),
            lazy=any(isinstance(m, Lazy) or m is Lazy for m in metadata),
            menu=_menu(annotation),
            folder=next((m.folder for m in metadata if isinstance(m, InFolder)), None),
            widget=widget,
            interface=next((m for m in metadata if isinstance(m, BodyInterface)), None),
        )

    def _socket(self, annotation: Any, what: str) -> SocketType:
        try:
            return socket_type(annotation)
        except TypeError as error:
            self.fail(f"{what}: {error}")

    def _input_description(self, name: str, metadata: Sequence[Any]) -> str:
        for item in metadata:
            if isinstance(item, FieldInfo) and item.description:
                return item.description
        return next((p.description or "" for p in self.doc.params if p.arg_name == name), "")

    def _description(self) -> str:
        parts = (self.doc.short_description, self.doc.long_description)
        return "\n\n".join(part for part in parts if part)

    def _outputs(self, names: Sequence[str] | None) -> tuple[Output, ...]:
        if "return" not in self.hints:
            self.fail("it has no return annotation; a node that returns nothing says '-> None'")
        annotation = _without_subgraph(self.hints["return"])
        if annotation is None or annotation is type(None):
            if names:
                self.fail(f"outputs= names {len(names)} outputs, but it returns nothing")
            return ()
        found = self._named_outputs(annotation)
        if names is not None:
            if len(names) != len(found):
                self.fail(f"outputs= names {len(names)} outputs, the return annotation has {len(found)}")
            found = [(name, type) for name, (_, type) in zip(names, found, strict=True)]
        doubled = {name for name, _ in found if sum(other == name for other, _ in found) > 1}
        if doubled:
            self.fail(f"output name {sorted(doubled)[0]!r} is used twice; name the outputs with outputs=")
        return tuple(Output(name, type) for name, type in found)

    def _named_outputs(self, annotation: Any) -> list[tuple[str, SocketType]]:
        if isinstance(annotation, type) and issubclass(annotation, tuple) and hasattr(annotation, "_fields"):
            hints = typing.get_type_hints(annotation, include_extras=True)
            return [(name, self._socket(hints[name], f"output {name!r}")) for name in annotation._fields]
        if get_origin(annotation) is tuple and Ellipsis not in get_args(annotation):
            types = [self._socket(item, "the return annotation") for item in get_args(annotation)]
            return [(default_output_name(type), type) for type in types]
        type_ = self._socket(annotation, "the return annotation")
        return [(default_output_name(type_), type_)]


def _menu(annotation: Any) -> tuple[Any, ...] | None:
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return tuple(member.value for member in annotation)
    return None


def _without_subgraph(annotation: Any) -> Any:
    if annotation is Subgraph:
        return Any
    if Subgraph not in get_args(annotation):
        return annotation
    rest = [member for member in get_args(annotation) if member is not Subgraph]
    union = rest[0]
    for member in rest[1:]:
        union = union | member
    return union


def default_output_name(type: SocketType) -> str:
    """The name of an output that the author did not name: its type's, in snake case, or ``result``."""
    if type.kind != "class":
        return "results" if type.kind == "list" else "result"
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type.name).lower()

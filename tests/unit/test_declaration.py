import asyncio
import enum
import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple, Never, TypeVar

import pytest
from pydantic import Field

from nodegraph import Handle, InFolder, Lazy, NodeContext, NodeFunction, Subgraph, Widget, node
from nodegraph.errors import DeclarationError, WorkflowError
from nodegraph.sockets import socket_type
from nodegraph.specs import Spec

T = TypeVar("T")


@dataclass(frozen=True)
class Picture:
    name: str


class Mode(enum.Enum):
    FAST = "fast"
    GOOD = "good"


class Halves(NamedTuple):
    left: Picture
    right: Picture


@node(category="test/pictures", version=2, migrations={1: dict})
def Scale(
    picture: Picture,
    width: Annotated[int, Field(ge=1, le=64, description="columns of the result")] = 8,
    method: Literal["nearest", "area"] = "area",
    mode: Mode = Mode.GOOD,
) -> Picture:
    """Resize a picture.

    Keeps the proportions.

    Args:
        picture: what to resize.
        width: overruled by the Field.
        method: how pixels are mixed.
    """
    return Picture(f"{picture.name}@{width}")


@node()
def Split(ctx: NodeContext, picture: Picture) -> Halves:
    return Halves(picture, picture)


@node()
async def Fetch(name: str = "x") -> Picture:
    await asyncio.sleep(0)
    return Picture(name)


@contextmanager
def refused(*words: str) -> Iterator[None]:
    """The node declared one empty line below is refused with these words, at its author's file and line."""
    line = sys._getframe(2).f_lineno + 2
    with pytest.raises(DeclarationError) as caught:
        yield
    assert str(caught.value).startswith(f"{__file__}:{line}: node ")
    for word in words:
        assert word in str(caught.value)


# --- what is read from the signature --------------------------------------------------------------------


def test_the_function_stays_callable():
    assert Scale(Picture("cat"), width=3) == Picture("cat@3")
    assert Scale.__name__ == "Scale"
    assert (Scale.__doc__ or "").startswith("Resize a picture.")


def test_an_async_function_stays_a_coroutine_function():
    assert asyncio.run(Fetch("a")) == Picture("a")
    assert Fetch.record.is_async
    assert not Scale.record.is_async


def test_names_types_and_defaults_come_from_the_signature():
    inputs = Scale.record.inputs
    assert list(inputs) == ["picture", "width", "method", "mode"]
    assert inputs["picture"].type is socket_type(Picture)
    assert inputs["picture"].required
    assert inputs["width"].default == 8
    assert Scale.record.required == {"picture"}
    assert Scale.record.defaults == {"width": 8, "method": "area", "mode": Mode.GOOD}


def test_descriptions_come_from_field_and_docstring():
    assert Scale.record.description == "Resize a picture.\n\nKeeps the proportions."
    assert Scale.record.inputs["picture"].description == "what to resize."
    assert Scale.record.inputs["width"].description == "columns of the result"
    assert Scale.record.inputs["mode"].description == ""


def test_literals_and_enums_are_menus():
    assert Scale.record.inputs["method"].menu == ("nearest", "area")
    assert Scale.record.inputs["mode"].menu == ("fast", "good")
    assert Scale.record.inputs["width"].menu is None


def test_the_options_are_part_of_the_record():
    record = Scale.record
    assert (record.id, record.category, record.version) == ("Scale", "test/pictures", 2)
    assert not (record.terminal or record.device)
    assert record.cacheable


def test_one_output_is_named_after_its_class():
    @node()
    def Make() -> dict[str, Any]:
        return {}

    @node()
    def Both() -> tuple[Picture, list[int]]:
        return Picture(""), []

    assert [output.name for output in Scale.record.outputs] == ["picture"]
    assert [output.name for output in Make.record.outputs] == ["dict"]
    assert [output.name for output in Both.record.outputs] == ["picture", "results"]


def test_a_named_tuple_names_several_outputs():
    assert [(output.name, output.type) for output in Split.record.outputs] == [
        ("left", socket_type(Picture)),
        ("right", socket_type(Picture)),
    ]


def test_outputs_may_be_named_by_the_decorator():
    @node(outputs=["low", "high"])
    def Range(middle: int) -> tuple[int, int]:
        return middle - 1, middle + 1

    assert [output.name for output in Range.record.outputs] == ["low", "high"]


def test_a_node_may_return_nothing():
    @node(terminal=True)
    def Show(text: str) -> None:
        return None

    assert Show.record.outputs == ()


def test_a_subgraph_in_the_return_annotation_is_no_output():
    @node(outputs=["value"])
    def Loop(value: T) -> T | Subgraph:
        return value

    assert [(output.name, output.type) for output in Loop.record.outputs] == [("value", socket_type(T))]


def test_the_context_is_no_input():
    assert Split.record.takes_context
    assert list(Split.record.inputs) == ["picture"]


def test_markers_refine_an_input():
    @node(needs=lambda: ["other"])
    def Marked(
        file: Annotated[str, InFolder("inputs")] = "cat.png",
        text: Annotated[str, Widget("text", multiline=True)] = "",
        other: Annotated[Picture | None, Lazy()] = None,
    ) -> str:
        return text

    inputs = Marked.record.inputs
    assert Marked.record.file_inputs == {"file": "inputs"}
    assert inputs["text"].widget is not None
    assert inputs["text"].widget.options == {"multiline": True}
    assert Marked.record.lazy_inputs == {"other"}


def test_a_declaration_describes_itself_as_json():
    description = Scale.record.describe()
    assert description["outputs"] == [{"name": "picture", "type": "Picture", "description": ""}]
    assert description["inputs"]["width"]["schema"]["maximum"] == 64
    assert description["inputs"]["mode"]["default"] == "good"
    assert description["inputs"]["mode"]["schema"]["enum"] == ["fast", "good"]
    assert description["inputs"]["picture"]["socket_only"]
    assert description["inputs"]["picture"]["schema"] == {}


# --- how constants are checked --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("annotation", "given", "read"),
    [
        (float, 2, 2.0),
        (Mode, "fast", Mode.FAST),
        (Mode | None, "fast", Mode.FAST),
        (list[Mode], ["fast", "good"], [Mode.FAST, Mode.GOOD]),
        (tuple[int, str], [1, "a"], (1, "a")),
        (Annotated[int | None, Field(ge=1)], None, None),
        (list[Annotated[int, Field(ge=0)]], [0, 1], [0, 1]),
        (Annotated[list[T], Field(max_length=1)], ["x"], ["x"]),
    ],
)
def test_constants_are_read_from_their_json_form(annotation, given, read):
    def Read(value):
        return value

    Read.__annotations__ = {"value": annotation, "return": Any}
    checked = node()(Read).record.validator.validate_python({"value": given})["value"]
    assert checked == read
    assert type(checked) is type(read)


def test_a_default_is_read_like_a_constant():
    @node()
    def Read(strength: float = 1, mode: Mode = Mode.FAST, shape: tuple[int, int] = (1, 2)) -> float:
        return strength

    assert Read.record.defaults == {"strength": 1.0, "mode": Mode.FAST, "shape": (1, 2)}
    assert type(Read.record.defaults["strength"]) is float


# --- wiring nodes ---------------------------------------------------------------------------------------


def test_node_returns_a_handle_with_the_outputs_as_attributes():
    halves = Split.node(Fetch.node("a"))
    assert isinstance(halves, Handle)
    assert isinstance(halves.left, Handle)
    left, right = halves
    assert isinstance(left, Handle)
    assert isinstance(right, Handle)


def test_a_handle_has_no_other_attributes():
    with pytest.raises(AttributeError, match=r"'middle' is not an output of Split \(outputs: left, right\)"):
        Split.node(Fetch.node()).middle  # noqa: B018


def test_an_unknown_input_is_refused_where_it_is_written():
    with pytest.raises(WorkflowError, match="Scale has no input 'height'; it has picture, width"):
        Scale.node(picture=Fetch.node(), height=3)


def test_too_many_inputs_are_refused_where_they_are_written():
    with pytest.raises(TypeError, match="Fetch takes 1 inputs, got 2"):
        Fetch.node("a", "b")


def test_a_node_function_is_typed_as_one():
    assert isinstance(Scale, NodeFunction)
    assert inspect.signature(Scale).parameters.keys() == {"picture", "width", "method", "mode"}


# --- contradictions -------------------------------------------------------------------------------------


def test_an_input_without_annotation_is_refused():
    with refused("input 'x' has no type annotation"):

        @node()
        def Bad(x) -> int:
            return 1


def test_no_return_annotation_is_refused():
    with refused("no return annotation"):

        @node()
        def Bad(x: int):
            return 1


def test_star_arguments_are_refused():
    with refused("*values has no name and type"):

        @node()
        def Bad(*values: int) -> int:
            return 1


def test_star_star_arguments_are_refused():
    with refused("options has no name and type"):

        @node()
        def Bad(**options: int) -> int:
            return 1


def test_positional_only_inputs_are_refused():
    with refused("'x' is positional-only"):

        @node()
        def Bad(x: int, /) -> int:
            return 1


def test_a_context_that_is_not_first_is_refused():
    with refused("NodeContext must be the first parameter"):

        @node()
        def Bad(x: int, ctx: NodeContext) -> int:
            return 1


def test_an_annotation_that_does_not_exist_is_refused():
    with refused("an annotation cannot be evaluated", "Nonsense"):

        @node()
        def Bad(x: "Nonsense") -> int:  # noqa: F821
            return 1


def test_an_annotation_that_is_no_type_is_refused():
    with refused("input 'x'", "cannot be a socket type"):

        @node()
        def Bad(x: Never) -> int:
            return 1


def test_a_default_outside_its_range_is_refused():
    with refused("default 9 of input 'x' breaks its own rule", "less than or equal to 5"):

        @node()
        def Bad(x: Annotated[int, Field(ge=1, le=5)] = 9) -> int:
            return 1


def test_a_default_that_is_not_on_the_menu_is_refused():
    with refused("default 'c' of input 'x'"):

        @node()
        def Bad(x: Literal["a", "b"] = "c") -> int:
            return 1


def test_a_default_of_another_type_is_refused():
    with refused("default None of input 'picture'"):

        @node()
        def Bad(picture: Picture = None) -> int:  # type: ignore[assignment]
            return 1


@pytest.mark.parametrize(
    "bounds",
    [
        Field(ge=5, le=1),
        Field(gt=1, lt=2),
        Field(gt=1, le=1),
        Field(ge=1, lt=1),
    ],
)
def test_a_range_without_a_value_is_refused(bounds):
    with refused("no value of input 'x' can meet all of"):

        @node()
        def Bad(x: Annotated[int, bounds]) -> int:
            return 1


def test_a_range_with_one_value_is_allowed():
    @node()
    def Good(
        whole: Annotated[int, Field(gt=0, lt=2)], real: Annotated[float, Field(gt=1.0, lt=1.1)] = 1.05
    ) -> int:
        return whole

    assert list(Good.record.inputs) == ["whole", "real"]


def test_a_length_that_no_text_has_is_refused():
    with refused("no value of input 'x' can meet all of min_length=5, max_length=1"):

        @node()
        def Bad(x: Annotated[str, Field(min_length=5, max_length=1)]) -> int:
            return 1


def test_a_range_inside_a_list_is_checked_too():
    with refused("no value of input 'x'", "ge=2, le=1"):

        @node()
        def Bad(x: list[Annotated[int, Field(ge=2, le=1)]]) -> int:
            return 1


def test_a_number_range_on_a_text_is_refused():
    with refused("constraints of input 'x' make no sense"):

        @node()
        def Bad(x: Annotated[str, Field(ge=1)]) -> int:
            return 1


def test_a_range_on_a_class_is_refused():
    with refused("input 'x' has a bound, but a Picture has no size"):

        @node()
        def Bad(x: Annotated[Picture, Field(le=3)]) -> int:
            return 1


def test_bounds_that_cannot_be_checked_are_refused():
    with refused("its constraints make no sense", "multiple_of"):

        @node()
        def Bad(x: Annotated[int, Field(multiple_of=0)]) -> int:
            return 1


def test_an_empty_menu_is_refused():
    class Empty(enum.Enum):
        pass

    with refused("the menu of input 'x' is empty"):

        @node()
        def Bad(x: Empty) -> int:
            return 1


def test_a_file_input_that_is_no_text_is_refused():
    with refused("input 'x' is an InFolder, so it must be a str, not int"):

        @node()
        def Bad(x: Annotated[int, InFolder("inputs")]) -> int:
            return 1


def test_an_output_name_used_twice_is_refused():
    with refused("output name 'int' is used twice", "outputs="):

        @node()
        def Bad(x: int) -> tuple[int, int]:
            return 1, 1


def test_outputs_that_do_not_match_the_annotation_are_refused():
    with refused("outputs= names 1 outputs, the return annotation has 2"):

        @node(outputs=["a"])
        def Bad(x: int) -> tuple[int, int]:
            return 1, 1


def test_outputs_of_a_node_that_returns_nothing_are_refused():
    with refused("outputs= names 1 outputs, but it returns nothing"):

        @node(outputs=["a"])
        def Bad(x: int) -> None:
            return None


def test_needs_without_a_lazy_input_is_refused():
    with refused("needs= is given, but no input is marked Lazy()"):

        @node(needs=lambda x: [])
        def Bad(x: int) -> int:
            return 1


def test_needs_with_a_parameter_that_is_no_input_is_refused():
    with refused("needs= has a parameter 'z', which is not an input"):

        @node(needs=lambda z: [])
        def Bad(x: Annotated[int | None, Lazy()]) -> int:
            return 1


def test_needs_that_looks_at_a_lazy_input_is_refused():
    with refused("needs= has a parameter 'x', which is lazy itself"):

        @node(needs=lambda x: [])
        def Bad(x: Annotated[int | None, Lazy()]) -> int:
            return 1


def test_a_fingerprint_of_something_that_is_no_input_is_refused():
    with refused("fingerprint= has a parameter 'path', which is not an input"):

        @node(fingerprint=lambda path: 1)
        def Bad(file: str) -> int:
            return 1


def test_an_infer_of_something_that_is_no_input_is_refused():
    def infer(picture: Spec, files: Any, model: Spec) -> dict[str, Any]:
        return {}

    with refused("infer= has a parameter 'model', which is not an input"):

        @node(infer=infer)
        def Bad(picture: Picture) -> Picture:
            return picture


def test_a_fallback_with_another_signature_is_refused():
    def tiled(picture: Picture, tile: int) -> Picture:
        return picture

    with refused("fallback= must have the signature of the node itself"):

        @node(fallback=tiled)
        def Bad(picture: Picture) -> Picture:
            return picture


def test_a_version_below_one_is_refused():
    with refused("version 0 is below 1"):

        @node(version=0)
        def Bad(x: int) -> int:
            return 1


def test_a_missing_migration_step_is_refused():
    with refused("migrations= has no step from version 1 to 2"):

        @node(version=3, migrations={2: dict})
        def Bad(x: int) -> int:
            return 1


def test_a_migration_from_a_version_to_come_is_refused():
    with refused("migrations= has a step from version 2, but the node is at version 2"):

        @node(version=2, migrations={1: dict, 2: dict})
        def Bad(x: int) -> int:
            return 1


def test_an_async_node_on_the_device_is_refused():
    with refused("device=True", "async"):

        @node(device=True)
        async def Bad(x: int) -> int:
            return 1

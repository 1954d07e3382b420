"""Nodes that fail: what ends with them, what goes on, and what the error says."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import pytest
import torch
from contract_support import PATIENCE, STAGE
from pydantic import Field

from nodegraph import NodeContext, node, with_id
from nodegraph.errors import InputError
from nodegraph.events import NodeFailed
from nodegraph.execution.base import CancelToken
from nodegraph.workflow import Workflow


class Quotient(NamedTuple):
    quotient: int
    remainder: int


class Abort(BaseException):
    """Not even an Exception."""


EXCEPTIONS: dict[str, Callable[[], BaseException]] = {
    "value error": lambda: ValueError("no"),
    "exit": lambda: SystemExit(3),
    "interrupt": KeyboardInterrupt,
    "base exception": lambda: Abort("no"),
    "generator exit": lambda: GeneratorExit("no"),
    "stop iteration": lambda: StopIteration("no"),
    "group": lambda: ExceptionGroup("several", [ValueError("a"), KeyError("b")]),
}


@dataclass(frozen=True, eq=False)
class Picture:
    pixels: torch.Tensor


@node()
def Add(a: int, b: int = 1) -> int:
    return a + b


@node()
def Fail(kind: str = "value error", after: Any = None) -> int:
    raise EXCEPTIONS[kind]()


@node()
async def FailAsync(kind: str = "value error") -> int:
    await asyncio.sleep(0)
    raise EXCEPTIONS[kind]()


@node()
def FailWith(picture: Picture, text: str, numbers: list[int]) -> int:
    deep = _inner_function
    return deep()


def _inner_function() -> int:
    raise RuntimeError("deep inside")


@node()
def Refuse(number: int) -> int:
    raise InputError("number", "it is odd; an even one would do")


@node()
def Numbers(count: int) -> list[int]:
    return list(range(count))


@node()
def FailOn(number: int, bad: int) -> int:
    STAGE.call("row")
    if number == bad:
        raise ValueError(f"{number} is bad")
    return number


@node()
async def FailAsyncOn(number: int, bad: int) -> int:
    if number == bad:
        raise ValueError(f"{number} is bad")
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        STAGE.call("row was stopped")
        raise
    return number


@node()
def Gather(values: list[Any]) -> list[Any]:
    return values


@node()
def Ranged(value: Annotated[int, Field(ge=0, le=10)]) -> int:
    return value


@node()
def LongList(values: Annotated[list[Picture], Field(min_length=2)]) -> int:
    return len(values)


@node()
def Anything(value: Any) -> Any:
    return value


@node()
def WrongType() -> int:
    return "text"  # type: ignore[return-value]


@node()
def WrongNone() -> int:
    return None  # type: ignore[return-value]


@node()
def WrongBool() -> int:
    return True


@node()
def WrongCount() -> Quotient:
    return (1,)  # type: ignore[return-value]


@node()
def WrongMember() -> Quotient:
    return Quotient(1, "two")  # type: ignore[arg-type]


@node()
def WrongElement() -> list[int]:
    return [1, "two"]  # type: ignore[list-item]


@node()
def Make(value: float = 1.0) -> Picture:
    return Picture(torch.full((2, 2), value))


@node()
def MakeTensors() -> dict:
    return {"a": [torch.ones(2)], "b": (torch.ones(3),)}


@node()
def Darken(picture: Picture) -> Picture:
    picture.pixels.mul_(0.5)
    return picture


@node()
def DarkenAll(pictures: list[Picture]) -> Picture:
    pictures[1].pixels[0] = 0
    return pictures[0]


@node()
def DarkenInside(tensors: dict) -> int:
    tensors["b"][0].zero_()
    return 1


@node()
async def DarkenAsync(picture: Picture) -> Picture:
    await asyncio.sleep(0)
    picture.pixels.zero_()
    return picture


@node()
def DarkenACopy(picture: Picture) -> Picture:
    copy = picture.pixels.clone()
    copy.mul_(0.5)
    return Picture(copy)


@node()
async def AwaitSignal(name: str) -> str:
    while not STAGE.signalled(name):
        await asyncio.sleep(0.001)
    return name


@node()
def Brightness(picture: Picture, after: Any = None) -> float:
    return float(picture.pixels.mean())


def failed(result: Any) -> Any:
    """The one error of a run that failed."""
    assert result.status == "failed"
    (error,) = result.errors
    return error


# --- what ends and what goes on -------------------------------------------------------------------------


def test_a_failure_ends_what_depends_on_it_and_nothing_else(engine_of, run):
    bad = with_id(Fail.node(), "bad")
    after = with_id(Add.node(with_id(Add.node(bad), "after")), "later")
    apart = with_id(Add.node(with_id(Add.node(1), "apart")), "apart later")
    events: list[Any] = []
    result = run(engine_of(), Workflow.from_outputs(after, apart), on_event=events.append)
    assert failed(result).node_id == "bad"
    assert result.outputs == {"apart later": {"int": 3}}
    assert set(result.nodes) == {"apart", "apart later"}
    ends = {(type(e).__name__, e.node) for e in events if type(e).__name__ in ("NodeFailed", "NodeCancelled")}
    assert ends == {("NodeFailed", "bad"), ("NodeCancelled", "after"), ("NodeCancelled", "later")}


def test_a_node_with_one_good_source_and_one_bad_is_cancelled(engine_of, run):
    total = with_id(Gather.node([Add.node(1), Fail.node(), Add.node(2)]), "total")
    result = run(engine_of(), Workflow.from_outputs(total))
    assert failed(result).node_type == "Fail"
    assert "total" not in result.nodes


def test_every_failure_is_reported(engine_of, run):
    workflow = Workflow.from_outputs(*(with_id(Fail.node(after=name), name) for name in "abc"))
    result = run(engine_of(), workflow)
    assert sorted(error.node_id for error in result.errors) == ["a", "b", "c"]


def test_what_finished_before_a_failure_is_not_computed_again(engine_of, run):
    engine = engine_of()
    workflow = Workflow.from_outputs(Fail.node(after=with_id(Add.node(1), "good")))
    run(engine, workflow)
    assert run(engine, workflow).nodes["good"].origin == "memory"


def test_an_engine_runs_on_after_a_failure(engine_of, run):
    engine = engine_of()
    run(engine, Workflow.from_outputs(Fail.node("exit")))
    assert run(engine, Workflow.from_outputs(Add.node(1))).status == "done"


# --- what the error says --------------------------------------------------------------------------------


def test_an_error_says_where_what_and_with_which_inputs(engine_of, run):
    node_with_inputs = FailWith.node(Make.node(), "some text", [1, 2, 3])
    error = failed(run(engine_of(), Workflow.from_outputs(with_id(node_with_inputs, "bad"))))
    assert (error.node_id, error.node_type) == ("bad", "FailWith")
    assert str(error) == "RuntimeError: deep inside"
    assert error.inputs == {
        "picture": "Picture(pixels=float32[2, 2])",
        "text": "'some text'",
        "numbers": "list of 3, first 1",
    }
    assert "_inner_function" in error.traceback
    assert error.to_json()["node"] == "bad"


def test_a_node_that_refuses_an_input_speaks_for_itself(engine_of, run):
    error = failed(run(engine_of(), Workflow.from_outputs(Refuse.node(3))))
    assert str(error) == "number: it is odd; an even one would do"


@pytest.mark.parametrize("kind", EXCEPTIONS)
def test_whatever_a_node_raises_is_its_own_failure(engine_of, run, kind):
    bad = with_id(Fail.node(kind), "bad")
    result = run(engine_of(), Workflow.from_outputs(bad, with_id(Add.node(1), "apart")))
    assert failed(result).node_id == "bad"
    assert type(EXCEPTIONS[kind]()).__name__ in str(failed(result))
    assert result.outputs == {"apart": {"int": 2}}


@pytest.mark.parametrize("kind", EXCEPTIONS)
def test_whatever_an_async_node_raises_is_its_own_failure(engine_of, run, kind):
    bad = with_id(FailAsync.node(kind), "bad")
    result = run(engine_of(), Workflow.from_outputs(bad, with_id(Add.node(1), "apart")))
    assert failed(result).node_id == "bad"
    assert result.outputs == {"apart": {"int": 2}}


def test_a_failing_element_is_the_failure_of_the_mapped_node(engine_of, run):
    mapped = with_id(FailOn.node(Numbers.node(5), 2), "mapped")
    error = failed(run(engine_of(), Workflow.from_outputs(mapped)))
    assert error.node_id == "mapped"
    assert error.inputs["number"] == "2"
    assert STAGE.calls["row"] == 3


def test_a_failing_element_of_an_async_node_stops_the_others(engine_of, run):
    error = failed(run(engine_of(), Workflow.from_outputs(FailAsyncOn.node(Numbers.node(4), 2))))
    assert "2 is bad" in str(error)
    assert error.inputs["number"] == "2"
    assert STAGE.calls["row was stopped"] >= 2


# --- wrong values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (WrongType, "output int is declared as int, but is str"),
        (WrongNone, "output int is declared as int, but is NoneType"),
        (WrongBool, "output int is declared as int, but is bool"),
        (WrongCount, "it returned tuple, but declares 2 outputs"),
        (WrongMember, "output remainder is declared as int, but is str"),
        (WrongElement, "declared as list[int]"),
    ],
)
def test_a_result_that_is_not_what_was_declared_is_a_failure(engine_of, run, function, message):
    engine = engine_of()
    for _ in range(2):  # and it is not kept
        assert message in str(failed(run(engine, Workflow.from_outputs(function.node()))))


@pytest.mark.parametrize("start", [10, -5])
def test_a_linked_value_out_of_range_is_a_failure_that_names_the_input(engine_of, run, start):
    error = failed(run(engine_of(), Workflow.from_outputs(with_id(Ranged.node(Add.node(start)), "ranged"))))
    assert error.node_id == "ranged"
    assert "value is" in str(error)
    assert ("at most 10" if start > 0 else "at least 0") in str(error)


def test_a_linked_list_that_is_too_short_is_a_failure(engine_of, run):
    error = failed(run(engine_of(), Workflow.from_outputs(LongList.node([Make.node()]))))
    assert "at least 2" in str(error)


def test_a_linked_list_that_is_long_enough_is_none(engine_of, run):
    assert run(engine_of(), Workflow.from_outputs(LongList.node([Make.node(), Make.node()]))).status == "done"


@pytest.mark.parametrize("value", ["text", 1.5, True, None])
def test_what_comes_over_an_untyped_wire_is_checked_when_it_arrives(engine_of, run, value):
    error = failed(run(engine_of(), Workflow.from_outputs(Ranged.node(Anything.node(value)))))
    assert "value" in str(error)
    assert "int is expected" in str(error)


def test_an_object_that_comes_over_an_untyped_wire_is_checked_too(engine_of, run):
    error = failed(run(engine_of(), Workflow.from_outputs(Brightness.node(Anything.node(3)))))
    assert "the wire carries a int, but Picture is expected" in str(error)


# --- inputs changed in place ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("handle", "input"),
    [
        (lambda: Darken.node(Make.node()), "picture"),
        (lambda: DarkenAll.node([Make.node(1.0), Make.node(2.0)]), "pictures"),
        (lambda: DarkenInside.node(MakeTensors.node()), "tensors"),
        (lambda: DarkenAsync.node(Make.node()), "picture"),
        (lambda: Darken.node([Make.node(1.0), Make.node(2.0)]), "picture"),
    ],
    ids=["direct", "in a list", "in a dict", "async", "mapped"],
)
def test_a_node_that_changes_an_input_in_place_is_caught(engine_of, run, handle, input):
    error = failed(run(engine_of(), Workflow.from_outputs(handle())))
    assert f"{input}: the node changed this tensor in place" in str(error)


def test_a_node_that_works_on_a_copy_is_not(engine_of, run):
    result = run(engine_of(), Workflow.from_outputs(with_id(DarkenACopy.node(Make.node()), "copy")))
    assert result.outputs["copy"]["picture"].pixels.mean() == 0.5


def test_a_value_that_was_changed_in_place_is_never_served_again(engine_of, run):
    engine = engine_of(disk=True)
    source = with_id(Make.node(), "source")
    bad = with_id(Darken.node(source), "bad")
    later = with_id(Brightness.node(source, after=with_id(Add.node(1), "x")), "later")
    assert failed(run(engine, Workflow.from_outputs(bad))).node_id == "bad"
    assert run(engine, Workflow.from_outputs(later)).outputs["later"] == {"float": 1.0}


def test_what_is_made_from_a_value_after_it_was_changed_is_not_kept(engine_of, run):
    engine = engine_of(disk=True)
    source = with_id(Make.node(), "source")
    bad = with_id(Darken.node(source), "bad")
    workflow = Workflow.from_outputs(
        bad, with_id(Brightness.node(source, after=AwaitSignal.node("bad failed")), "later")
    )

    def tell(event: Any) -> None:
        if isinstance(event, NodeFailed):
            STAGE.signal("bad failed")

    assert failed(run(engine, workflow, on_event=tell)).node_id == "bad"
    assert run(engine, workflow, targets=["later"]).outputs["later"] == {"float": 1.0}


# --- memory that runs out -------------------------------------------------------------------------------


class OutOfMemory(torch.OutOfMemoryError):
    pass


def exhaust(name: str, times: int) -> None:
    if STAGE.call(name) <= times:
        raise OutOfMemory("CUDA out of memory")


def _in_tiles(size: int, fails: int = 1, tiled_fails: int = 0) -> str:
    exhaust("tiled", tiled_fails)
    return f"{size} in tiles"


@node(fallback=_in_tiles)
def Decode(size: int, fails: int = 1, tiled_fails: int = 0) -> str:
    exhaust("whole", fails)
    return f"{size} at once"


@node()
def DecodeAtOnce(size: int, fails: int = 1) -> str:
    exhaust("whole", fails)
    return f"{size} at once"


def _crash(size: int) -> str:
    raise ValueError("tiles do not fit")


@node(fallback=_crash)
def DecodeBadly(size: int) -> str:
    exhaust("whole", 1)
    return ""


@dataclass(frozen=True)
class Recipe:
    size: int

    def build(self, files: Any, dtype: torch.dtype) -> torch.nn.Module:
        return torch.nn.Linear(self.size, self.size, bias=False)


@node()
def UseModel(ctx: NodeContext, size: int = 1024) -> int:
    with ctx.lease(Recipe(size)) as model:
        return model.in_features


def test_when_memory_runs_out_the_cheaper_way_is_tried_once(engine_of, run):
    result = run(engine_of(), Workflow.from_outputs(with_id(Decode.node(8), "decode")))
    assert result.outputs["decode"] == {"str": "8 in tiles"}
    assert STAGE.calls == {"whole": 1, "tiled": 1}
    assert "memory ran out" in result.nodes["decode"].note
    assert "cheaper" in result.nodes["decode"].note


def test_a_result_made_in_a_cheaper_way_is_not_kept_for_the_usual_one(engine_of, run):
    engine, workflow = engine_of(), Workflow.from_outputs(with_id(Decode.node(8), "decode"))
    run(engine, workflow)
    assert run(engine, workflow).outputs["decode"] == {"str": "8 at once"}


@node()
def Loud(text: str) -> str:
    return text.upper()


def test_nor_is_what_was_made_from_it(engine_of, run):
    engine, workflow = engine_of(), Workflow.from_outputs(with_id(Loud.node(Decode.node(8)), "loud"))
    assert run(engine, workflow).outputs["loud"] == {"str": "8 IN TILES"}
    assert run(engine, workflow).outputs["loud"] == {"str": "8 AT ONCE"}


def test_what_was_tried_again_in_the_same_way_is_kept(engine_of, run):
    engine = engine_of()
    run(engine, Workflow.from_outputs(UseModel.node()))
    for _ in range(2):
        run(engine, Workflow.from_outputs(DecodeAtOnce.node(8)))
    assert STAGE.calls["whole"] == 2


def test_a_cheaper_way_that_is_still_too_large_is_a_clear_error(engine_of, run):
    error = failed(run(engine_of(), Workflow.from_outputs(Decode.node(8, tiled_fails=9))))
    assert "out of memory on cpu" in str(error)
    assert "still too large" in str(error)
    assert STAGE.calls == {"whole": 1, "tiled": 1}


def test_a_cheaper_way_that_fails_otherwise_says_so(engine_of, run):
    error = failed(run(engine_of(), Workflow.from_outputs(DecodeBadly.node(8))))
    assert str(error) == "ValueError: tiles do not fit"


def test_without_a_cheaper_way_and_with_nothing_to_free_it_is_not_tried_again(engine_of, run):
    error = failed(run(engine_of(), Workflow.from_outputs(DecodeAtOnce.node(8))))
    assert "out of memory on cpu: nothing could be moved out of its way" in str(error)
    assert STAGE.calls["whole"] == 1
    assert error.inputs["size"] == "8"


def test_after_an_idle_model_has_been_moved_away_it_is_tried_once_more(engine_of, run):
    engine = engine_of()
    run(engine, Workflow.from_outputs(UseModel.node()))
    result = run(engine, Workflow.from_outputs(with_id(DecodeAtOnce.node(8), "decode")))
    assert result.outputs["decode"] == {"str": "8 at once"}
    assert "4 MiB freed" in result.nodes["decode"].note
    assert engine.devices.loaded() == []


def test_it_is_never_tried_a_third_time(engine_of, run):
    engine = engine_of()
    run(engine, Workflow.from_outputs(UseModel.node()))
    assert "still too large" in str(failed(run(engine, Workflow.from_outputs(DecodeAtOnce.node(8, 9)))))
    assert STAGE.calls["whole"] == 2


# --- memory that is let go ------------------------------------------------------------------------------


class Payload:
    """Something that can be watched."""


@dataclass(frozen=True, eq=False)
class Heavy:
    payload: Payload


@node()
def MakeHeavy(name: str) -> Heavy:
    payload = Payload()
    STAGE.notes[name] = weakref.ref(payload)
    return Heavy(payload)


@node()
async def MakeHeavyAsync(name: str) -> Heavy:
    await asyncio.sleep(0)
    payload = Payload()
    STAGE.notes[name] = weakref.ref(payload)
    return Heavy(payload)


@node()
def Replace(heavy: Heavy, name: str, before: str = "") -> Heavy:
    gc.collect()
    STAGE.notes[f"alive at {name}"] = {n for n in before.split() if STAGE.notes[n]() is not None}
    payload = Payload()
    STAGE.notes[name] = weakref.ref(payload)
    return Heavy(payload)


@pytest.mark.parametrize("make", [MakeHeavy, MakeHeavyAsync])
def test_a_result_that_nobody_needs_any_more_is_let_go(engine_of, run, make):
    two = Replace.node(make.node("one"), "two")
    three = Replace.node(two, "three", "one")
    four = Replace.node(three, "four", "one two")
    run(engine_of(memory=False), Workflow.from_outputs(four))
    assert STAGE.notes["alive at three"] == set()
    assert STAGE.notes["alive at four"] == set()


@pytest.mark.parametrize("make", [MakeHeavy, MakeHeavyAsync])
def test_a_finished_run_holds_nothing_but_its_targets(engine_of, run, make):
    two = Replace.node(make.node("one"), "two")
    result = run(engine_of(memory=False), Workflow.from_outputs(two))
    gc.collect()
    assert STAGE.notes["one"]() is None
    assert STAGE.notes["two"]() is not None
    del result
    gc.collect()
    assert STAGE.notes["two"]() is None


def await_freed(objects: weakref.WeakSet[Any]) -> None:
    """The threads of a run end just after it."""
    patient = time.monotonic() + PATIENCE
    while objects and time.monotonic() < patient:
        time.sleep(0.01)
    assert not objects


@pytest.mark.parametrize("make", [MakeHeavy, MakeHeavyAsync])
def test_a_run_leaves_nothing_for_the_cyclic_collector(engine_of, run, make):
    engine, workflow = engine_of(), Workflow.from_outputs(Replace.node(make.node("one"), "two"))
    run(engine, workflow)  # what is made once for all is made
    gc.collect()
    gc.disable()
    try:
        runs = weakref.WeakSet[Any]()
        for name in "abc":
            token = CancelToken()
            runs.add(token)
            run(engine, Workflow.from_outputs(Replace.node(make.node(name), name * 2)), token=token)
            del token
        await_freed(runs)
    finally:
        gc.enable()

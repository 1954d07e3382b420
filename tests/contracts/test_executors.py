"""What every executor gives: results, lists, and what runs side by side."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import pytest
from contract_support import STAGE
from pydantic import Field

from nodegraph import NodeContext, node, with_id
from nodegraph.workflow import Workflow


class Quotient(NamedTuple):
    quotient: int
    remainder: int


@dataclass(frozen=True)
class Box:
    content: int


@node()
def Add(a: int = 0, b: int = 1) -> int:
    return a + b


@node()
def Half(value: Annotated[float, Field(ge=0, le=10)]) -> float:
    return value / 2


@node()
def Divide(a: int, b: int = 10) -> Quotient:
    return Quotient(a // b, a % b)


@node()
def Total(numbers: list[int]) -> int:
    return sum(numbers)


@node()
def Numbers(count: int = 3, start: int = 0) -> list[int]:
    return list(range(start, start + count))


@node()
def Rows(count: int = 2) -> list[list[int]]:
    return [list(range(row + 1)) for row in range(count)]


@node()
def Wrap(content: int) -> Box:
    return Box(content)


@node()
def Unwrap(box: Box) -> int:
    return box.content


@node()
def Nothing(value: int) -> None:
    STAGE.call("nothing")


@node()
def Meet(name: str, parties: int = 2) -> str:
    STAGE.meet("meeting", parties)
    return name


@node()
def Signal(name: str, then_wait_for: str = "", after: Any = None) -> str:
    STAGE.signal(name)
    if then_wait_for:
        STAGE.wait_for(then_wait_for)
    return name


@node(device=True)
def SignalOnDevice(name: str, then_wait_for: str = "", after: Any = None) -> str:
    STAGE.signal(name)
    if then_wait_for:
        STAGE.wait_for(then_wait_for)
    return name


@node(device=True)
def AloneOnDevice(number: int) -> int:
    if not STAGE.enter("device"):
        raise RuntimeError("two nodes are on the device")
    time.sleep(0.005)  # long enough for another thread to come in
    STAGE.leave("device")
    return number


@node()
async def MeetAsync(name: str, parties: int = 2) -> str:
    STAGE.call("async")
    while STAGE.calls["async"] < parties:
        await asyncio.sleep(0.001)
    return name


@node()
async def AwaitSignal(name: str) -> str:
    while not STAGE.signalled(name):
        await asyncio.sleep(0.001)
    return name


@node()
def Gather(values: list[Any]) -> list[Any]:
    return values


def outputs(result: Any, id: str) -> dict[str, Any]:
    assert result.status == "done", result.errors
    return result.outputs[id]


def value(result: Any) -> Any:
    """The one output of the one target of a run that went well."""
    assert result.status == "done", [error.traceback or str(error) for error in result.errors]
    (target,) = result.outputs.values()
    (found,) = target.values()
    return found


# --- results --------------------------------------------------------------------------------------------


def test_a_chain_gives_the_result_of_calling_the_functions(engine_of, run):
    handle = Add.node(0)
    for _ in range(50):
        handle = Add.node(handle)
    assert value(run(engine_of(), Workflow.from_outputs(handle))) == 51


def test_a_chain_may_be_longer_than_the_recursion_limit(engine_of, run):
    handle = Add.node(0)
    for _ in range(3000):
        handle = Add.node(handle)
    assert value(run(engine_of(), Workflow.from_outputs(handle))) == 3001


def test_a_wide_graph_gives_the_result_of_calling_the_functions(engine_of, run):
    branches = [Add.node(Add.node(number), number) for number in range(300)]
    expected = sum(2 * number + 1 for number in range(300))
    assert value(run(engine_of(), Workflow.from_outputs(Total.node(branches)))) == expected


def test_a_diamond_runs_its_source_once(engine_of, run):
    source = Add.node(1)
    workflow = Workflow.from_outputs(Add.node(Add.node(source, 1), Add.node(source, 2)))
    result = run(engine_of(), workflow)
    assert value(result) == 7
    assert result.executed == 4


def test_every_output_of_a_node_can_be_wired_on(engine_of, run):
    parts = Divide.node(47)
    workflow = Workflow.from_outputs(Add.node(parts.quotient, parts.remainder), with_id(parts, "parts"))
    result = run(engine_of(), workflow)
    assert outputs(result, "add_1") == {"int": 11}
    assert outputs(result, "parts") == {"quotient": 4, "remainder": 7}


def test_a_node_without_outputs_runs_when_it_is_wanted(engine_of, run):
    result = run(engine_of(), Workflow.from_outputs(Nothing.node(1)))
    assert outputs(result, "nothing_1") == {}
    assert STAGE.calls["nothing"] == 1


def test_values_of_any_class_travel(engine_of, run):
    assert value(run(engine_of(), Workflow.from_outputs(Unwrap.node(Wrap.node(5))))) == 5


def test_a_whole_number_wired_into_a_real_one_arrives_as_real(engine_of, run):
    result = value(run(engine_of(), Workflow.from_outputs(Half.node(Add.node(4, 1)))))
    assert result == 2.5
    result = value(run(engine_of(), Workflow.from_outputs(Half.node(Add.node(5, 1)))))
    assert type(result) is float


def test_only_what_the_targets_need_runs(engine_of, run):
    one, other = with_id(Add.node(1), "one"), with_id(Add.node(2), "other")
    workflow = Workflow.from_outputs(one, other)
    result = run(engine_of(), workflow, targets=["one"])
    assert result.outputs == {"one": {"int": 2}}
    assert {id: record.origin for id, record in result.nodes.items()} == {"one": "run", "other": "pruned"}


def test_two_runs_at_once_do_not_mix(engine_of):
    engine = engine_of()

    async def both() -> Any:
        workflows = (Workflow.from_outputs(Add.node(Add.node(number))) for number in (10, 20))
        return await asyncio.gather(*map(engine.run, workflows))

    assert [value(result) for result in asyncio.run(both())] == [12, 22]


def test_what_a_run_records_of_a_node(engine_of, run):
    result = run(engine_of(), Workflow.from_outputs(Add.node(1)))
    record = result.nodes["add_1"]
    assert (record.type, record.origin, record.via, record.note) == ("Add", "run", False, "")
    assert record.seconds > 0
    assert record.peak_memory >= 0
    assert result.seconds >= record.seconds


# --- side by side ---------------------------------------------------------------------------------------


@pytest.mark.parallel
def test_independent_branches_run_at_once(engine_of, run):
    workflow = Workflow.from_outputs(Gather.node([Meet.node("a"), Meet.node("b")]))
    assert value(run(engine_of(), workflow)) == ["a", "b"]


@pytest.mark.parallel
def test_independent_branches_run_at_once_deep_in_a_graph(engine_of, run):
    source = Add.node(1)
    one = Signal.node("one", "other", after=Add.node(source))
    other = Signal.node("other", "one", after=Add.node(source, 5))
    assert value(run(engine_of(), Workflow.from_outputs(Gather.node([one, other])))) == ["one", "other"]


def test_a_cpu_node_runs_while_the_device_is_busy(engine_of, run):
    on_device = SignalOnDevice.node("device", "cpu")
    on_cpu = Signal.node("cpu", "device")
    workflow = Workflow.from_outputs(Gather.node([on_device, on_cpu]))
    assert value(run(engine_of(), workflow)) == ["device", "cpu"]


def test_the_device_starts_on_what_a_cpu_node_made_while_another_one_runs(engine_of, run):
    made = Signal.node("made")
    on_device = SignalOnDevice.node("device", "cpu", after=made)
    on_cpu = Signal.node("cpu", "device", after=made)
    workflow = Workflow.from_outputs(Gather.node([on_device, on_cpu]))
    assert value(run(engine_of(), workflow)) == ["device", "cpu"]


def test_one_node_at_a_time_is_on_the_device(engine_of, run):
    workflow = Workflow.from_outputs(Gather.node([AloneOnDevice.node(number) for number in range(20)]))
    assert value(run(engine_of(), workflow)) == list(range(20))


def test_two_runs_of_an_engine_take_turns_on_the_device(engine_of):
    engine = engine_of()

    async def both() -> Any:
        numbers = (range(10), range(10, 20))
        nodes = ([AloneOnDevice.node(number) for number in some] for some in numbers)
        return await asyncio.gather(*(engine.run(Workflow.from_outputs(Gather.node(some))) for some in nodes))

    one, other = asyncio.run(both())
    assert value(one) + value(other) == list(range(20))


def test_async_nodes_run_at_once(engine_of, run):
    names = ["a", "b", "c", "d", "e", "f"]
    workflow = Workflow.from_outputs(Gather.node([MeetAsync.node(name, 6) for name in names]))
    assert value(run(engine_of(), workflow)) == names


def test_an_async_node_that_waits_holds_up_no_other(engine_of, run):
    waiting = [AwaitSignal.node("now") for _ in range(5)]
    workflow = Workflow.from_outputs(Gather.node([*waiting, Signal.node("now")]))
    assert value(run(engine_of(), workflow)) == ["now"] * 6


@pytest.mark.parallel
def test_quick_nodes_go_on_while_a_slow_one_runs(engine_of, run):
    engine = engine_of()
    run(engine, Workflow.from_outputs(Total.node([Add.node(number) for number in range(50)])))
    slow = Signal.node("slow", then_wait_for="end")
    quick = Add.node(AwaitSignalAsNumber.node("slow"), 3)
    workflow = Workflow.from_outputs(Gather.node([slow, SignalOnDevice.node("end", after=quick)]))
    assert value(run(engine, workflow)) == ["slow", "end"]


@node()
async def AwaitSignalAsNumber(name: str) -> int:
    while not STAGE.signalled(name):
        await asyncio.sleep(0.001)
    return 1


# --- lists ----------------------------------------------------------------------------------------------


def test_a_list_wired_into_one_value_runs_the_node_for_each_element(engine_of, run):
    assert value(run(engine_of(), Workflow.from_outputs(Add.node(Numbers.node(4), 10)))) == [10, 11, 12, 13]


def test_several_lists_are_taken_element_by_element(engine_of, run):
    workflow = Workflow.from_outputs(Add.node(Numbers.node(3), Numbers.node(3, 100)))
    assert value(run(engine_of(), workflow)) == [100, 102, 104]


def test_every_output_of_a_mapped_node_is_a_list(engine_of, run):
    workflow = Workflow.from_outputs(with_id(Divide.node(Numbers.node(3, 19)), "parts"))
    expected = {"quotient": [1, 2, 2], "remainder": [9, 0, 1]}
    assert outputs(run(engine_of(), workflow), "parts") == expected


def test_what_follows_a_mapped_node_takes_its_list(engine_of, run):
    workflow = Workflow.from_outputs(Total.node(Add.node(Add.node(Numbers.node(3)), 10)))
    assert value(run(engine_of(), workflow)) == 36


def test_an_empty_list_runs_nothing_and_gives_an_empty_list(engine_of, run):
    assert value(run(engine_of(), Workflow.from_outputs(Add.node(Numbers.node(0))))) == []


def test_lists_of_unequal_length_are_an_error_that_names_both(engine_of, run):
    workflow = Workflow.from_outputs(Add.node(Numbers.node(3), Numbers.node(2)))
    result = run(engine_of(), workflow)
    assert result.status == "failed"
    (error,) = result.errors
    assert error.node_id == "add_1"
    assert "a has 3, b has 2" in str(error)


def test_gathered_links_are_a_list_to_map_over(engine_of, run):
    workflow = Workflow.from_outputs(Add.node([Add.node(1), Add.node(2)], 10))
    assert value(run(engine_of(), workflow)) == [12, 13]


def test_a_list_of_lists_is_mapped_list_by_list(engine_of, run):
    assert value(run(engine_of(), Workflow.from_outputs(Total.node(Rows.node(3))))) == [0, 1, 3]


def test_async_nodes_are_mapped_at_once(engine_of, run):
    names = [Signal.node(name) for name in "abc"]
    workflow = Workflow.from_outputs(MeetAsync.node(names, 3))
    assert value(run(engine_of(), workflow)) == ["a", "b", "c"]


def test_device_nodes_are_mapped(engine_of, run):
    assert value(run(engine_of(), Workflow.from_outputs(AloneOnDevice.node(Numbers.node(3))))) == [0, 1, 2]


def test_an_element_that_does_not_fit_is_an_error(engine_of, run):
    result = run(engine_of(), Workflow.from_outputs(Half.node(Numbers.node(3, 9))))
    (error,) = result.errors
    assert "value" in str(error)
    assert "at most 10" in str(error)


# --- the context ----------------------------------------------------------------------------------------


@node()
def AskContext(ctx: NodeContext, name: str = "x", number: int = 1) -> str:
    generator = ctx.generator(3)
    again = ctx.generator(3)
    STAGE.notes["same noise"] = generator.initial_seed() == again.initial_seed()
    STAGE.notes["device"] = ctx.device.type
    STAGE.notes["id"] = ctx.node_id
    STAGE.notes["inputs"] = (ctx.input("name"), ctx.input("number"))
    saved = ctx.save(b"data", prefix="sub/file", suffix=".bin", media_type="application/octet-stream")
    return saved.path


def test_a_node_is_given_its_context(engine_of, run, tmp_path):
    workflow = Workflow.from_outputs(with_id(AskContext.node(number=Add.node()), "me"))
    path = value(run(engine_of(), workflow))
    assert path == str(tmp_path / "output" / "sub" / "file_00001.bin")
    assert STAGE.notes["same noise"]
    assert STAGE.notes["device"] == "cpu"
    assert STAGE.notes["id"] == "me"
    assert STAGE.notes["inputs"] == ("x", ("add_1", "int"))


@node(terminal=True)
def SaveOutside(ctx: NodeContext, prefix: str) -> str:
    return ctx.save(b"", prefix=prefix, suffix=".bin", media_type="x").path


@pytest.mark.parametrize("prefix", ["../escape", "/tmp/escape", "a/../../escape"])
def test_a_file_outside_the_output_folder_is_refused(engine_of, run, prefix):
    result = run(engine_of(), Workflow.from_outputs(SaveOutside.node(prefix)))
    (error,) = result.errors
    assert "leads outside the output folder" in str(error)


@pytest.mark.parametrize("prefix", ["", ".", "a/.."])
def test_a_name_of_no_file_is_refused(engine_of, run, prefix):
    result = run(engine_of(), Workflow.from_outputs(SaveOutside.node(prefix)))
    (error,) = result.errors
    assert "names no file in the output folder" in str(error)


@pytest.mark.parametrize("prefix", ["nul\0", "line\n", "\x1b[31m", "\ud800"])
def test_a_file_of_a_name_that_cannot_be_shown_is_refused(engine_of, run, prefix):
    result = run(engine_of(), Workflow.from_outputs(SaveOutside.node(prefix)))
    (error,) = result.errors
    assert "characters that no file's name should" in str(error)


def test_files_of_nodes_that_save_at_once_never_overwrite_one_another(engine_of, run):
    workflow = Workflow.from_outputs(Gather.node([SaveNumber.node(number) for number in range(12)]))
    paths = value(run(engine_of(), workflow))
    assert len(set(paths)) == 12


@node()
def SaveNumber(ctx: NodeContext, number: int) -> str:
    return ctx.save(bytes([number]), prefix="number", suffix=".bin", media_type="x").path

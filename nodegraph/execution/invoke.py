"""One call of a node's function: timed, guarded, and tried again in a cheaper way when memory runs out."""

from __future__ import annotations

import asyncio
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from nodegraph.devices import is_out_of_memory
from nodegraph.errors import Cancelled, NodeError
from nodegraph.execution.base import RunEnvironment
from nodegraph.execution.calling import TensorGuard
from nodegraph.execution.context import RunContext
from nodegraph.execution.describe import describe_inputs, exception_name, frames_of, place_in_own_code
from nodegraph.graph import GraphNode

MAX_MESSAGE, MAX_TRACEBACK = 4_000, 40_000


class Invocation:
    """Calls a node once, or once per element of the lists it takes apart.

    Attributes:
        seconds: time in the function.
        peak_memory: see ``NodeRecord``.
        note: how it was retried, if it was.
        exact: whether the node's own function, not its cheaper fallback, gave the result.
        spoiled: whether it changed what it was given, which others hold too.
    """

    def __init__(
        self,
        environment: RunEnvironment,
        node: GraphNode,
        rows: list[dict[str, Any]],
        mapped: frozenset[str] = frozenset(),
    ) -> None:
        self._mapped = mapped
        self._environment = environment
        self._node = node
        self._known = node.known
        self._rows = rows
        self.seconds = 0.0
        self.peak_memory = 0
        self.note = ""
        self.exact = True
        self.spoiled = False

    def run(self) -> list[Any]:
        """What the function returned, for each row.

        Raises:
            NodeError: it failed.
            Cancelled: the run was cancelled.
        """
        meter = _MemoryMeter(self._environment, self._known.device)
        started = time.perf_counter()
        try:
            return list(map(self._guarded, self._rows))
        finally:
            self.seconds = time.perf_counter() - started
            self.peak_memory = meter.peak()

    async def run_async(self) -> list[Any]:
        """The same for a coroutine function; the rows run at once, and the first to fail stops the others."""
        started = time.perf_counter()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._guarded_async(row)) for row in self._rows]
        except BaseExceptionGroup as errors:
            first = errors.exceptions[0]
            raise first from first.__cause__
        finally:
            self.seconds = time.perf_counter() - started
        return [task.result() for task in tasks]

    async def _guarded_async(self, row: dict[str, Any]) -> Any:
        guard = TensorGuard(row)
        try:
            result = await self._call(self._known.function, row)
            guard.check()
        except (Cancelled, asyncio.CancelledError) as error:
            if self._asked_to_stop():
                raise
            raise self._error(error, row) from error
        except BaseException as error:  # asyncio would let SystemExit end the program
            raise self._error(error, row) from error
        finally:
            self.spoiled |= guard.changed() is not None
        return result

    def _asked_to_stop(self) -> bool:
        """Whether a cancellation comes from outside, and not from the node itself."""
        task = asyncio.current_task()
        return self._environment.token.cancelled or bool(task and task.cancelling())

    def summary(self) -> dict[str, str]:
        """A short text for each input."""
        return describe_inputs(self._rows[0]) if self._rows else {}

    def _call(self, function: Callable[..., Any], row: dict[str, Any]) -> Any:
        if self._known.takes_context:
            elements = {name: row[name] for name in self._mapped}
            return function(RunContext(self._environment, self._node, elements), **row)
        return function(**row)

    def _guarded(self, row: dict[str, Any]) -> Any:
        guard = TensorGuard(row)
        try:
            result = self._attempt(row)
            guard.check()
        except BaseException as error:
            if isinstance(error, Cancelled) and self._environment.token.cancelled:
                raise
            raise self._error(error, row) from error
        finally:
            self.spoiled |= guard.changed() is not None
        return result

    def _attempt(self, row: dict[str, Any]) -> Any:
        try:
            return self._call(self._known.function, row)
        except BaseException as error:
            if not is_out_of_memory(error):
                raise
            return self._retry(row, error)

    def _retry(self, row: dict[str, Any], error: BaseException) -> Any:
        """After memory ran out: make room, then once more in a cheaper way if there is one."""
        freed = self._environment.devices.free()
        fallback = self._known.fallback
        if fallback is None and not freed:
            raise self._out_of_memory(row, "nothing could be moved out of its way") from error
        self.note = f"memory ran out; {freed >> 20} MiB freed, retried"
        if fallback is not None:
            self.note += " in a cheaper way"
            self.exact = False
        try:
            return self._call(fallback or self._known.function, row)
        except BaseException as again:
            if is_out_of_memory(again):
                raise self._out_of_memory(row, f"{self.note}, but it was still too large") from again
            raise

    def _out_of_memory(self, row: dict[str, Any], what: str) -> NodeError:
        device = self._environment.devices.device
        text = f"out of memory on {device}: {what}; use a smaller picture or batch"
        return NodeError(text, node_id=self._node.id, node_type=self._node.type, inputs=describe_inputs(row))

    def _error(self, error: BaseException, row: dict[str, Any]) -> NodeError:
        return node_error(self._node, error, describe_inputs(row))


def node_error(node: GraphNode, error: BaseException, inputs: Mapping[str, str]) -> NodeError:
    """An exception as the failure of a node."""
    if isinstance(error, NodeError) and error.node_id == node.id:
        return error
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    known = type(error).__module__.startswith("nodegraph.")
    text = _message(error) if known else f"{type(error).__name__}: {_message(error)}"
    return NodeError(
        _printable(text, MAX_MESSAGE),
        node_id=node.id,
        node_type=node.type,
        inputs=dict(inputs),
        traceback=_printable("".join(lines), MAX_TRACEBACK),
        place=_printable(place_in_own_code(node.known.function, error), MAX_MESSAGE),
        exception=_printable(exception_name(error), MAX_MESSAGE),
        frames=[_printable(frame, MAX_MESSAGE) for frame in frames_of(error)],
    )


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as broken:  # noqa: BLE001 - an exception whose own text fails must not hide the rest
        return f"(its text cannot be had: {type(broken).__name__})"


def _printable(text: str, limit: int) -> str:
    """The text, as any file or terminal can hold it; of a very long one the beginning and the end."""
    if len(text) > limit:
        text = f"{text[: limit // 2]}\n… {len(text) - limit} characters left out …\n{text[-limit // 2 :]}"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


class _MemoryMeter:
    """Peak memory of a call: exact on CUDA, growth of the process peak elsewhere."""

    __slots__ = ("_before", "_cuda")

    def __init__(self, environment: RunEnvironment, device_node: bool) -> None:
        self._cuda: Any = None
        if device_node and "torch" in sys.modules and environment.devices.device.type == "cuda":
            import torch

            self._cuda = torch.cuda
            self._cuda.reset_peak_memory_stats()
        self._before = _process_peak()

    def peak(self) -> int:
        if self._cuda is not None:
            return int(self._cuda.max_memory_allocated())
        return _process_peak() - self._before


def _process_peak() -> int:
    try:
        import resource
    except ImportError:  # not on Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)

"""Turning model recipes into weights on the device, within a budget of memory."""

from __future__ import annotations

import gc
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from nodegraph.codec import size_of
from nodegraph.context import DerivedRecipe, FileLocator, ModelRecipe
from nodegraph.errors import OutOfMemory
from nodegraph.hardware import compute_dtype, default_model_bytes, is_out_of_memory, pick_device, total_ram

if TYPE_CHECKING:
    import torch

M = TypeVar("M")
T = TypeVar("T")
Place = Literal["device", "memory"]
MAX_NAME = 300


class LoadedModel(NamedTuple):
    """A model at hand.

    Attributes:
        recipe: what it was made from.
        bytes: size of its weights.
        place: ``device``, or ``memory`` where it was moved to make room on the device.
        leases: how many are using it now.
    """

    recipe: ModelRecipe[Any]
    bytes: int
    place: Place
    leases: int


class _Model:
    """What is known of a recipe's weights; who makes or moves them holds ``lock``."""

    __slots__ = ("base", "bytes", "copies", "leases", "lock", "module", "place", "recipe")

    def __init__(self, recipe: ModelRecipe[Any]) -> None:
        self.recipe = recipe
        self.module: Any = None
        self.base: Any = None  # the module it was derived from, if it was
        self.bytes = 0
        self.copies: list[tuple[torch.Tensor, torch.Tensor]] = []  # parameters, and their data in main memory
        self.place: Place | None = None
        self.leases = 0
        self.lock = threading.Lock()


class DeviceManager:
    """Leases models to nodes, keeps the recently used ones loaded, and stays within a budget.

    What is idle longest has to make room first: on CUDA it moves to main memory, and is dropped when that
    is to hold too much as well; elsewhere it is dropped. Weights never change, so that what they were read
    into stays in main memory beside the device's copy, where there is room, and nothing has to be copied
    back. A leased model never moves. A model derived from
    another one counts with what it does not share, and goes when the other goes. The budget bounds
    what is kept, not what is asked for: a model that is too large for it, alone or beside those in use,
    is tried all the same.
    """

    def __init__(
        self,
        device: torch.device,
        files: FileLocator,
        budget_bytes: int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        self.device = device
        self.builds = 0  #: how many models were made from files so far
        self._files = files
        self._given_budget = budget_bytes
        self._given_dtype = dtype
        self._models: OrderedDict[ModelRecipe[Any], _Model] = OrderedDict()  # the longest unused first
        self._lock = threading.Lock()

    @cached_property
    def dtype(self) -> torch.dtype:
        """The floating-point type that models compute in."""
        return compute_dtype(self.device, self._given_dtype)

    @cached_property
    def budget_bytes(self) -> int:
        """How many bytes of models the device holds at most, where no single one is larger."""
        given = self._given_budget
        return default_model_bytes(self.device) if given is None else given

    @contextmanager
    def lease(self, recipe: ModelRecipe[M]) -> Iterator[M]:
        """Hold a model on the device while the ``with`` block lasts; equal recipes share one model.

        Raises:
            OutOfMemory: there is no room for it, even with everything idle out of its way.
        """
        with ExitStack() as held:
            base = held.enter_context(self.lease(recipe.base)) if isinstance(recipe, DerivedRecipe) else None
            model = self._enter(recipe)
            held.callback(self._leave, model)
            with model.lock:
                if model.module is None or model.base is not base:
                    self._build(model, base)
                if model.place != "device":
                    self._bring(model)
            yield model.module

    def free(self) -> int:
        """Drop every model that nobody uses; returns how many bytes that freed."""
        freed = 0
        while (model := self._take_idle("device", "memory")) is not None:
            with _releasing(model):
                freed += model.bytes
                self._drop(model)
        gc.collect()  # modules that refer to themselves
        if self.device.type == "cuda":
            import torch

            torch.cuda.empty_cache()
        return freed

    def loaded(self) -> list[LoadedModel]:
        """The models at hand, the longest unused first."""
        with self._lock:
            models = [(model, model.place) for model in self._models.values()]
            return [LoadedModel(m.recipe, m.bytes, place, m.leases) for m, place in models if place]

    def _enter(self, recipe: ModelRecipe[Any]) -> _Model:
        with self._lock:
            model = self._models.get(recipe)
            if model is None:
                model = self._models[recipe] = _Model(recipe)
            model.leases += 1
            return model

    def _leave(self, model: _Model) -> None:
        with self._lock:
            model.leases -= 1
            self._models.move_to_end(model.recipe)
            if model.module is None and not model.leases:
                del self._models[model.recipe]

    def _build(self, model: _Model, base: Any) -> None:
        import torch

        module = self._with_room(model, lambda: self._made(model.recipe, base))
        if not isinstance(module, torch.nn.Module):
            raise TypeError(f"{_name(model)} built a {type(module).__name__}, not a torch.nn.Module")
        model.module, model.base, model.place = module, base, None
        model.bytes = size_of(module) if base is None else _own_bytes(module, base)
        with self._lock:
            self.builds += base is None

    def _made(self, recipe: ModelRecipe[Any], base: Any) -> Any:
        if isinstance(recipe, DerivedRecipe):
            return recipe.derive(base, self._files, self.dtype)
        return recipe.build(self._files, self.dtype)

    def _bring(self, model: _Model) -> None:
        try:
            self._reserve(model)
            model.copies = self._copies(model)
            self._with_room(model, lambda: model.module.to(self.device))
        except BaseException:
            self._drop(model)
            raise

    def _copies(self, model: _Model) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """What eviction puts back; nothing where it drops the model, or main memory would hold too much."""
        if self.device.type != "cuda" or model.base is not None:
            return []
        with self._lock:
            kept = sum(other.bytes for other in self._models.values() if other.copies)
        if kept + model.bytes > _kept_in_memory():
            return []
        return [(parameter, parameter.data) for parameter in model.module.parameters()]

    def _reserve(self, model: _Model) -> None:
        """Evict what is idle until the model fits, or nothing is left to evict; count it as being there."""
        while True:
            with self._lock:
                used = sum(other.bytes for other in self._models.values() if other.place == "device")
                fits = used + model.bytes <= self.budget_bytes
                victim = None if fits else self._find_idle("device")
                if victim is None:
                    model.place = "device"
                    return
            with _releasing(victim):
                self._evict(victim)

    def _with_room(self, model: _Model, action: Callable[[], T]) -> T:
        """Do something that needs memory; where there is too little, once more with all that is idle gone."""
        for attempt in range(2):
            try:
                return action()
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
            # By now the error is gone, and with it what its frames kept alive.
            if not attempt:
                self.free()  # the collector may find more than models, such as those of another engine
        raise self._out_of_memory(model)

    def _out_of_memory(self, model: _Model) -> OutOfMemory:
        others = sum(other.bytes for other in self.loaded() if other.recipe != model.recipe)
        size = _mebibytes(model.bytes) if model.bytes else "more than there is"
        return OutOfMemory(
            f"no room for {_name(model)} on {self.device}: it takes {size}, other models in use take "
            f"{_mebibytes(others)}, and nothing idle is left to move out of its way"
        )

    def _take_idle(self, *places: Place) -> _Model | None:
        with self._lock:
            return self._find_idle(*places)

    def _find_idle(self, *places: Place) -> _Model | None:
        """The model unused for longest, with its lock taken: who asks for it next waits until it is moved."""
        for model in self._models.values():
            if not model.leases and model.place in places and model.lock.acquire(blocking=False):
                return model
        return None

    def _evict(self, model: _Model) -> None:
        # Elsewhere the device's memory is main memory; what a derived model shares is not its own to move.
        if self.device.type != "cuda" or model.base is not None:
            self._drop(model)
            return
        for parameter, data in model.copies:
            parameter.data = data
        model.copies = []
        try:
            model.module.to("cpu")
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            self._drop(model)
            return
        model.place = "memory"
        self._trim_memory()

    def _trim_memory(self) -> None:
        """Drop models that were moved to main memory until they take no more than a quarter of it."""
        while sum(model.bytes for model in self.loaded() if model.place == "memory") > _kept_in_memory():
            model = self._take_idle("memory")
            if model is None:
                return
            with _releasing(model):
                self._drop(model)

    def _drop(self, model: _Model) -> None:
        with self._lock:
            for derived in [other for other in self._models.values() if _shares(other, model)]:
                self._forget(derived)  # nobody uses it: its lease would hold this model, too
            self._forget(model)

    def _forget(self, model: _Model) -> None:
        model.module, model.base, model.place, model.copies = None, None, None, []
        if not model.leases and self._models.get(model.recipe) is model:
            del self._models[model.recipe]


@contextmanager
def _releasing(model: _Model) -> Iterator[None]:
    """Give up the lock that ``_find_idle`` took."""
    try:
        yield
    finally:
        model.lock.release()


def _shares(derived: _Model, model: _Model) -> bool:
    return model.module is not None and derived.base is model.module


def _own_bytes(module: torch.nn.Module, base: torch.nn.Module) -> int:
    """Size of the tensors of a module that are not those of another one."""
    shared = {id(tensor) for tensor in (*base.parameters(), *base.buffers())}
    own = (tensor for tensor in (*module.parameters(), *module.buffers()) if id(tensor) not in shared)
    return sum(tensor.nbytes for tensor in own)


def _kept_in_memory() -> int:
    """How many bytes of models main memory holds at most beside those in use."""
    return total_ram() // 4


def _name(model: _Model) -> str:
    return repr(model.recipe)[:MAX_NAME]


def _mebibytes(count: int) -> str:
    return f"{count / 2**20:.1f} MiB"


__all__ = ["DeviceManager", "LoadedModel", "compute_dtype", "is_out_of_memory", "pick_device"]

import gc
import subprocess
import sys
import threading
import weakref
from dataclasses import dataclass, field

import pytest
import torch
from torch import nn

from nodegraph import hardware
from nodegraph.devices import DeviceManager, compute_dtype, is_out_of_memory, pick_device
from nodegraph.errors import InputError, OutOfMemory

MB = 1_000_000
CPU = torch.device("cpu")
needs_cuda = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")]


@dataclass(frozen=True)
class Recipe:
    """Makes a module of ``size`` MB; ``gate`` and ``failures`` steer what happens meanwhile."""

    name: str
    size: int = 1
    gate: threading.Event | None = field(default=None, compare=False)
    failures: list[Exception] = field(default_factory=list, compare=False)

    def build(self, files, dtype):
        if self.gate:
            assert self.gate.wait(10)
        if self.failures:
            raise self.failures.pop()
        return nn.Linear(MB // 4, self.size, bias=False, dtype=dtype)


class NoFiles:
    def path(self, file):
        raise AssertionError("not asked for")


def manager(budget=10, device=CPU, **options):
    return DeviceManager(device, NoFiles(), None if budget is None else budget * MB, **options)


def names(devices):
    return [model.recipe.name for model in devices.loaded()]


def use(devices, *recipe_names, size=1):
    for name in recipe_names:
        with devices.lease(Recipe(name, size)):
            pass


def test_leases_a_working_module():
    devices = manager()
    with devices.lease(Recipe("a")) as module:
        assert module(torch.zeros(1, MB // 4)).shape == (1, 1)
        [model] = devices.loaded()
        assert (model.recipe, model.bytes, model.place, model.leases) == (Recipe("a"), MB, "device", 1)
    assert devices.loaded()[0].leases == 0


def test_equal_recipes_share_weights():
    devices = manager()
    with devices.lease(Recipe("a")) as first, devices.lease(Recipe("a")) as second:
        assert first is second
        assert devices.loaded()[0].leases == 2
    with devices.lease(Recipe("a")) as third:
        assert third is first
    assert devices.builds == 1


def test_the_dtype_reaches_the_recipe():
    with manager().lease(Recipe("a")) as module:
        assert module.weight.dtype == torch.float32
    with manager(dtype=torch.bfloat16).lease(Recipe("a")) as module:
        assert module.weight.dtype == torch.bfloat16


def test_the_longest_unused_goes_first_and_is_freed():
    devices = manager(budget=3)
    use(devices, "a", "b", "c")
    with devices.lease(Recipe("a")) as module:
        gone = weakref.ref(module)
    del module
    use(devices, "d")
    assert names(devices) == ["c", "a", "d"]
    use(devices, "e", "f")
    assert names(devices) == ["d", "e", "f"]
    gc.collect()
    assert gone() is None
    assert devices.builds == 6


def test_leased_models_stay_even_beyond_the_budget():
    devices = manager(budget=2)
    with devices.lease(Recipe("a")), devices.lease(Recipe("b")), devices.lease(Recipe("c")):
        assert names(devices) == ["a", "b", "c"]
    use(devices, "d")
    assert len(names(devices)) == 2


def test_a_model_larger_than_the_budget_loads_alone():
    devices = manager(budget=3)
    use(devices, "a", "b")
    use(devices, "large", size=5)
    assert names(devices) == ["large"]
    use(devices, "a")
    assert names(devices) == ["a"]


def test_free_drops_what_is_idle():
    devices = manager()
    use(devices, "a", "b")
    with devices.lease(Recipe("c")):
        assert devices.free() == 2 * MB
        assert names(devices) == ["c"]
        assert devices.free() == 0
    assert devices.free() == MB


def test_a_model_that_cannot_be_built_leaves_nothing_behind():
    devices = manager()
    with (
        pytest.raises(OSError, match="unreadable"),
        devices.lease(Recipe("a", failures=[OSError("unreadable")])),
    ):
        pass
    assert devices.loaded() == []
    use(devices, "a")
    assert devices.builds == 1


def test_an_error_in_the_block_ends_the_lease():
    devices = manager()
    with pytest.raises(KeyError), devices.lease(Recipe("a")):
        raise KeyError
    assert devices.loaded()[0].leases == 0


def test_what_is_no_module_is_refused():
    @dataclass(frozen=True)
    class Wrong:
        def build(self, files, dtype):
            return "weights"

    with (
        pytest.raises(TypeError, match=r"Wrong.*built a str, not a torch.nn.Module"),
        manager().lease(Wrong()),
    ):
        pass


def test_running_out_of_memory_frees_what_is_idle_and_tries_once_more():
    devices = manager()
    use(devices, "idle")
    with devices.lease(Recipe("a", failures=[MemoryError()])):
        assert names(devices) == ["a"]


def test_running_out_of_memory_for_good_names_the_model():
    devices = manager()
    use(devices, "idle")
    recipe = Recipe("vast", failures=[MemoryError(), MemoryError()])
    with devices.lease(Recipe("used")):
        with (
            pytest.raises(OutOfMemory, match=r"'vast'.* on cpu.* in use take 1\.0 MiB"),
            devices.lease(recipe),
        ):
            pass
        assert names(devices) == ["used"]


def test_running_out_with_nothing_to_free_is_tried_again_because_others_may_have_left():
    devices = manager()
    with devices.lease(Recipe("vast", failures=[MemoryError("first")])):
        assert names(devices) == ["vast"]


def use_slowly(devices, gate):
    with devices.lease(Recipe("slow", gate=gate)):
        pass


def start(target):
    thread = threading.Thread(target=target)
    thread.start()
    return thread


def test_two_threads_that_ask_at_once_build_once():
    devices, gate, got = manager(), threading.Event(), []

    def work():
        with devices.lease(Recipe("a", gate=gate)) as module:
            got.append(module)

    threads = [start(work) for _ in range(4)]
    gate.set()
    for thread in threads:
        thread.join(10)
    assert devices.builds == 1
    assert len(got) == 4
    assert all(module is got[0] for module in got)


def test_building_one_model_does_not_hold_up_another():
    devices, gate = manager(), threading.Event()
    use(devices, "ready")
    thread = start(lambda: use_slowly(devices, gate))
    use(devices, "ready", "new")
    assert devices.builds == 2
    assert devices.free() == 2 * MB
    gate.set()
    thread.join(10)
    assert devices.builds == 3
    assert names(devices) == ["slow"]


def test_many_threads_keep_the_books_straight():
    devices = manager(budget=3)
    failures = []

    def work(seed):
        for step in range(50):
            name = str((seed + step * step) % 7)
            with devices.lease(Recipe(name)) as module:
                if module.weight.nbytes != MB:
                    failures.append(name)
            if step % 17 == 0:
                devices.free()

    for thread in [start(lambda seed=seed: work(seed)) for seed in range(4)]:
        thread.join(60)
        assert not thread.is_alive()
    assert not failures
    assert all(model.leases == 0 for model in devices.loaded())
    assert sum(model.bytes for model in devices.loaded()) <= 6 * MB
    use(devices, "last")
    assert sum(model.bytes for model in devices.loaded()) <= 3 * MB


def test_pick_device():
    assert pick_device("cpu") == CPU
    assert str(pick_device()) in hardware.available_devices()
    with pytest.raises(InputError, match=r"'gpu' is not available here; there are: auto, .*cpu"):
        pick_device("gpu")
    with pytest.raises(InputError, match="cuda:99"):
        pick_device("cuda:99")


def test_compute_dtype():
    assert compute_dtype(CPU) == torch.float32
    assert compute_dtype(torch.device("cuda")) == torch.float16
    assert compute_dtype(torch.device("mps")) == torch.float16
    assert compute_dtype(torch.device("cuda"), torch.bfloat16) == torch.bfloat16


def test_the_default_budget_is_half_of_the_memory_a_container_may_use(tmp_path, monkeypatch):
    assert hardware.total_ram() > 1 << 28
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(hardware, "CGROUP_LIMIT", limit)
    before = hardware.total_ram()
    limit.write_text("max\n")
    assert hardware.total_ram() == before
    limit.write_text("100000000\n")
    assert manager(budget=None).budget_bytes == 50 * MB


def test_real_allocation_failures_are_recognised():
    with pytest.raises(RuntimeError) as error:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert is_out_of_memory(error.value)
    with pytest.raises(MemoryError) as error:
        bytearray(1 << 60)
    assert is_out_of_memory(error.value)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 5 GB)"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"), True),
        (OutOfMemory("no room"), True),
        (RuntimeError("shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
    ids=str,
)
def test_is_out_of_memory(error, expected):
    assert is_out_of_memory(error) == expected


def test_importing_devices_does_not_import_torch():
    use = "import sys; import nodegraph.devices as d; d.is_out_of_memory(ValueError())"
    code = f"{use}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


class TestCuda:
    pytestmark = needs_cuda

    def cuda(self, budget):
        return manager(budget, device=torch.device("cuda:0"))

    def test_moves_idle_models_to_main_memory_and_back(self):
        devices = self.cuda(budget=3)
        with devices.lease(Recipe("a", 4)) as module:
            assert module.weight.is_cuda
            assert module.weight.dtype == torch.float16
            before = module.weight.cpu()
        use(devices, "b", size=4)
        assert [(model.recipe.name, model.place) for model in devices.loaded()] == [
            ("a", "memory"),
            ("b", "device"),
        ]
        assert not module.weight.is_cuda
        with devices.lease(Recipe("a", 4)) as again:
            assert again is module
            assert again.weight.is_cuda
            assert torch.equal(again.weight.cpu(), before)
        assert devices.builds == 2

    def test_what_was_read_stays_in_main_memory_so_that_moving_there_copies_nothing(self):
        read = []

        @dataclass(frozen=True)
        class Seen(Recipe):
            def build(self, files, dtype):
                read.append(super().build(files, dtype))
                return read[-1]

        devices = self.cuda(budget=3)
        recipe = Seen("a", 4)
        with devices.lease(recipe) as module:
            assert module.weight.is_cuda
        use(devices, "b", size=4)
        place = module.weight.data_ptr()
        for _ in range(2):
            with devices.lease(recipe):
                pass
            use(devices, "b", size=4)
            assert module.weight.data_ptr() == place
        assert len(read) == 1

    def test_free_gives_the_memory_back(self):
        devices = self.cuda(budget=None)
        free_before = torch.cuda.mem_get_info()[0]
        use(devices, "a", size=512)
        assert torch.cuda.mem_get_info()[0] < free_before - 200 * MB
        assert devices.free() == 256 * MB
        assert torch.cuda.mem_get_info()[0] >= free_before - 64 * MB

    def test_running_out_is_reported_and_leaves_nothing(self):
        devices = self.cuda(budget=None)
        use(devices, "idle")
        free, total = torch.cuda.mem_get_info()
        torch.cuda.set_per_process_memory_fraction(min(1.0, 300 * MB / total))
        try:
            with pytest.raises(OutOfMemory, match="large"), devices.lease(Recipe("large", 2000)):
                pass
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0)
        assert devices.loaded() == []
        torch.cuda.empty_cache()
        assert torch.cuda.mem_get_info()[0] > free - 64 * MB


class Pair(nn.Module):
    def __init__(self, kept, changed):
        super().__init__()
        self.kept, self.changed = kept, changed


@dataclass(frozen=True)
class PairRecipe:
    """Two parameters of 1 and 2 MB."""

    def build(self, files, dtype):
        return Pair(*(nn.Parameter(torch.zeros(size * MB // 4), requires_grad=False) for size in (1, 2)))


@dataclass(frozen=True)
class Raised:
    """A pair whose second parameter is raised."""

    by: float
    base: PairRecipe = PairRecipe()

    def derive(self, base, files, dtype):
        return Pair(base.kept, nn.Parameter(base.changed + self.by, requires_grad=False))

    def build(self, files, dtype):
        return self.derive(self.base.build(files, dtype), files, dtype)


def sizes(devices):
    return {model.recipe: model.bytes // MB for model in devices.loaded()}


def test_a_derived_model_shares_what_it_leaves_alone_and_counts_the_rest():
    devices = manager()
    with devices.lease(Raised(1.0)) as raised, devices.lease(PairRecipe()) as pair:
        assert raised.kept is pair.kept
        assert float(raised.changed[0]) == 1.0
        assert float(pair.changed[0]) == 0.0
        assert [model.leases for model in devices.loaded()] == [2, 1]
    assert sizes(devices) == {Raised(1.0): 2, PairRecipe(): 3}
    assert devices.builds == 1


def test_a_derived_model_goes_when_its_original_goes():
    devices = manager(budget=6)
    with devices.lease(Raised(1.0)) as raised:
        seen = weakref.ref(raised)
    del raised
    with devices.lease(Recipe("other", 4)):
        assert list(sizes(devices)) == [Recipe("other", 4)]
    gc.collect()
    assert seen() is None
    with devices.lease(Raised(1.0)) as raised:
        assert float(raised.changed[0]) == 1.0
    assert devices.builds == 3


def test_a_derived_model_makes_room_for_another_while_the_original_stays():
    devices = manager(budget=6)
    for by in (1.0, 2.0, 3.0):
        with devices.lease(Raised(by)) as raised:
            assert float(raised.changed[0]) == by
    assert devices.builds == 1
    assert sizes(devices) == {PairRecipe(): 3, Raised(3.0): 2}


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_a_derived_model_works_after_its_original_was_moved_away():
    devices = manager(budget=6, device=torch.device("cuda"))
    with devices.lease(Raised(1.0)):
        pass
    use(devices, "other", size=4)
    with devices.lease(Raised(1.0)) as raised, devices.lease(PairRecipe()) as pair:
        assert raised.kept.device.type == raised.changed.device.type == pair.changed.device.type == "cuda"
        assert raised.kept is pair.kept
        assert float(raised.changed[0]) == 1.0


def test_threads_that_lease_derived_models_and_their_original_never_hang_or_mix_them_up():
    devices, wrong = manager(budget=6), []

    def work(by):
        for _ in range(50):
            with devices.lease(Raised(by)) as raised:
                if float(raised.changed[0]) != by:
                    wrong.append(by)
            use(devices, f"other {by}", size=2)

    threads = [threading.Thread(target=work, args=(float(by),)) for by in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong
    assert not any(thread.is_alive() for thread in threads)

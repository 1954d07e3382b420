import functools
import importlib
import json
import math
import os
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from nodegraph.cache.code import code_digest, remember_sources
from nodegraph.errors import CodecError

BASE = {
    "pack/__init__.py": "",
    "pack/types.py": """
        from dataclasses import dataclass

        @dataclass(frozen=True)
        class Image:
            pixels: object

        @dataclass(frozen=True)
        class Mask:
            values: object
    """,
    "pack/maths.py": """
        import math
        from math import cos as turn

        FACTOR = 2
        OTHER = 3

        def double(x):
            return x * FACTOR

        def triple(x):
            return x * OTHER

        def wave(x):
            return turn(x)
    """,
    "pack/blur/__init__.py": "",
    "pack/blur/kernel.py": """
        from ..maths import double

        class Kernel:
            size = 3

            def apply(self, x):
                return double(x)
    """,
    "pack/blur/nodes.py": """
        from pack.types import Image, Mask
        from pack.blur.kernel import Kernel
        import pack.maths as maths

        def Blur(image: Image, size: int = 3) -> Image:
            '''Blur it.'''
            return Image(Kernel().apply(image.pixels))

        def Triple(mask: Mask) -> Mask:
            from pack import maths
            return maths.triple(mask)

        def Wave(x):
            return maths.wave(x)
    """,
}
NODES = ("Blur", "Triple", "Wave")


@pytest.fixture
def digests(tmp_path, monkeypatch):
    """Writes a package anew, imports it and gives the digests of functions of ``pack.blur.nodes``."""
    count = 0

    def forget():
        for name in [name for name in sys.modules if name.partition(".")[0] == "pack"]:
            del sys.modules[name]

    def measure(*names):
        module = importlib.import_module("pack.blur.nodes")
        found = {name: code_digest(getattr(module, name)) for name in names or NODES}
        return found if len(found) > 1 else next(iter(found.values()))

    def write_and_measure(files, *names):
        nonlocal count
        count += 1
        root = tmp_path / str(count)
        for name, text in {**BASE, **files}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        forget()
        monkeypatch.syspath_prepend(str(root))
        return measure(*names)

    yield write_and_measure
    forget()


def edited(file, old, new):
    assert old in BASE[file]
    return {file: BASE[file].replace(old, new)}


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("pack/maths.py", "x * FACTOR", "x * FACTOR * 1", {"Blur"}),
        ("pack/maths.py", "FACTOR = 2", "FACTOR = 2.0", {"Blur"}),
        ("pack/maths.py", "OTHER = 3", "OTHER = 4", {"Triple"}),
        ("pack/maths.py", "import cos as turn", "import sin as turn", {"Wave"}),
        ("pack/blur/kernel.py", "double(x)", "double(double(x))", {"Blur"}),
        ("pack/blur/kernel.py", "size = 3", "size = 5", {"Blur"}),
        ("pack/blur/kernel.py", "..maths import double", "..maths import triple as double", {"Blur"}),
        ("pack/blur/nodes.py", "size: int = 3", "size: int = 4", {"Blur"}),
        ("pack/blur/nodes.py", "maths.triple(mask)", "maths.double(mask)", {"Triple"}),
        ("pack/types.py", "values: object", "values: int", {"Triple"}),
        ("pack/types.py", "pixels: object", "pixels: int", {"Blur"}),
        ("pack/types.py", "import dataclass", "import dataclass, field", set()),
        ("pack/maths.py", "def wave", "def unrelated(): pass\n\n        def wave", set()),
        ("pack/__init__.py", "", "VERSION = 2", set()),
        ("pack/blur/nodes.py", "'''Blur it.'''", "'''Say it otherwise.'''", set()),
        ("pack/blur/nodes.py", "return Image(", "# why\n\n            return Image(\n               ", set()),
        ("pack/maths.py", "x * FACTOR", "(x *  FACTOR)", set()),
    ],
)
def test_what_an_edit_changes(digests, file, old, new, changed):
    before, after = digests({}), digests(edited(file, old, new))
    assert {name for name in NODES if before[name] != after[name]} == changed


def test_the_place_of_the_package_does_not_count(digests):
    assert digests({}) == digests({})


def test_every_function_has_a_digest_of_its_own(digests):
    assert len(set(digests({}).values())) == len(NODES)


def node(body, **files):
    """Files whose ``pack.blur.nodes`` has a function ``Made`` and ``pack.extra`` what is given."""
    return {"pack/blur/nodes.py": body, **{f"pack/{name}.py": text for name, text in files.items()}}


@pytest.mark.parametrize(
    ("body", "extra", "old", "new"),
    [
        ("import pack.extra\ndef Made(): return pack.extra.f()", "def f(): return 1", "1", "2"),
        ("import pack.extra as e\ndef Made(): return e.C.g()", "class C:\n  def g(): return 1", "1", "2"),
        ("from .. import extra\ndef Made(): return extra.f()", "def f(): return 1", "1", "2"),
        ("from ..extra import *\ndef Made(): return f()", "def f(): return 1", "1", "2"),
        ("from pack import extra\ndef Made(n): return getattr(extra, n)()", "def f(): return 1", "1", "2"),
        ("from pack import extra\ndef Made(): return extra.late", "def __getattr__(n): return 1", "1", "2"),
        ("def Made():\n  from pack.extra import f\n  return f()", "def f(): return 1", "1", "2"),
        (
            "def Made():\n  import importlib\n  return importlib.import_module('pack.extra').f()",
            "f = 1",
            "1",
            "2",
        ),
        ("import importlib\ndef Made(n): return importlib.import_module(n).f()", "f = 1", "1", "2"),
        ("from pack.extra import f\ndef Made(x=f()): return x", "def f(): return 1", "1", "2"),
        (
            "from pack.extra import d\n@d\ndef Made(): return 1",
            "def d(f): return f",
            "return f",
            "f.deep = 1; return f",
        ),
        ("from pack.extra import T\ndef Made(x: 'T'): return 1", "class T: a = 1", "1", "2"),
        ("from pack.extra import T\ndef Made(x: list['T | None']): return 1", "class T: a = 1", "1", "2"),
        ("from pack.extra import T\nclass D(T): pass\ndef Made(): return D()", "class T: a = 1", "1", "2"),
        (
            "from pack.extra import V\ndef Made(): return V",
            "import os\nif os:\n  V = 1\nelse:\n  V = 0",
            "1",
            "2",
        ),
        ("from pack.extra import V\ndef Made(): return V", "V = []\nV.append(1)", "1", "2"),
        (
            "from pack.extra import V\ndef Made(): return V",
            "V = 1\nV += 2\nV *= 3",
            "V += 2\nV *= 3",
            "V *= 3\nV += 2",
        ),
        (
            "from pack.extra import V\ndef Made(): return V",
            "V = []\nV.append(1)",
            "V.append(1)",
            "V.append(1)\nV.append(1)",
        ),
        ("from pack import extra\ndef Made(): return vars(extra)", "from .maths import *", "maths", "types"),
        ("from pack.extra import V\ndef Made(): return V", "V = {}\nfor i in range(1): V[i] = i", "1", "2"),
        (
            "from pack.extra import g\ndef Made(): return g()",
            "def s():\n  global V\n  V = 3\ndef g(): return V",
            "3",
            "4",
        ),
        (
            "from pack.extra import f as g\ndef Made(): return g()",
            "from .maths import double as f",
            "double",
            "triple",
        ),
        ("def Made(): return [f(x) for x in range(3)]\ndef f(x):\n  return x + 1", None, "+ 1", "+ 2"),
        ("def Made(): return eval('f')()\ndef f(): return 1", None, "1", "2"),
        ("def Made(f):\n  return f\ndef other(): return Made(1)", None, "return f", "return [f]"),
        ("Made = lambda: f()\ndef f(): return 1", None, "1", "2"),
    ],
)
def test_what_a_function_uses_counts(digests, body, extra, old, new):
    def write(text, more):
        return digests(node(text, **({"extra": more} if more else {})), "Made")

    before = write(body, extra)
    after = write(body, extra.replace(old, new)) if extra else write(body.replace(old, new), None)
    assert before != after
    assert before == write(body, extra)


def test_names_that_parameters_hide_do_not_count(digests):
    body = "from pack.extra import image\ndef Made(image): return image"
    assert digests(node(body, extra="image = 1"), "Made") == digests(node(body, extra="image = 2"), "Made")


def test_a_module_passed_around_counts_with_all_it_imports(digests):
    files = node("from pack import extra\ndef Made(): return vars(extra)", extra="from .maths import *")
    assert digests(files, "Made") != digests({**files, **edited("pack/maths.py", "= 3", "= 4")}, "Made")


def test_swapped_imports_count(digests):
    body = "from pack.maths import double as {}, triple as {}\ndef Made(): return f() - g()"
    assert digests(node(body.format("f", "g")), "Made") != digests(node(body.format("g", "f")), "Made")


REGISTRY = {
    "table": "SOLVERS = {}\ndef solver(name): return lambda f: SOLVERS.setdefault(name, f)",
    "euler": "from pack.table import solver\n@solver('euler')\ndef euler(): return 1",
    "heun": "from pack import table\ntable.SOLVERS['heun'] = lambda: 1",
    "loner": "from pack.maths import double\n@double\ndef loner(): return 1",
}


@pytest.mark.parametrize(("name", "changes"), [("euler", True), ("heun", True), ("loner", False)])
def test_what_is_registered_in_a_table_counts_for_its_users(digests, name, changes):
    body = "from pack.table import SOLVERS\ndef Made(name): return SOLVERS[name]()"
    before = digests(node(body, **REGISTRY), "Made")
    after = digests(node(body, **{**REGISTRY, name: REGISTRY[name].replace("1", "2")}), "Made")
    assert (before != after) == changes


def test_classes_that_register_themselves_count(digests):
    base = "class Base:\n  all = []\n  def __init_subclass__(cls): Base.all.append(cls)"
    sub = "from pack.base import Base\nclass Sub(Base): x = 1"
    body = "from pack.base import Base\ndef Made(): return Base.all"
    before = digests(node(body, base=base, sub=sub), "Made")
    assert before != digests(node(body, base=base, sub=sub.replace("1", "2")), "Made")


def test_single_dispatch_counts(digests):
    body = (
        "from functools import singledispatch\n@singledispatch\ndef f(x): return 0\ndef Made(x): return f(x)"
    )
    more = "from pack.blur.nodes import f\n@f.register\ndef _(x: int): return 1"
    before = digests(node(body, more=more), "Made")
    assert before != digests(node(body, more=more.replace("1", "2")), "Made")


def test_a_constant_given_to_decorators_ties_no_functions_together(digests):
    body = """
        CATEGORY = "image"
        def node(category): return lambda f: f
        @node(category=CATEGORY)
        def Made(): return 1
        @node(category=CATEGORY)
        def Other(): return 2
    """
    assert digests(node(body), "Made") == digests(node(body.replace("return 2", "return 3")), "Made")


def test_modules_that_import_from_each_other_end(digests):
    a = "from pack.b import x\ndef f(): return g()\ndef g(): return f() + 1"
    body = "def Made():\n  from pack.a import f, x\n  return f(), x"
    before = digests(node(body, a=a, b="from pack.a import x"), "Made")
    assert before != digests(node(body, a=a.replace("1", "2"), b="from pack.a import x"), "Made")


def test_long_call_chains_and_deep_expressions_need_no_recursion(digests):
    functions = "\n".join(f"def f{i}(): return f{i + 1}()" for i in range(3000))
    body = f"{functions}\ndef f3000(): return 1\ndef Made(): return f0() + {'+'.join(['1'] * 500)}"
    assert digests(node(body), "Made") != digests(
        node(body.replace("f3000(): return 1", "f3000(): return 2")), "Made"
    )


def test_a_broken_file_nobody_uses_does_not_matter(digests):
    before = digests({})
    assert digests({"pack/broken.py": "def ("}) == before


def test_an_edit_counts_only_once_the_module_is_loaded_again(digests):
    before = digests({}, "Blur")
    module = sys.modules["pack.maths"]
    path = Path(module.__file__)
    path.write_text(path.read_text().replace("x * FACTOR", "x + FACTOR"))
    os.utime(path, (1, 1))
    blur = sys.modules["pack.blur.nodes"].Blur
    assert code_digest(blur) == before  # it still runs the old code
    importlib.reload(module)
    assert code_digest(blur) != before


def test_a_module_first_loaded_after_an_edit_counts_as_edited(digests):
    body = "def Made():\n  from pack.extra import f\n  return f()"
    before = digests(node(body, extra="def f(): return 1"), "Made")
    path = Path(sys.modules["pack"].__path__[0]) / "extra.py"
    path.write_text("def f(): return 2")
    made = sys.modules["pack.blur.nodes"].Made
    assert code_digest(made) == before
    assert made() == 2
    assert code_digest(made) != before


def test_sources_can_be_remembered_before_the_first_digest(digests):
    before = digests({}, "Blur")
    digests({}, "Wave")
    path = Path(sys.modules["pack.maths"].__file__)
    remember_sources("pack")
    path.write_text("")
    assert code_digest(sys.modules["pack.blur.nodes"].Blur) == before


def run_text(text, **names):
    namespace = {"__name__": "nowhere", **names}
    exec(textwrap.dedent(text), namespace)
    return namespace


@pytest.mark.parametrize(
    ("old", "new"),
    [("x + 1", "x + 2"), ("SCALE = 1", "SCALE = 2"), ("y * 2", "y * 3"), ("=5", "=6"), ("-1", "-2")],
)
def test_functions_without_source_count_by_bytecode_and_globals(old, new):
    text = """
        SCALE = 1
        class Helper:
            def run(self, y): return y * 2
        def helper(x, deep=lambda: -1): return x + 1
        def f(x, default=5): return helper(x) * SCALE + Helper().run(x)
    """
    assert old in text
    before = code_digest(run_text(text)["f"])
    assert before == code_digest(run_text("\n\n" + text)["f"])
    assert before != code_digest(run_text(text.replace(old, new))["f"])


def closing_over(value):
    def inner(x):
        return value, x

    return inner


def helper_a():
    return "a"


def helper_b():
    return "b"


@pytest.mark.parametrize(
    ("one", "other"), [(1, 2), (1, True), ("1", 1), (helper_a, helper_b), ([1], (1,)), (int, str)]
)
def test_closures_count_what_they_hold(one, other):
    assert code_digest(closing_over(one)) == code_digest(closing_over(one))
    assert code_digest(closing_over(one)) != code_digest(closing_over(other))
    assert code_digest(functools.partial(helper_a, one)) != code_digest(functools.partial(helper_a, other))


def test_a_closure_over_a_live_object_is_an_error():
    with pytest.raises(CodecError, match="use plain values"):
        code_digest(closing_over(object()))


def test_a_closure_over_itself_ends():
    def loop(n):
        return loop(n - 1) if n else 0

    assert code_digest(loop) == code_digest(loop)


def test_a_closure_over_a_list_that_holds_itself_ends():
    loop = [helper_a]
    loop.append(loop)
    assert code_digest(closing_over(loop)) == code_digest(closing_over(loop))
    assert code_digest(closing_over([helper_a, [1]])) != code_digest(closing_over([helper_a, [2]]))


def test_functions_of_other_packages_count_by_name():
    assert code_digest(closing_over(json.dumps)) != code_digest(closing_over(json.loads))
    assert code_digest(closing_over(math)) != code_digest(closing_over(json))
    assert code_digest(len) != code_digest(abs)


PAIR = (lambda x: x + 1, lambda x: x + 2)


def test_functions_that_share_a_statement_differ():
    assert code_digest(PAIR[0]) != code_digest(PAIR[1])
    assert code_digest(Counter().count) != code_digest(Counter().other)
    assert code_digest(Counter(1).count) != code_digest(Counter(2).count)


@dataclass(frozen=True)
class Counter:
    start: int = 0

    def count(self):
        return self.start

    def other(self):
        return self.start


def test_wrapped_functions_count_as_what_they_wrap():
    @functools.wraps(helper_a)
    def wrapper():
        return helper_a()

    assert code_digest(wrapper) == code_digest(helper_a)


def test_digests_are_the_same_in_every_process(tmp_path):
    (tmp_path / "solo.py").write_text(
        "S = {'a', 'b'}\ndef f(x): return x in {'c', 'd'} | S\ng = eval('lambda x: x in {1, \"z\"}')"
    )
    code = "import solo; from nodegraph.cache.code import *; print(code_digest(solo.f), code_digest(solo.g))"
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(runs) == 1


def test_two_hundred_nodes_take_less_than_a_second(digests):
    files = {}
    for family in range(20):
        nodes = "\n".join(
            f"def N{family}_{i}(image: Image, n: int = {i}) -> Image:\n  return helper{i}(image, n)"
            for i in range(10)
        )
        helpers = "\n".join(
            f"def helper{i}(image, n):\n  for k in range(n):\n    image = double(image) + k\n  return image"
            for i in range(10)
        )
        files[f"pack/f{family}/__init__.py"] = ""
        files[f"pack/f{family}/algorithms.py"] = f"from pack.maths import double\n{helpers}"
        files[f"pack/f{family}/nodes.py"] = (
            f"from pack.types import Image\nfrom .algorithms import *\n{nodes}"
        )
    digests(files)
    modules = [importlib.import_module(f"pack.f{family}.nodes") for family in range(20)]
    functions = [getattr(module, f"N{k}_{i}") for k, module in enumerate(modules) for i in range(10)]
    start = time.perf_counter()
    assert len({code_digest(function) for function in functions}) == 200
    assert time.perf_counter() - start < 1

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nodegraph import node
from nodegraph.errors import DeclarationError
from nodegraph.registry import NodeRegistry

HELLO = """
from nodegraph import node

@node(category="greetings")
def Hello(name: str = "world") -> str:
    return f"hello {name}"
"""

BROKEN = {
    "syntax": "def (:\n",
    "missing_module": "import a_module_that_does_not_exist\n",
    "crash": "\n\nraise RuntimeError('no')\n",
    "leaves": "\nimport sys\nsys.exit(3)\n",
    "declaration": """
from nodegraph import node

@node()
def Bad(x: int = "text") -> int:
    return x
""",
    "clash": """
from nodegraph import node

@node()
def Same() -> int:
    return 1

@node(name="Same")
def Other() -> int:
    return 2
""",
    "again": """
from nodegraph import node
@node()
def Same() -> int:
    return 1

@node()
def Same(x: int = 0) -> int:
    return 2
""",
}
FAULT = {
    "syntax": (1, "SyntaxError"),
    "missing_module": (1, "ModuleNotFoundError: No module named 'a_module_that_does_not_exist'"),
    "crash": (3, "RuntimeError: no"),
    "leaves": (3, "SystemExit: 3"),
    "declaration": (4, "default 'text' of input 'x' breaks its own rule"),
    "clash": (8, "two nodes are called 'clash.Same'"),
    "again": (7, "two nodes are called 'again.Same'"),
}


@node()
def Add(a: int, b: int = 1) -> int:
    """Add."""
    return a + b


@node(category="a")
def First() -> int:
    """One."""
    return 1


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    folder = tmp_path / "plugins"
    folder.mkdir()
    return folder


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on ``sys.path`` where packs can be installed; what is imported from it is forgotten."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        del sys.modules[name]


def install(site: Path, name: str, modules: dict[str, str]) -> None:
    """Put a package there as an installer would, offering it as a node pack."""
    for path, source in modules.items():
        file = site / name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
    metadata = site / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[nodegraph.nodes]\n{name} = {name}\n")


# --- adding nodes ---------------------------------------------------------------------------------------


def test_an_added_node_is_found_by_its_id():
    registry = NodeRegistry()
    record = registry.add(Add)
    assert registry.get("Add") is record
    assert registry.get("Subtract") is None
    assert registry.ids() == ["Add"]


def test_two_registries_do_not_see_each_other():
    one, other = NodeRegistry(), NodeRegistry()
    one.add(Add)
    assert other.get("Add") is None


def test_nodes_are_listed_by_category():
    registry = NodeRegistry()
    registry.add(Add)
    registry.add(First)
    assert [record.id for record in registry.nodes()] == ["First", "Add"]


def test_a_node_may_be_added_twice():
    registry = NodeRegistry()
    registry.add(Add)
    registry.add(Add)
    assert registry.ids() == ["Add"]


def test_two_nodes_of_one_name_are_refused_with_both_places():
    @node(name="Add")
    def Plus(a: int) -> int:
        return a

    registry = NodeRegistry()
    registry.add(Add)
    with pytest.raises(DeclarationError, match=r"py:\d+: two nodes are called 'Add'; .*py:\d+"):
        registry.add(Plus)


def test_a_mistyped_name_is_suggested():
    registry = NodeRegistry()
    registry.add(Add)
    registry.add(First)
    assert registry.suggest("frist") == ("First",)
    assert registry.suggest("zzz") == ()


def test_an_extended_registry_leaves_the_original_alone():
    registry = NodeRegistry()
    registry.add(Add)
    extended = registry.extended([First.record])
    assert extended.ids() == ["Add", "First"]
    assert registry.ids() == ["Add"]


# --- the plugins folder ---------------------------------------------------------------------------------


def test_files_and_packages_of_the_plugins_folder_are_packs(plugins: Path):
    (plugins / "hello.py").write_text(HELLO)
    package = plugins / "greetings" / "german"
    package.mkdir(parents=True)
    (plugins / "greetings" / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    (package / "nodes.py").write_text(HELLO)
    (plugins / "notes.txt").write_text("not a pack")
    registry = NodeRegistry.with_plugins(plugins)
    assert {"hello.Hello", "greetings.Hello"} <= set(registry.ids())
    assert not registry.problems
    assert registry.packs["greetings"].folder == plugins / "greetings"
    assert registry.packs["hello"].nodes == ("hello.Hello",)


def test_a_node_of_a_pack_knows_its_pack(plugins: Path):
    (plugins / "hello.py").write_text(HELLO)
    registry = NodeRegistry()
    registry.discover_folder(plugins)
    record = registry.get("hello.Hello")
    assert record is not None
    assert record.pack == "hello"
    assert record.function() == "hello world"


def test_a_plugin_shadows_no_module_of_its_name(plugins: Path):
    (plugins / "json.py").write_text(HELLO)
    NodeRegistry().discover_folder(plugins)
    import json

    assert json.loads("[1]") == [1]


def test_a_missing_plugins_folder_holds_no_packs(tmp_path: Path):
    registry = NodeRegistry()
    registry.discover_folder(tmp_path / "nowhere")
    assert not registry.packs


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_plugin_is_reported_and_the_others_load(
    plugins: Path, fault: str, caplog: pytest.LogCaptureFixture
):
    (plugins / f"{fault}.py").write_text(BROKEN[fault])
    (plugins / "aaa.py").write_text(HELLO)
    (plugins / "zzz.py").write_text(HELLO)
    registry = NodeRegistry()
    registry.discover_folder(plugins)
    assert registry.ids() == ["aaa.Hello", "zzz.Hello"]
    (problem,) = registry.problems
    line, message = FAULT[fault]
    assert problem.pack == fault
    assert problem.place == f"{plugins / fault}.py:{line}"
    assert message in problem.message
    assert fault in caplog.text


def test_every_mistake_of_a_pack_is_reported_at_once(plugins: Path, caplog: pytest.LogCaptureFixture):
    (plugins / "many").mkdir()
    (plugins / "many" / "__init__.py").write_text(HELLO.replace(": str", ""))
    (plugins / "many" / "other.py").write_text(BROKEN["declaration"] + BROKEN["clash"])
    registry = NodeRegistry()
    registry.discover_folder(plugins)
    places = [problem.place.removeprefix(f"{plugins / 'many'}/") for problem in registry.problems]
    assert places == ["__init__.py:4", "other.py:4", "other.py:14"]
    assert {problem.pack for problem in registry.problems} == {"many"}
    assert all(caplog.text.count(problem.place) == 1 for problem in registry.problems)
    assert registry.ids() == []


def test_a_module_with_mistakes_raises_when_it_is_imported_after_all(site: Path):
    install(
        site, "bad_pack", {"__init__.py": "from bad_pack.nodes import Bad", "nodes.py": BROKEN["declaration"]}
    )
    registry = NodeRegistry()
    registry.discover_installed()
    with pytest.raises(DeclarationError, match="default 'text'"):
        importlib.import_module("bad_pack")


def test_what_fails_because_of_a_mistake_is_not_reported_beside_it(plugins: Path):
    (plugins / "wired.py").write_text(BROKEN["declaration"] + "\nhandle = Bad.node(3)\n")
    registry = NodeRegistry()
    registry.discover_folder(plugins)
    (problem,) = registry.problems
    assert "default 'text'" in problem.message


def test_nothing_of_a_broken_pack_is_left_behind(plugins: Path):
    (plugins / "half.py").write_text(HELLO + "\nraise RuntimeError('late')\n")
    registry = NodeRegistry()
    registry.discover_folder(plugins)
    assert registry.ids() == []
    assert not any("plugin_half" in name for name in sys.modules)


# --- installed packs ------------------------------------------------------------------------------------


def test_the_built_in_nodes_come_without_a_prefix():
    registry = NodeRegistry.with_plugins()
    assert "KSampler" in registry.ids()
    assert registry.packs["builtin"].folder is not None


def test_an_installed_pack_is_discovered_by_its_entry_point(site: Path):
    install(site, "warm_pack", {"__init__.py": "", "family/__init__.py": "", "family/nodes.py": HELLO})
    registry = NodeRegistry()
    registry.discover_installed()
    assert "warm_pack.Hello" in registry.ids()
    assert registry.packs["warm_pack"].folder == site / "warm_pack"


def test_discovering_again_changes_nothing(site: Path):
    install(site, "warm_pack", {"__init__.py": HELLO})
    registry = NodeRegistry()
    registry.discover_installed()
    known = registry.ids()
    registry.discover_installed()
    assert registry.ids() == known
    assert not registry.problems


def test_the_namespaced_id_holds_for_graphs_built_in_python_too(site: Path):
    install(site, "warm_pack", {"__init__.py": HELLO})
    registry = NodeRegistry()
    registry.discover_installed()
    from warm_pack import Hello  # type: ignore[import-not-found]

    assert Hello.record.id == "warm_pack.Hello"


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_installed_pack_is_reported_and_the_others_load(site: Path, fault: str):
    source = BROKEN[fault].replace("clash.", "bad_pack.")
    install(site, "bad_pack", {"__init__.py": "", "nodes.py": source})
    install(site, "good_pack", {"__init__.py": HELLO})
    registry = NodeRegistry()
    registry.discover_installed()
    assert "good_pack.Hello" in registry.ids()
    assert "KSampler" in registry.ids()
    (problem,) = registry.problems
    assert problem.pack == "bad_pack"
    assert problem.place == f"{site / 'bad_pack' / 'nodes.py'}:{FAULT[fault][0]}"


def test_a_pack_whose_module_is_missing_is_reported(site: Path):
    install(site, "ghost", {})
    registry = NodeRegistry()
    registry.discover_installed()
    (problem,) = registry.problems
    assert problem.pack == "ghost"
    assert "No module named 'ghost'" in problem.message


def test_a_pack_that_takes_the_name_of_another_is_reported(plugins: Path):
    other = plugins.parent / "more"
    other.mkdir()
    (plugins / "hello.py").write_text(HELLO)
    (other / "hello.py").write_text("# a comment\n" + HELLO)
    registry = NodeRegistry()
    registry.discover_folder(plugins)
    registry.discover_folder(other)
    (problem,) = registry.problems
    assert "'hello.Hello'" in problem.message
    assert problem.place == f"{other / 'hello.py'}:5"
    record = registry.get("hello.Hello")
    assert record is not None
    assert record.function.__code__.co_filename == str(plugins / "hello.py")

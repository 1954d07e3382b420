import json
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage
from PIL.PngImagePlugin import PngInfo

from nodegraph import node
from nodegraph.errors import WorkflowError
from nodegraph.registry import NodeRegistry
from nodegraph.workflow import (
    NodeEntry,
    Workflow,
    load_workflow,
    read_png_workflow,
    workflow_metadata,
    write_workflow,
)
from nodegraph.workflow import png as png_module


@node()
def Number(value: int = 1, note: str = "") -> int:
    """A number."""
    return value


@node(version=2, migrations={1: lambda inputs: {"b": inputs["a"]}})
def Renamed(b: int) -> int:
    """Its input had another name."""
    return b


@pytest.fixture
def registry():
    registry = NodeRegistry()
    registry.add(Number)
    registry.add(Renamed)
    return registry


WORKFLOW = Workflow(name="Größe 😀", nodes={"n": NodeEntry(type="Number", inputs={"value": 3, "note": "é"})})
COMFY = {"4": {"class_type": "Number", "inputs": {"value": 3}}}


def save(path, texts, *, compressed=False):
    info = PngInfo()
    for keyword, text in texts.items():
        info.add_text(keyword, text, zip=compressed)
    PillowImage.new("RGB", (64, 64)).save(path, format="png", pnginfo=info)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def handmade(*chunks):
    return png_module.SIGNATURE + b"".join(chunks) + chunk(b"IEND", b"")


@pytest.mark.parametrize("compressed", [False, True])
def test_a_saved_picture_gives_its_workflow_back(tmp_path, registry, compressed):
    path = tmp_path / "a.png"
    save(path, workflow_metadata(WORKFLOW, registry), compressed=compressed)
    assert read_png_workflow(path, registry) == WORKFLOW
    assert read_png_workflow(path.read_bytes(), registry) == WORKFLOW


def test_metadata_holds_both_formats(registry):
    chunks = workflow_metadata(WORKFLOW, registry)
    assert list(chunks) == ["nodegraph", "prompt"]
    assert json.loads(chunks["prompt"]) == {
        "n": {"class_type": "Number", "inputs": {"value": 3, "note": "é"}}
    }


def test_metadata_leaves_out_what_a_format_cannot_hold(registry):
    nodes = {"n": NodeEntry(type="subgraph/s")}
    assert list(workflow_metadata(Workflow(nodes=nodes), registry)) == ["nodegraph"]
    assert (
        workflow_metadata(Workflow(nodes={"n": NodeEntry(type="A", inputs={"x": object()})}), registry) == {}
    )


def test_a_comfy_picture_is_imported(tmp_path, registry):
    save(tmp_path / "a.png", {"prompt": json.dumps(COMFY), "workflow": '{"nodes": [], "links": []}'})
    workflow = read_png_workflow(tmp_path / "a.png", registry)
    assert workflow.nodes["4"].inputs == {"value": 3}


def test_the_own_chunk_wins_and_is_brought_up_to_date(tmp_path, registry):
    old = {
        "format": "nodegraph",
        "version": 1,
        "nodes": {"r": {"type": "Renamed", "version": 1, "inputs": {"a": 5}}},
    }
    save(tmp_path / "a.png", {"prompt": json.dumps(COMFY), "nodegraph": json.dumps(old)})
    assert read_png_workflow(tmp_path / "a.png", registry).nodes["r"].inputs == {"b": 5}


def test_files_are_told_apart_by_content(tmp_path, registry):
    save(tmp_path / "picture.json", workflow_metadata(WORKFLOW, registry))
    write_workflow(WORKFLOW, tmp_path / "workflow.png")
    (tmp_path / "comfy").write_text(json.dumps(COMFY))
    assert load_workflow(tmp_path / "picture.json", registry) == WORKFLOW
    assert load_workflow(tmp_path / "workflow.png", registry) == WORKFLOW
    assert list(load_workflow(tmp_path / "comfy", registry).nodes) == ["4"]


def test_errors_name_the_file(tmp_path, registry):
    save(tmp_path / "plain.png", {})
    with pytest.raises(WorkflowError, match=r"plain\.png: the picture carries no workflow"):
        load_workflow(tmp_path / "plain.png", registry)
    with pytest.raises(WorkflowError, match=r"gone\.png: cannot be read: No such file"):
        load_workflow(tmp_path / "gone.png", registry)
    with pytest.raises(WorkflowError, match="cannot be read: No such file"):
        read_png_workflow(tmp_path / "gone.png", registry)


def test_bombs_are_refused(registry, monkeypatch):
    monkeypatch.setattr(png_module, "MAX_TEXT_BYTES", 1 << 20)
    bomb = zlib.compress(bytes(8 << 20))
    with pytest.raises(WorkflowError, match="unpacks to more than 1 MiB"):
        read_png_workflow(handmade(chunk(b"zTXt", b"prompt\0\0" + bomb)), registry)
    with pytest.raises(WorkflowError, match="unpacks to more than 1 MiB"):
        read_png_workflow(handmade(chunk(b"iTXt", b"prompt\0\1\0\0\0" + bomb)), registry)
    with pytest.raises(WorkflowError, match="larger than 1 MiB"):
        read_png_workflow(handmade(chunk(b"tEXt", b"prompt\0" + bytes(2 << 20))), registry)


def test_texts_of_other_programs_are_not_unpacked(registry):
    damaged = chunk(b"zTXt", b"Comment\0\0not zlib")
    text = chunk(b"tEXt", b"prompt\0" + json.dumps(COMFY).encode())
    assert list(read_png_workflow(handmade(damaged, text), registry).nodes) == ["4"]


def test_endless_chunks_are_refused(registry, monkeypatch):
    monkeypatch.setattr(png_module, "MAX_CHUNKS", 100)
    with pytest.raises(WorkflowError, match="more than 100 chunks"):
        read_png_workflow(handmade(*[chunk(b"IDAT", b"")] * 200), registry)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not a PNG"),
        (b"\x89PNG\r\n\x1a\n", "carries no workflow"),
        (handmade(chunk(b"zTXt", b"prompt\0\0" + b"not zlib")), "damaged"),
        (handmade(chunk(b"zTXt", b"prompt\0\0" + zlib.compress(b"{}")[:-3])), "cut off"),
        (handmade(chunk(b"zTXt", b"prompt")), "cut off"),
        (handmade(chunk(b"iTXt", b"prompt\0\0\0\0\0\xff")), "not UTF-8"),
        (handmade(chunk(b"tEXt", b"prompt\0{")[:-1] + b"!"), "checksum"),
        (handmade(chunk(b"tEXt", b"prompt\0{}"))[:20], "ends in the middle"),
        (handmade(chunk(b"tEXt", b"prompt\0[]")), "not \\[\\]"),
        (handmade(chunk(b"tEXt", b"nodegraph\0")), "empty"),
    ],
)
def test_damaged_pictures_are_refused_in_plain_words(registry, data, says):
    with pytest.raises(WorkflowError, match=says):
        read_png_workflow(data, registry)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([b"tEXt", b"zTXt", b"iTXt", b"IDAT"]), st.binary(max_size=12)), max_size=3
    ),
    st.integers(0, 99),
)
def test_broken_pictures_raise_only_workflow_errors(chunks, cut):
    data = handmade(*(chunk(kind, b"prompt\0" + body) for kind, body in chunks))
    try:
        read_png_workflow(data[: len(data) - cut], NodeRegistry())
    except WorkflowError as error:
        assert str(error)

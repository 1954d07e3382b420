"""The contact sheet of a sweep: what it shows, and what it carries."""

import json
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

BATCH = '''

from nodegraph import InputError


@node(category="toy", terminal=True)
def PaintAll(ctx: NodeContext, value: int, count: int = 1, size: int = 30) -> list[OutputFile]:
    """Save squares, each a little brighter than the one before."""
    if value == 66:
        raise InputError("value", "is out of order")
    files = []
    for index in range(count):
        buffer, shade = io.BytesIO(), value + index
        Image.new("RGB", (size, size), (shade, shade, shade)).save(buffer, "png")
        files.append(ctx.save(buffer.getvalue(), prefix="all", suffix=".png", media_type="image/png"))
    return files
'''


@pytest.fixture
def batches(home, save):
    """A workflow that saves several pictures."""
    plugin = home / "home" / "plugins" / "toy.py"
    plugin.write_text(plugin.read_text() + BATCH)
    return save(
        number=("Number", {"value": 9}, {}), paint=("PaintAll", {"count": 3}, {"value": ["number", "int"]})
    )


@pytest.fixture
def sweep(cli):
    """Runs a sweep and gives the path of its sheet."""

    def run(file, *settings, options=()):
        texts = [part for text in settings for part in ("--set", text)]
        result = cli("run", file, "--grid", "--quiet", *texts, *options)
        return Path(result.stdout.splitlines()[-1])

    return run


def shades(path):
    """The grey shades that fill at least most of a small picture, darkest first; letters are finer."""
    with Image.open(path) as picture:
        counts = picture.convert("L").histogram()
    return [shade for shade in range(1, 255) if counts[shade] >= 500]


def texts_of(path):
    with Image.open(path) as picture:
        picture.load()
        return picture.text


def test_every_picture_of_a_batch_is_in_its_place(batches, sweep):
    sheet = sweep(batches, "number.value=20,40", "paint.count=1,4")
    assert shades(sheet) == [20, 21, 22, 23, 40, 41, 42, 43]
    with Image.open(sheet) as picture:
        assert picture.width == 2 * 62 + 3 * 8  # two squares side by side in each place


def test_a_large_batch_is_made_smaller(batches, sweep):
    with Image.open(sweep(batches, "number.value=20,40", "paint.count=16")) as picture:
        assert picture.width == 2 * (4 * 15 + 3 * 2) + 3 * 8


def test_pictures_of_several_nodes_share_the_place_of_their_run(batches, sweep):
    document = json.loads(batches.read_text())
    document["nodes"]["second"] = {
        "type": "toy.Paint",
        "inputs": {"value": 90},
        "links": {},
    }
    batches.write_text(json.dumps(document))
    sheet = sweep(batches, "number.value=20,40", "paint.count=1")
    assert shades(sheet) == [20, 40, 90]


def test_a_run_that_failed_keeps_its_place(batches, sweep):
    sheet = sweep(batches, "number.value=20,66,40,50", "paint.count=1")
    with Image.open(sheet) as picture:
        places = [picture.getpixel((8 + 38 * column + 15, 8 + 15)) for column in range(3)]
    assert [shade for shade, *_ in places] == [20, 255, 40]


def test_a_sheet_carries_the_workflow_with_the_fixed_settings_and_the_sweep_apart(cli, painting, sweep):
    sheet = sweep(painting, "number.value=1,5", 'paint.name="a, b"')
    texts = texts_of(sheet)
    assert json.loads(texts["nodegraph_sweep"]) == ["number.value=1,5"]
    workflow = json.loads(texts["nodegraph"])
    assert workflow["nodes"]["number"]["inputs"] == {"value": 9}
    assert workflow["nodes"]["paint"]["inputs"] == {"name": "a, b"}
    assert "ui" not in workflow
    assert json.loads(texts["prompt"])["number"]["inputs"]["value"] == 9
    painting.unlink()
    rerun = cli("run", sheet)
    assert rerun.exit_code == 0
    assert rerun.stdout.splitlines()[0].endswith("a, b_00003.png")


def test_a_sheet_is_made_again_from_itself(cli, painting, sweep):
    sheet = sweep(painting, "number.value=1,5,9", 'paint.name="a, b",true')
    painting.unlink()
    again = sweep(sheet)
    assert again != sheet
    assert again.read_bytes() == sheet.read_bytes()
    other = sweep(sheet, "number.value=7,8")
    assert shades(other) == [7, 8]


def test_a_sheet_without_metadata_carries_nothing(painting, sweep):
    assert texts_of(sweep(painting, "number.value=1,5", options=["--no-metadata"])) == {}


@pytest.mark.parametrize("text", ["{", "[1]", '{"a": 1}'])
def test_a_sweep_that_makes_no_sense_is_refused(cli, painting, home, text):
    carried = PngInfo()
    carried.add_text("nodegraph", painting.read_text())
    carried.add_text("nodegraph_sweep", text)
    Image.new("RGB", (1, 1)).save(home / "odd.png", pnginfo=carried)
    result = cli("run", "odd.png", "--grid")
    assert result.exit_code == 2
    assert "odd.png: the sweep it carries cannot be read; give one with --set" in result.stderr
    assert cli("run", "odd.png").exit_code == 0


def test_a_picture_without_a_sweep_needs_one(cli, painting):
    path = cli("run", painting, "--quiet").stdout.strip()
    result = cli("run", path, "--grid")
    assert result.exit_code == 2
    assert "--grid needs a --set with several values" in result.stderr


def test_a_sheet_never_takes_the_place_of_something_else(painting, sweep, home):
    (home / "output").mkdir()
    (home / "output" / "grid_00001.png").symlink_to(home / "elsewhere.png")
    assert sweep(painting, "number.value=1,5").name == "grid_00002.png"
    assert not (home / "elsewhere.png").exists()

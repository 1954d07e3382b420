"""Pictures read from files and written to files."""

import io
import struct
import zlib

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo

from nodegraph.errors import InputError
from nodegraph.files import Folders
from nodegraph.specs import Spec
from nodegraph.testing import TestContext
from nodes.images.files.nodes import LoadImage, PreviewImage, SaveImage
from nodes.types import Image


@pytest.fixture
def inputs(tmp_path):
    folder = tmp_path / "inputs"
    folder.mkdir()
    return folder


@pytest.fixture
def ctx(tmp_path, inputs):
    return TestContext(
        Folders(output=tmp_path / "output", inputs=(inputs,)), {"prompt": '{"a": 1}', "note": "für 猫"}
    )


def levels(height=6, width=9, channels=3):
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)


def announced(ctx, name):
    return LoadImage.record.infer(image=Spec(value=name), files=ctx.folders)


@pytest.mark.parametrize(("mode", "channels"), [("RGB", 3), ("L", 1), ("RGBA", 4)])
def test_what_is_saved_is_what_is_loaded(ctx, inputs, mode, channels):
    pixels = torch.from_numpy(levels(channels=channels).astype(np.float32) / 255)
    (saved,) = SaveImage(ctx, Image(pixels[None]), "a/b")
    assert saved.media_type == "image/png"
    with Pillow.open(saved.path) as file:
        assert file.mode == mode
        file.save(inputs / "again.png")
    loaded = LoadImage(ctx, "again.png")
    colour = pixels[..., :3].expand(-1, -1, 3)
    assert torch.equal(loaded.image.pixels[0], colour)
    opacity = pixels[..., 3] if channels == 4 else torch.ones(6, 9)
    torch.testing.assert_close(loaded.mask.values[0], 1 - opacity)


def test_each_picture_of_a_batch_becomes_a_file_with_the_workflow_inside(ctx):
    files = SaveImage(ctx, Image(torch.rand(3, 4, 4, 3)))
    assert len({file.path for file in files}) == 3
    for file in files:
        with Pillow.open(file.path) as picture:
            assert picture.text == {"prompt": '{"a": 1}', "note": "für 猫"}
    assert ctx.progressed == [(1, 3), (2, 3), (3, 3)]


def test_no_metadata_means_no_text_at_all(tmp_path):
    ctx = TestContext(Folders(output=tmp_path))
    (file,) = SaveImage(ctx, Image(torch.rand(1, 4, 4, 3)))
    with Pillow.open(file.path) as picture:
        assert picture.text == {}


def test_a_preview_is_temporary(tmp_path):
    class Recorder(TestContext):
        def save(self, data, **options):
            self.options = options
            return super().save(data, **options)

    ctx = Recorder(Folders(output=tmp_path))
    assert len(PreviewImage(ctx, Image(torch.rand(2, 4, 4, 3)))) == 2
    assert ctx.options["temporary"] is True


def test_values_are_rounded_to_the_nearest_level_and_kept_in_range(tmp_path):
    ctx = TestContext(Folders(output=tmp_path))
    row = torch.tensor([-1.0, 0.49 / 255, 0.51 / 255, 254.4 / 255, 2.0])
    (file,) = SaveImage(ctx, Image(row[None, None, :, None]))
    with Pillow.open(file.path) as picture:
        assert np.asarray(picture).tolist() == [[0, 0, 1, 254, 255]]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_pixels_that_are_no_numbers_are_an_error_not_a_black_picture(tmp_path, value):
    ctx = TestContext(Folders(output=tmp_path))
    with pytest.raises(InputError, match="not numbers"):
        SaveImage(ctx, Image(torch.full((1, 2, 2, 3), value)))
    assert ctx.saved == []


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_a_file_whose_pixels_are_no_numbers_is_an_error_not_a_black_picture(ctx, inputs, value):
    Pillow.fromarray(np.full((2, 2), value, dtype=np.float32)).save(inputs / "odd.tiff")
    with pytest.raises(InputError, match=r"odd\.tiff: some of its pixels are not numbers"):
        LoadImage(ctx, "odd.tiff")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright(ctx, inputs, orientation):
    upright = Pillow.fromarray(levels())
    undo = {
        1: None,
        2: Pillow.Transpose.FLIP_LEFT_RIGHT,
        3: Pillow.Transpose.ROTATE_180,
        4: Pillow.Transpose.FLIP_TOP_BOTTOM,
        5: Pillow.Transpose.TRANSPOSE,
        6: Pillow.Transpose.ROTATE_90,
        7: Pillow.Transpose.TRANSVERSE,
        8: Pillow.Transpose.ROTATE_270,
    }[orientation]
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    stored = upright if undo is None else upright.transpose(undo)
    stored.save(inputs / "turned.png", exif=exif)
    image = LoadImage(ctx, "turned.png").image
    assert torch.equal(image.pixels[0], torch.from_numpy(levels().astype(np.float32) / 255))
    assert announced(ctx, "turned.png")["image"] == {"width": 9, "height": 6, "batch": 1, "channels": 3}


def test_a_palette_with_a_transparent_colour(ctx, inputs):
    picture = Pillow.new("P", (2, 1))
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.putpixel((1, 0), 1)
    picture.save(inputs / "palette.png", transparency=1)
    loaded = LoadImage(ctx, "palette.png")
    assert loaded.image.pixels[0, 0].tolist() == [[1, 0, 0], [0, 0, 1]]
    assert loaded.mask.values[0, 0].tolist() == [0, 1]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I", "F", "CMYK", "YCbCr"])
def test_every_mode_is_read_as_rgb_in_0_to_1(ctx, inputs, mode):
    grey = np.tile(np.linspace(0, 255, 16).round().astype(np.uint8), (4, 1))
    if mode in ("I;16", "I"):
        picture = Pillow.fromarray(grey.astype(np.uint16) * 257).convert(mode)
    elif mode == "F":
        picture = Pillow.fromarray(grey.astype(np.float32) / 255)
    else:
        picture = Pillow.fromarray(grey).convert("L" if mode == "P" else "RGB").convert(mode)
    picture.save(inputs / "mode.tiff")
    pixels = LoadImage(ctx, "mode.tiff").image.pixels
    assert pixels.shape == (1, 4, 16, 3)
    assert (pixels.min().item(), pixels.max().item()) == pytest.approx((0, 1), abs=0.02)
    if mode != "1":
        expected = torch.from_numpy(grey.astype(np.float32) / 255)
        torch.testing.assert_close(pixels[0, :, :, 1], expected, atol=0.02, rtol=0)


def test_16_bits_keep_their_precision(ctx, inputs):
    Pillow.fromarray(np.array([[0, 1, 32768, 65535]], dtype=np.uint16)).save(inputs / "deep.png")
    pixels = LoadImage(ctx, "deep.png").image.pixels
    torch.testing.assert_close(pixels[0, 0, :, 0], torch.tensor([0, 1, 32768, 65535]) / 65535)


def test_of_an_animation_the_first_frame_is_read(ctx, inputs):
    frames = [Pillow.new("RGB", (3, 2), colour) for colour in ("red", "blue")]
    frames[0].save(inputs / "moving.gif", save_all=True, append_images=frames[1:])
    whole = (inputs / "moving.gif").read_bytes()
    (inputs / "cut.gif").write_bytes(whole[:-8])  # within the second frame
    for name in ("moving.gif", "cut.gif"):
        assert LoadImage(ctx, name).image.pixels[0, 0, 0].tolist() == [1, 0, 0]


def bomb(width, height):
    """A PNG of a few hundred bytes that says it is very large."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("side", [8193, 10_000, 60_000, 2**31 - 1])
def test_decompression_bombs_are_refused_from_their_header(ctx, inputs, side):
    (inputs / "bomb.png").write_bytes(bomb(side, side))
    with pytest.raises(InputError, match=r"^image: bomb\.png: .*67108864 pixels"):
        LoadImage(ctx, "bomb.png")
    with pytest.raises(InputError, match=r"^image: bomb\.png: .*67108864 pixels"):
        announced(ctx, "bomb.png")


def test_a_text_chunk_that_unpacks_without_end_is_refused(ctx, inputs):
    info = PngInfo()
    info.add_text("prompt", "a" * 200_000_000, zip=True)
    Pillow.new("L", (2, 2)).save(inputs / "chatty.png", pnginfo=info)
    with pytest.raises(InputError, match="damaged"):
        LoadImage(ctx, "chatty.png")


def test_a_file_that_is_no_picture_is_named_before_the_run(ctx, inputs):
    (inputs / "story.txt").write_text("once upon a time")
    for look in (LoadImage, announced):
        with pytest.raises(InputError, match=r"^image: story\.txt: not a picture; PNG"):
            look(ctx, "story.txt")


def test_a_file_that_is_not_there_announces_nothing(ctx):
    assert announced(ctx, "absent.png") == {}
    assert LoadImage.record.infer(image=Spec(), files=ctx.folders) == {}


def _encoded(format):
    stream = io.BytesIO()
    exif = Pillow.Exif()
    exif[0x0112] = 6
    Pillow.fromarray(levels(24, 24)).save(stream, format, exif=exif)
    return stream.getvalue()


@pytest.mark.filterwarnings("ignore:.*:UserWarning")  # Pillow warns of odd tags, and reads on
@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF", "GIF"])
def test_damaged_files_are_refused_or_read_but_never_break_the_node(ctx, inputs, format):
    whole = _encoded(format)

    @settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.integers(0, len(whole)),
        st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), max_size=8),
    )
    def damage(length, changes):
        data = bytearray(whole)
        for place, value in changes:
            data[place] = value
        (inputs / "damaged").write_bytes(data[: length if length % 2 else len(whole)])
        try:
            pixels = LoadImage(ctx, "damaged").image.pixels
        except InputError:
            return
        assert pixels.isfinite().all()
        assert 0 <= pixels.min() <= pixels.max() <= 1

    damage()

"""What picture nodes announce before the run is what they make."""

import pytest
import torch

from nodegraph.specs import Mismatch, Spec
from nodes.images.batches.nodes import EmptyImage, ImageBatch, ImageFromBatch
from nodes.images.compose.nodes import ImageBlend, ImageCompositeMasked, ImageGrid
from nodes.images.masks.nodes import ImageToMask, InvertMask, MaskToImage
from nodes.images.transform.nodes import ImageCrop, ImageInvert, ImagePad, ImageScale, ImageScaleBy
from nodes.types import Image, Mask


def picture(batch=2, height=12, width=20, channels=3):
    generator = torch.Generator().manual_seed(batch + height)
    return Image(torch.rand(batch, height, width, channels, generator=generator))


def mask(batch=2, height=12, width=20):
    return Mask(picture(batch, height, width, 1).pixels[..., 0])


def facts_of(value):
    if isinstance(value, Image):
        batch, height, width, channels = value.pixels.shape
        return {"width": width, "height": height, "batch": batch, "channels": channels}
    batch, height, width = value.values.shape
    return {"width": width, "height": height, "batch": batch}


def spec_of(value):
    return Spec(facts_of(value)) if isinstance(value, Image | Mask) else Spec(value=value)


def inferred(function, inputs, specs):
    infer = function.record.infer
    names = infer.__code__.co_varnames[: infer.__code__.co_argcount]
    given = {**function.record.defaults, **inputs}
    return infer(**{name: specs.get(name, spec_of(given[name])) for name in names})


CASES = [
    (ImageScale, {"image": picture(), "width": 7, "height": 9}),
    (ImageScale, {"image": picture(), "width": 0, "height": 9, "crop": "center"}),
    (ImageScale, {"image": picture(), "width": 30, "height": 0}),
    (ImageScale, {"image": picture(), "width": 0, "height": 0}),
    (ImageScaleBy, {"image": picture(), "scale_by": 0.3}),
    (ImageScaleBy, {"image": picture(), "scale_by": 0.01}),
    (ImageCrop, {"image": picture(), "width": 5, "height": 6, "x": 3, "y": 2}),
    (ImageCrop, {"image": picture(), "width": 50, "height": 60, "x": 3, "y": 2}),
    (ImagePad, {"image": picture(), "left": 1, "top": 2, "right": 3, "bottom": 4}),
    (ImageInvert, {"image": picture(channels=4)}),
    (ImageBlend, {"image1": picture(), "image2": picture(1, 5, 5)}),
    (ImageBlend, {"image1": picture(1), "image2": picture(3, channels=4)}),
    (ImageCompositeMasked, {"destination": picture(1), "source": picture(2, 4, 4, 4), "x": -1, "y": 3}),
    (ImageBatch, {"image1": picture(2), "image2": picture(3, 9, 9, 4)}),
    (ImageFromBatch, {"image": picture(5), "batch_index": 3, "length": 9}),
    (EmptyImage, {"width": 3, "height": 4, "batch_size": 5}),
    (ImageGrid, {"images": picture(3)}),
    (MaskToImage, {"mask": mask()}),
    (ImageToMask, {"image": picture(channels=1)}),
    (InvertMask, {"mask": mask()}),
]
IDS = [f"{function.record.id}-{number}" for number, (function, _) in enumerate(CASES)]


@pytest.mark.parametrize(("function", "inputs"), CASES, ids=IDS)
def test_announced_facts_are_those_of_the_result(function, inputs):
    announced, made = inferred(function, inputs, {}), facts_of(function(**inputs))
    if function is ImageGrid:
        made = {name: made[name] for name in ("batch", "channels")}  # its size depends on the labels
    assert announced == made


@pytest.mark.parametrize(("function", "inputs"), CASES, ids=IDS)
def test_nothing_false_is_announced_where_inputs_are_unknown(function, inputs):
    made = facts_of(function(**inputs))
    for unknown in function.record.inputs:
        announced = inferred(function, inputs, {unknown: Spec()})
        assert announced.items() <= made.items()


@pytest.mark.parametrize(("function", "inputs"), CASES, ids=IDS)
def test_inputs_are_left_as_they_were(function, inputs):
    tensors = [
        value.pixels if isinstance(value, Image) else value.values
        for value in inputs.values()
        if isinstance(value, Image | Mask)
    ]
    before = [tensor.clone() for tensor in tensors]
    function(**inputs)
    assert all(torch.equal(tensor, copy) for tensor, copy in zip(tensors, before, strict=True))


@pytest.mark.parametrize(
    ("function", "inputs", "blamed"),
    [
        (ImageCrop, {"image": picture(), "x": 20}, "x"),
        (ImageCrop, {"image": picture(), "y": 12}, "y"),
        (ImageFromBatch, {"image": picture(), "batch_index": 2}, "batch_index"),
        (ImageBlend, {"image1": picture(2), "image2": picture(3)}, "image2"),
        (ImageCompositeMasked, {"destination": picture(2), "source": picture(3)}, "source"),
        (ImageToMask, {"image": picture(), "channel": "alpha"}, "channel"),
    ],
)
def test_what_cannot_work_is_found_before_the_run_and_while_it_runs(function, inputs, blamed):
    with pytest.raises(Mismatch) as before:
        inferred(function, inputs, {})
    assert before.value.inputs[0] == blamed
    with pytest.raises(ValueError, match=f"^{blamed}: "):
        function(**inputs)

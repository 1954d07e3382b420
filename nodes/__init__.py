"""The built-in nodes, discovered as any third-party pack is; here by name, for graphs built in Python."""

from nodes.charts.nodes import ImageHistogram, ImageStatistics, PreviewSeries, PreviewTable, SeriesFromList
from nodes.checkpoints.nodes import CheckpointLoaderSimple
from nodes.conditioning.nodes import CLIPTextEncode
from nodes.controlnet.nodes import ControlNetApplyAdvanced, ControlNetLoader
from nodes.flow.nodes import ForEach, Repeat, Switch
from nodes.gan.nodes import GANLoader, GenerateImages, LatentWalk
from nodes.images.batches.nodes import EmptyImage, ImageBatch, ImageFromBatch
from nodes.images.compose.nodes import ImageBlend, ImageCompositeMasked, ImageGrid
from nodes.images.files.nodes import LoadImage, LoadImageFromUrl, PreviewImage, SaveImage
from nodes.images.masks.nodes import ImageToMask, InvertMask, MaskToImage
from nodes.images.transform.nodes import ImageCrop, ImageInvert, ImagePad, ImageScale, ImageScaleBy
from nodes.latents.nodes import EmptyLatentImage, SetLatentNoiseMask
from nodes.sampling.nodes import KSampler
from nodes.style.features.nodes import FeatureExtractorLoader, RandomFeatures
from nodes.style.losses.nodes import AddLosses, ContentLoss, StyleLoss, TotalVariationLoss
from nodes.style.optimisation.nodes import OptimizeImage
from nodes.vae.nodes import VAEDecode, VAEDecodeTiled, VAEEncode
from nodes.values.nodes import (
    AddFloats,
    AddIntegers,
    Boolean,
    CreateList,
    Float,
    GetItem,
    Integer,
    JoinStrings,
    ListLength,
    MultiplyFloats,
    MultiplyIntegers,
    RoundToMultiple,
    Seed,
    String,
    StringConcatenate,
    Text,
)

__all__ = [
    "AddFloats",
    "AddIntegers",
    "AddLosses",
    "Boolean",
    "CLIPTextEncode",
    "CheckpointLoaderSimple",
    "ContentLoss",
    "ControlNetApplyAdvanced",
    "ControlNetLoader",
    "CreateList",
    "EmptyImage",
    "EmptyLatentImage",
    "FeatureExtractorLoader",
    "Float",
    "ForEach",
    "GANLoader",
    "GenerateImages",
    "GetItem",
    "ImageBatch",
    "ImageBlend",
    "ImageCompositeMasked",
    "ImageCrop",
    "ImageFromBatch",
    "ImageGrid",
    "ImageHistogram",
    "ImageInvert",
    "ImagePad",
    "ImageScale",
    "ImageScaleBy",
    "ImageStatistics",
    "ImageToMask",
    "Integer",
    "InvertMask",
    "JoinStrings",
    "KSampler",
    "LatentWalk",
    "ListLength",
    "LoadImage",
    "LoadImageFromUrl",
    "MaskToImage",
    "MultiplyFloats",
    "MultiplyIntegers",
    "OptimizeImage",
    "PreviewImage",
    "PreviewSeries",
    "PreviewTable",
    "RandomFeatures",
    "Repeat",
    "RoundToMultiple",
    "SaveImage",
    "Seed",
    "SeriesFromList",
    "SetLatentNoiseMask",
    "String",
    "StringConcatenate",
    "StyleLoss",
    "Switch",
    "Text",
    "TotalVariationLoss",
    "VAEDecode",
    "VAEDecodeTiled",
    "VAEEncode",
]

"""The built-in nodes, discovered as any third-party pack is; here by name, for graphs built in Python."""

from nodes.adapters.lora.nodes import LoraLoader, LoraLoaderModelOnly
from nodes.adapters.merging.nodes import ModelMergeBlocks, ModelMergeSimple
from nodes.checkpoints.nodes import CLIPLoader, CheckpointLoaderSimple, DualCLIPLoader, TripleCLIPLoader, UNETLoader, VAELoader
from nodes.conditioning.combining.nodes import ConditioningAverage, ConditioningCombine, ConditioningConcat, ConditioningSetArea, ConditioningSetAreaPercentage, ConditioningSetAreaStrength, ConditioningSetMask, ConditioningSetTimestepRange, ConditioningZeroOut
from nodes.conditioning.families.nodes import CLIPTextEncodeFlux, CLIPTextEncodeSD3, CLIPTextEncodeSDXL, CLIPTextEncodeSDXLRefiner, FluxGuidance
from nodes.conditioning.nodes import CLIPSetLastLayer, CLIPTextEncode
from nodes.controlnet.nodes import ControlNetApply, ControlNetApplyAdvanced, ControlNetLoader
from nodes.editing.nodes import ImagePadForOutpaint, InpaintModelConditioning, InstructPixToPixConditioning, VAEEncodeForInpaint
from nodes.flow.nodes import ForEach, Repeat, Switch
from nodes.gan.nodes import GANLoader, GenerateImages, LatentWalk
from nodes.images.batches.nodes import EmptyImage, ImageBatch, ImageFromBatch
from nodes.images.compose.nodes import ImageBlend, ImageCompositeMasked, ImageGrid
from nodes.images.files.nodes import LoadImage, LoadImageFromUrl, PreviewImage, SaveImage
from nodes.images.masks.nodes import ImageToMask, InvertMask, MaskToImage
from nodes.images.transform.nodes import ImageCrop, ImageInvert, ImagePad, ImageScale, ImageScaleBy
from nodes.latents.nodes import EmptyLatentImage, SetLatentNoiseMask
from nodes.latents.shaping.nodes import LatentComposite, LatentUpscale, LatentUpscaleBy
from nodes.sampling.nodes import KSampler
from nodes.style.features.nodes import FeatureExtractorLoader, RandomFeatures
from nodes.style.losses.nodes import AddLosses, ContentLoss, StyleLoss, TotalVariationLoss
from nodes.style.optimisation.nodes import OptimizeImage
from nodes.vae.nodes import VAEDecode, VAEDecodeTiled, VAEEncode
from nodes.values.nodes import AddFloats, AddIntegers, Boolean, CreateList, Float, GetItem, Integer, JoinStrings, ListLength, MultiplyFloats, MultiplyIntegers, RoundToMultiple, Seed, String, StringConcatenate, Text

__all__ = [
    "AddFloats",
    "AddIntegers",
    "AddLosses",
    "Boolean",
    "CLIPLoader",
    "CLIPSetLastLayer",
    "CLIPTextEncode",
    "CLIPTextEncodeFlux",
    "CLIPTextEncodeSD3",
    "CLIPTextEncodeSDXL",
    "CLIPTextEncodeSDXLRefiner",
    "CheckpointLoaderSimple",
    "ConditioningAverage",
    "ConditioningCombine",
    "ConditioningConcat",
    "ConditioningSetArea",
    "ConditioningSetAreaPercentage",
    "ConditioningSetAreaStrength",
    "ConditioningSetMask",
    "ConditioningSetTimestepRange",
    "ConditioningZeroOut",
    "ContentLoss",
    "ControlNetApply",
    "ControlNetApplyAdvanced",
    "ControlNetLoader",
    "CreateList",
    "DualCLIPLoader",
    "EmptyImage",
    "EmptyLatentImage",
    "FeatureExtractorLoader",
    "Float",
    "FluxGuidance",
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
    "ImageInvert",
    "ImagePad",
    "ImagePadForOutpaint",
    "ImageScale",
    "ImageScaleBy",
    "ImageToMask",
    "InpaintModelConditioning",
    "InstructPixToPixConditioning",
    "Integer",
    "InvertMask",
    "JoinStrings",
    "KSampler",
    "LatentComposite",
    "LatentUpscale",
    "LatentUpscaleBy",
    "LatentWalk",
    "ListLength",
    "LoadImage",
    "LoadImageFromUrl",
    "LoraLoader",
    "LoraLoaderModelOnly",
    "MaskToImage",
    "ModelMergeBlocks",
    "ModelMergeSimple",
    "MultiplyFloats",
    "MultiplyIntegers",
    "OptimizeImage",
    "PreviewImage",
    "RandomFeatures",
    "Repeat",
    "RoundToMultiple",
    "SaveImage",
    "Seed",
    "SetLatentNoiseMask",
    "String",
    "StringConcatenate",
    "StyleLoss",
    "Switch",
    "Text",
    "TotalVariationLoss",
    "TripleCLIPLoader",
    "UNETLoader",
    "VAEDecode",
    "VAEDecodeTiled",
    "VAEEncode",
    "VAEEncodeForInpaint",
    "VAELoader",
]

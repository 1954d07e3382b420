"""Changing pictures: inpainting, outpainting and instructions."""

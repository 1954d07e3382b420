"""Changing the size of latents, and putting some into others."""

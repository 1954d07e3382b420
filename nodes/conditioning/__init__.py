"""Turning prompts into conditioning."""

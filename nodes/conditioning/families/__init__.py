"""Prompts of families that are told more than words."""

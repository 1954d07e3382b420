"""Choosing and repeating."""

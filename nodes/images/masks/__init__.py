"""Masks from pictures and pictures from masks."""

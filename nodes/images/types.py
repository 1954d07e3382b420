"""Inputs that several picture nodes share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from nodegraph import Widget

Colour = Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$"), Widget("colour")]
"""A colour as ``#rrggbb``."""

ResizeMethod = Literal["nearest-exact", "bilinear", "area", "bicubic", "lanczos"]
"""How a picture is resampled; all but nearest-exact average what they shrink."""

Side = Annotated[int, Field(ge=1, le=16384)]
"""Width or height of a picture in pixels."""

Offset = Annotated[int, Field(ge=-16384, le=16384)]
"""A position in pixels, which may lie outside the picture."""

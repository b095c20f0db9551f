"""The two plots of a population, and what a person does in them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache

import anywidget
import bokeh
import traitlets

from ..views import ModelScatter, ParallelCoordinates
from . import assets
from .bridge import BokehBridge

_KEY = "board"


@cache
def _esm() -> str:
    scripts = ("dom.js", "documents.js", "board.js")
    return "\n".join((assets.STATIC / name).read_text(encoding="utf8") for name in scripts)


@cache
def _css() -> str:
    return (assets.STATIC / "board.css").read_text(encoding="utf8")


class BoardPlots(anywidget.AnyWidget):
    """A scatter and parallel coordinates whose marks can be tapped.

    Parameters
    ----------
    tapped : callable
        Called with the row (from 0) of the model that was tapped.
    """

    _esm = _esm()
    _css = _css()
    summaries = traitlets.Dict().tag(sync=True)

    def __init__(self, tapped: Callable[[int], None]) -> None:
        self.scatter, self.parallel = ModelScatter(), ParallelCoordinates()
        self._tapped = tapped
        self._lock = threading.RLock()
        self._bridge = BokehBridge(self._lock)
        self._bridge.add(_KEY, {"scatter": self.scatter.figure, "parallel": self.parallel.figure})
        super().__init__()
        self.on_msg(self._receive)

    def draw(self, write: Callable[[], None]) -> None:
        """Let `write` change the plots, and send what it changed."""
        with self._lock:
            write()
            self.summaries = {"scatter": self.scatter.summary, "parallel": self.parallel.summary}
            self._send_patches()

    def close(self) -> None:
        """Leave the page and let go of the plots."""
        self._bridge.close()
        super().close()

    def _send_patches(self) -> None:
        for packet in self._bridge.patches():
            self.send({"kind": "patch", **packet.content}, packet.buffers)

    def _receive(self, _widget, content: dict, _buffers) -> None:
        handlers = {"hello": self._hello, "bokehjs": self._bokehjs, "patch": self._patched, "theme": self._dress}
        arguments = dict(content)
        handler = handlers.get(arguments.pop("kind", None))
        if handler is not None:
            handler(**arguments)

    def _hello(self, view: str, theme: str) -> None:
        self._dress(view, theme)
        packet = self._bridge.document(_KEY)
        content = {"kind": "document", "view": view, "bokeh": bokeh.__version__, **packet.content}
        self.send(content, packet.buffers)

    def _bokehjs(self, view: str) -> None:
        self.send({"kind": "bokehjs", "view": view, "buffers": []}, [assets.compressed_bokehjs()])

    def _dress(self, view: str, theme: str) -> None:  # noqa: ARG002 - every message names its view
        self._bridge.set_theme("dark" if theme == "dark" else "light")
        self._send_patches()

    def _patched(self, view: str, patch: dict) -> None:
        self._bridge.apply(_KEY, patch, view)
        with self._lock:
            rows = [row for row in (self.scatter.take_tap(-1), self.parallel.take_tap(-1)) if row is not None]
            self._send_patches()
        for row in rows:
            self._tapped(row)

"""Messages from the browser: what a view asks for, what a hand has moved, what a tap in a figure means."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import bokeh

from dyn_explorer.errors import DynExplorerError

from . import assets
from .bridge import BokehBridge
from .by_name import ByName, in_order
from .outbox import Outbox
from .page_writer import PageWriter
from .panels import Panel

if TYPE_CHECKING:
    from .widget import Inspector


class BrowserMessages:
    """Takes the messages of all views.

    Parameters
    ----------
    inspector : Inspector
        Whose buttons the page shows, and who sends answers.
    panels : dict of str to Panel
    names : ByName
        The choices as the page names them.
    bridge : BokehBridge
    outbox : Outbox
    page : PageWriter
    """

    def __init__(
        self,
        inspector: Inspector,
        panels: dict[str, Panel],
        names: ByName,
        *,
        bridge: BokehBridge,
        outbox: Outbox,
        page: PageWriter,
    ) -> None:
        self._inspector = inspector
        self._panels = panels
        self._names = names
        self._bridge = bridge
        self._outbox = outbox
        self._page = page
        self._handlers = {
            "hello": self._hello,
            "bokehjs": self._bokehjs,
            "document": self._document,
            "set": self._set,
            "do": self._do,
            "patch": self._patch,
            "ack": outbox.acknowledge,
            "theme": self._theme,
            "bye": outbox.close_view,
        }

    def receive(self, content: dict) -> None:
        """Do what a message asks for; one of an unknown kind is said in the header."""
        arguments = dict(content)
        handler = self._handlers.get(arguments.pop("kind", None))
        if handler is None:
            self._page.say("error", f"The page sent a message that is not known here ({content!r}); reload it.")
        else:
            handler(**arguments)

    def _hello(self, view: str, theme: str) -> None:
        self._dress(theme)
        self._outbox.open_view(view, {"bokeh": bokeh.__version__})

    def _theme(self, view: str, theme: str) -> None:  # noqa: ARG002 - every message names its view
        self._dress(theme)

    def _dress(self, theme: str) -> None:
        self._bridge.set_theme("dark" if theme == "dark" else "light")
        self._outbox.flush()

    def _bokehjs(self, view: str) -> None:
        self._inspector.send({"kind": "bokehjs", "view": view}, [assets.compressed_bokehjs()])

    def _document(self, view: str, panel: str) -> None:
        if panel in self._bridge:
            self._outbox.send_document(view, panel)

    def _set(self, view: str, number: int, changes: dict) -> None:
        # At once, so that the view may pass on the next change; the section goes with the page that shows this one.
        self._inspector.send({"kind": "seen", "view": view, "number": number})
        self._outbox.mark_seen(view, number)
        with self._inspector.by_hand():
            for name in in_order(changes):
                self._attempt(partial(self._inspector.set_by_name, name, changes[name]))
        if not self._inspector.busy:  # else it goes with the picture, which would have to wait until this was drawn
            self._outbox.flush()

    def _attempt(self, act: Callable[[], object]) -> None:
        """Do what the browser asks; what cannot be done is said in the header, and the page shows the kept value."""
        try:
            act()
        except DynExplorerError as error:
            chosen = self._names.shown(self._panels[self._inspector.panel].tap_chooses)
            self._outbox.put("choices", {**chosen, "rejected": time.monotonic()})
            self._page.say("error", str(error))

    def _do(self, view: str, action: str) -> None:
        inspector = self._inspector
        actions = {"cancel": inspector.cancel, "refresh": inspector.refresh, "undo": inspector.undo,
                   "redo": inspector.redo, "export": partial(self._export, view)}  # fmt: skip
        self._attempt(actions[action])

    def _export(self, view: str) -> None:
        name = f"dyn_explorer_{self._inspector.panel}.html"
        self._inspector.send({"kind": "export", "view": view, "name": name}, [self._inspector.html().encode("utf8")])

    def _patch(self, view: str, panel: str, patch: dict) -> None:
        self._bridge.apply(panel, patch, view)
        with self._bridge.lock:
            taken = [tap for tap in map(partial(self._tap, panel), self._page.taps.get(panel, {})) if tap is not None]
        for name, value in taken:
            self._attempt(partial(self._inspector.set_by_name, name, value))
        self._outbox.flush()

    def _tap(self, panel: str, figure: str) -> tuple[str, object] | None:
        """What a tap in a figure sets, and to which value."""
        name, values = self._page.taps[panel][figure]
        current = self._names.get(name)
        row = self._panels[panel].views[figure].take_tap(values.index(current) if current in values else -1)
        # A tap may be older than the rows.
        return None if row is None or row >= len(values) else (name, values[row])

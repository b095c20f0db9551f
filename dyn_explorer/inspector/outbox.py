"""What goes to the browser, and no faster than the browser can draw it."""

from __future__ import annotations

import time
from collections.abc import Callable

from .bridge import BokehBridge

PATIENCE = 1.0  # seconds after which a view that has not answered is no longer waited for
MOST_MISSED = 3  # messages in a row after which a view counts as gone: a reloaded page never says goodbye


class Outbox:
    """Sends page sections and plot patches, one message per change, and waits until the last was drawn.

    While a message is on its way, later changes replace earlier ones, so a slow browser skips pictures instead of
    falling behind, and the last state always arrives.

    Parameters
    ----------
    send : callable
        ``send(content, buffers)`` to all views of the widget.
    bridge : BokehBridge
        Source of plot patches.
    """

    def __init__(self, send: Callable[[dict, list[bytes]], None], bridge: BokehBridge) -> None:
        self._send = send
        self._bridge = bridge
        self._lock = bridge.lock
        self._sections: dict[str, object] = {}
        self._changed: set[str] = set()
        self._views: set[str] = set()
        self._missed: dict[str, int] = {}
        self._waiting_for: set[str] = set()
        self._sent_at = 0.0
        self._number = 0

    @property
    def views(self) -> set[str]:
        """Names of the views that are open."""
        with self._lock:
            return set(self._views)

    @property
    def sections(self) -> dict[str, object]:
        """Every section's present content."""
        with self._lock:
            return dict(self._sections)

    def put(self, section: str, content) -> None:
        """Give a section of the page its new content; it leaves with the next `flush`."""
        with self._lock:
            if self._sections.get(section) != content:
                self._sections[section] = content
                self._changed.add(section)

    def flush(self) -> None:
        """Send what has changed, unless the browser is still drawing; then it goes once it has answered."""
        with self._lock:
            if not (self._changed or self._bridge.has_pending) or self._is_held():
                return
            patches = self._bridge.patches()
            if not self._views:
                self._changed.clear()
                return
            for view in self._waiting_for:
                self._missed[view] = self._missed.get(view, 0) + 1
            self._number += 1
            content = {
                "kind": "update",
                "number": self._number,
                "sections": {name: self._sections[name] for name in self._changed},
                "patches": [packet.content for packet in patches],
            }
            self._changed.clear()
            self._waiting_for, self._sent_at = self._expected(), time.monotonic()
            self._send(content, [buffer for packet in patches for buffer in packet.buffers])

    def _expected(self) -> set[str]:
        # Where no view answers in time, the slow ones set the pace: none is drowned in messages that it cannot draw.
        return {view for view in self._views if self._missed.get(view, 0) < MOST_MISSED} or set(self._views)

    def _is_held(self) -> bool:
        return bool(self._waiting_for) and time.monotonic() - self._sent_at < PATIENCE

    def acknowledge(self, view: str, number: int) -> None:
        """A view has drawn message `number`; what has changed since may go."""
        with self._lock:
            self._missed.pop(view, None)
            if number == self._number:
                self._waiting_for.discard(view)
            self.flush()

    def poll(self) -> float | None:
        """Send what was held back too long; seconds until the next call is worth while, or None."""
        with self._lock:
            self.flush()
            held = self._waiting_for and (self._changed or self._bridge.has_pending)
            return max(0.01, self._sent_at + PATIENCE - time.monotonic()) if held else None

    def mark_seen(self, view: str, number: int) -> None:
        """Note which of a view's changes the page takes into account."""
        self.put("seen", {**self._sections.get("seen", {}), view: number})

    def open_view(self, view: str, greeting: dict) -> None:
        """Take in a new view and send it the whole page."""
        with self._lock:
            self._views.add(view)
            self._send({"kind": "page", "view": view, "sections": self._sections, **greeting}, [])

    def send_document(self, view: str, panel: str) -> None:
        """Send one view the present state of a panel's plots."""
        with self._lock:
            # Changes that were not sent yet are in the document; sent again later they would be harmless, but a patch
            # may refer to models that only the document brings, so the others get theirs first.
            self._waiting_for.clear()
            self.flush()
            packet = self._bridge.document(panel)
            self._send({"kind": "document", "view": view, "panel": panel, **packet.content}, packet.buffers)

    def close_view(self, view: str) -> None:
        """Forget a view."""
        with self._lock:
            self._views.discard(view)
            self._missed.pop(view, None)
            seen = {name: number for name, number in self._sections.get("seen", {}).items() if name != view}
            self._sections["seen"] = seen
            self._waiting_for.discard(view)
            self.flush()

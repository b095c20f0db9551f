"""Bokeh documents kept in step with any number of browser views.

The kernel owns one document per panel. A view that says hello gets the document as it is now; after that every change
on either side travels as one small patch. The messages are those of Bokeh's own protocol, so what is pinned is the
range of Bokeh versions that this was tested with.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

import bokeh
from bokeh.core.json_encoder import serialize_json
from bokeh.core.serialization import Serialized, Serializer
from bokeh.document import Document
from bokeh.document.events import ColumnDataChangedEvent, DocumentPatchedEvent, ModelChangedEvent

from dyn_explorer.views.theme import bokeh_theme

TESTED_BOKEH = ("3.9",)


def version_warning(version: str = bokeh.__version__) -> str | None:
    """A sentence for people whose Bokeh was not tested with this bridge, else None."""
    if ".".join(version.split(".")[:2]) in TESTED_BOKEH:
        return None
    tested = ", ".join(f"{minor}.x" for minor in TESTED_BOKEH)
    return (
        f"Bokeh {version} is installed; plots were tested with {tested}. "
        f"If they misbehave: pip install 'bokeh=={TESTED_BOKEH[-1]}.*'"
    )


@dataclass
class Packet:
    """JSON content with the binary buffers that it refers to by position.

    Attributes
    ----------
    content : dict
        What goes into the message; Bokeh's own JSON stands in it as text.
    buffers : list of bytes
        One per id in ``content["buffers"]``, in that order.
    """

    content: dict
    buffers: list[bytes] = field(default_factory=list)


class BokehBridge:
    """The documents of an inspector's panels and the changes that the browser has not seen yet.

    Parameters
    ----------
    lock : threading.RLock
        Held by whoever writes to a figure or sends; it keeps a patch from being half of two updates.
    """

    def __init__(self, lock: threading.RLock) -> None:
        self.lock = lock
        self._documents: dict[str, Document] = {}
        self._pending: dict[str, dict[tuple, DocumentPatchedEvent]] = {}
        self._theme = "light"

    def __contains__(self, key: str) -> bool:
        return key in self._documents

    def add(self, key: str, figures: Mapping[str, object]) -> None:
        """Put a panel's figures into a document of their own; each figure's place in the page is its name."""
        document = Document(theme=bokeh_theme(self._theme))
        for name, figure in figures.items():
            figure.name = name
            document.add_root(figure)
        pending: dict[tuple, DocumentPatchedEvent] = {}
        document.on_change(lambda event: self._note(pending, event))
        self._documents[key], self._pending[key] = document, pending

    def _note(self, pending: dict, event) -> None:
        # Only the newest value of a property matters; older ones are never sent.
        if not isinstance(event, DocumentPatchedEvent):
            return
        if isinstance(event, ColumnDataChangedEvent):
            event.cols = None  # always whole columns, so that the newest change may stand for all before it
        if isinstance(event, ModelChangedEvent | ColumnDataChangedEvent):
            place = (event.model.id, event.attr)
        else:
            place = (id(event),)
        pending.pop(place, None)
        pending[place] = event

    @property
    def has_pending(self) -> bool:
        """Whether a change waits to be sent."""
        return any(self._pending.values())

    def set_theme(self, name: str) -> None:
        """Dress every document in the light or the dark theme."""
        with self.lock:
            self._theme = name
            for document in self._documents.values():
                document.theme = bokeh_theme(name)

    def document(self, key: str) -> Packet:
        """The whole present state of a panel's document, for a view that has nothing yet."""
        with self.lock:
            serialized = self._documents[key].to_json(deferred=True)
            return _packet({"document": serialize_json(serialized.content)}, serialized.buffers)

    def patches(self) -> list[Packet]:
        """Every change since the last call, one packet per panel and per view that must not hear its own echo."""
        packets = []
        with self.lock:
            for key, pending in self._pending.items():
                by_author: dict[str | None, list] = {}
                for event in pending.values():
                    by_author.setdefault(event.setter, []).append(event)
                pending.clear()
                packets += [self._patch(key, author, events) for author, events in by_author.items()]
        return packets

    def _patch(self, key: str, author: str | None, events: list) -> Packet:
        models = self._documents[key].models
        serializer = Serializer(references=models.synced_references)
        patch = serialize_json({"events": serializer.encode(events)})
        content = {"panel": key, "skip": author, "patch": patch}
        models.flush_synced(lambda model: not serializer.has_ref(model))
        return _packet(content, serializer.buffers)

    def apply(self, key: str, patch: dict, view: str) -> None:
        """Take over what a person did in one view (zoom, tap); the other views get it with the next patches."""
        with self.lock:
            if key in self._documents:
                self._documents[key].apply_json_patch(Serialized(patch, []), setter=view)

    def close(self) -> None:
        """Let go of every document."""
        with self.lock:
            for document in self._documents.values():
                document.clear()
            self._documents.clear()
            self._pending.clear()


def _packet(content: dict, buffers: list) -> Packet:
    return Packet({**content, "buffers": [buffer.id for buffer in buffers]}, [buffer.to_bytes() for buffer in buffers])

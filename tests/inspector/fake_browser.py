"""A browser made of Python: it says hello, rebuilds Bokeh documents from messages, and reports the hand."""

from __future__ import annotations

import itertools
import json
from collections import deque

import numpy as np
from bokeh.core.serialization import Buffer, Serialized
from bokeh.document import Document
from bokeh.model import Model

_NAMES = itertools.count(1)


def rebuild(content: dict, buffers: list[bytes]) -> Document:
    """A document as BokehJS would build it from a message."""
    return Document.from_json(Serialized(json.loads(content["document"]), _named(content, buffers)))


def apply(document: Document, patch: dict, buffers: list[bytes]) -> None:
    """Apply one packet of changes to a rebuilt document."""
    document.apply_json_patch(Serialized(json.loads(patch["patch"]), _named(patch, buffers)))


def _named(content: dict, buffers: list[bytes]) -> list[Buffer]:
    assert len(content["buffers"]) == len(buffers)
    return [Buffer(name, data) for name, data in zip(content["buffers"], buffers, strict=True)]


def contents(document: Document) -> dict:
    """Every property of every model of a document, in a form that can be compared."""
    return {
        model.id: {
            name: _plain(value)
            for name, value in model.properties_with_values(include_defaults=True).items()
            if name not in ("js_event_callbacks", "js_property_callbacks", "subscribed_events", "syncable")
        }
        for model in document.models
    }


def _plain(value):
    if isinstance(value, Model):
        return value.id
    if isinstance(value, np.ndarray):
        return [_plain(item) for item in value.tolist()]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, int | float | np.number):
        return repr(float(value))
    return str(value) if isinstance(value, str) else repr(value)


class FakeBrowser:
    """One view of an inspector.

    Messages are queued by whichever thread sends them and worked off by `pump`, as a page does between two frames.
    """

    def __init__(self, inspector, theme: str = "light", *, acknowledges: bool = True) -> None:
        self.inspector = inspector
        self.name = f"view{next(_NAMES)}"
        self.acknowledges = acknowledges
        self.messages: list[dict] = []
        self.sections: dict = {}
        self.document: Document | None = None
        self.exported: tuple[str, bytes] | None = None
        self.bokehjs: bytes | None = None
        self._queue: deque = deque()
        self._number = 0
        self._connect()
        self.tell("hello", theme=theme)
        self.settle()

    def _connect(self) -> None:
        browsers = self.inspector.__dict__.setdefault("_browsers", [])
        browsers.append(self)
        if len(browsers) > 1:
            return

        def send(content, buffers=None) -> None:
            json.dumps(content, allow_nan=False)  # what is no JSON would not arrive
            for browser in list(browsers):
                browser._queue.append((json.loads(json.dumps(content)), [bytes(data) for data in buffers or []]))

        self.inspector.send = send

    def tell(self, kind: str, **content) -> None:
        """Send the kernel a message; what its handler raises is raised here."""
        message = json.loads(json.dumps({"kind": kind, "view": self.name, **content}))
        self.inspector._receive(self.inspector, message, [])

    def set(self, **changes) -> None:
        """Move controls; dots in names are written as two underscores."""
        self._number += 1
        named = {name.replace("__", "."): value for name, value in changes.items()}
        self.tell("set", number=self._number, changes=named)

    def pump(self) -> None:
        """Work off what has arrived."""
        while self._queue:
            content, buffers = self._queue.popleft()
            if content.get("view", self.name) != self.name:
                continue
            self.messages.append(content)
            getattr(self, f"_take_{content['kind']}")(content, buffers)

    def settle(self) -> None:
        """Work off messages until nothing is on its way in either direction."""
        outbox = self.inspector._outbox
        while True:
            self.inspector._renderer.runner.wait(60)
            self.pump()
            with outbox._lock:
                idle = not (outbox._changed or outbox._bridge.has_pending)
            if idle and not self._queue and not self.inspector._renderer.runner.busy:
                return
            for browser in self.inspector._browsers:
                browser.pump()

    def leave(self) -> None:
        """Close the view."""
        self.tell("bye")
        self.inspector._browsers.remove(self)

    def count(self, kind: str) -> int:
        """How many messages of a kind have arrived."""
        return sum(message["kind"] == kind for message in self.messages)

    @property
    def status(self) -> dict:
        """The status line."""
        return self.sections["status"]

    def _take_page(self, content, buffers) -> None:
        self.sections = dict(content["sections"])
        self._want_document()

    def _want_document(self) -> None:
        opened = self.sections["panels"]["open"]
        if self.document is None and opened in self.sections.get("documents", []):
            self.tell("document", panel=opened)

    def _take_document(self, content, buffers) -> None:
        self.document = rebuild(content, buffers)

    def _take_update(self, content, buffers) -> None:
        first = 0
        for patch in content["patches"]:
            mine = buffers[first : first + len(patch["buffers"])]
            first += len(mine)
            if self.document is not None and patch["skip"] != self.name:
                apply(self.document, patch, mine)
        assert first == len(buffers)
        self.sections.update(content["sections"])
        if "documents" in content["sections"]:
            self._want_document()
        if self.acknowledges:
            self.tell("ack", number=content["number"])

    def _take_seen(self, content, buffers) -> None:
        pass

    def _take_bokehjs(self, content, buffers) -> None:
        self.bokehjs = buffers[0]

    def _take_export(self, content, buffers) -> None:
        self.exported = content["name"], buffers[0]

    def touch(self, model: Model, **values) -> None:
        """Change a model of this view's document as the hand does, and report it."""
        mine = self.document.get_model_by_id(model.id)
        mine.update(**values)
        events = [
            {"kind": "ModelChanged", "model": {"id": model.id}, "attr": name, "new": value}
            for name, value in values.items()
        ]
        self.tell("patch", panel=self.sections["panels"]["open"], patch={"events": events})

"""What goes to the browser: the newest only, all of it, and no faster than it is drawn."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from bokeh.models import ColumnDataSource
from bokeh.plotting import figure
from fake_browser import apply, contents, rebuild

from dyn_explorer.inspector import outbox as outbox_module
from dyn_explorer.inspector.bridge import BokehBridge
from dyn_explorer.inspector.outbox import MOST_MISSED, PATIENCE, Outbox


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is moved."""
    now = [100.0]
    monkeypatch.setattr(outbox_module.time, "monotonic", lambda: now[0])
    return now


class Post:
    """An outbox over one plot, and what it has sent."""

    def __init__(self):
        self.source = ColumnDataSource({"x": np.zeros(2), "y": np.zeros(2)})
        self.figure = figure(x_range=(0, 1), y_range=(0, 1))
        self.figure.line("x", "y", source=self.source)
        self.bridge = BokehBridge(threading.RLock())
        self.bridge.add("plot", {"main": self.figure})
        self.bridge.patches()
        self.sent = []
        self.outbox = Outbox(lambda content, buffers: self.sent.append((content, buffers)), self.bridge)

    def updates(self):
        return [content for content, _ in self.sent if content["kind"] == "update"]

    def draw(self, k):
        self.source.data = {"x": np.full(3, k), "y": np.full(3, k)}

    def change(self, k):
        self.draw(k)
        self.outbox.put("number", k)
        self.outbox.flush()


@pytest.fixture
def post(clock):
    made = Post()
    made.outbox.open_view("a", {})
    return made


def test_a_view_is_greeted_with_the_whole_page():
    post = Post()
    post.outbox.put("status", "ready")
    post.outbox.open_view("a", {"bokeh": "3.9"})
    ((content, buffers),) = post.sent
    assert content == {"kind": "page", "view": "a", "sections": {"status": "ready"}, "bokeh": "3.9"}
    assert buffers == []


def test_one_message_holds_sections_patches_and_buffers(post):
    post.change(1)
    (content,) = post.updates()
    assert content["sections"] == {"number": 1}
    (patch,) = content["patches"]
    assert len(post.sent[-1][1]) == len(patch["buffers"]) == 2


def test_nothing_new_is_no_message(post):
    post.change(1)
    post.outbox.acknowledge("a", 1)
    post.outbox.put("number", 1)
    post.outbox.flush()
    assert len(post.updates()) == 1


def test_changes_wait_for_the_view_and_the_newest_goes(post):
    for k in range(1, 10):
        post.change(k)
    assert [update["sections"]["number"] for update in post.updates()] == [1]
    post.outbox.acknowledge("a", 1)
    assert [update["sections"]["number"] for update in post.updates()] == [1, 9]
    post.outbox.acknowledge("a", 2)
    assert len(post.updates()) == 2


def test_an_answer_to_an_older_message_frees_nothing(post, clock):
    post.change(1)
    clock[0] += 1.5 * PATIENCE
    post.change(2)
    post.change(3)
    post.outbox.acknowledge("a", 1)
    assert len(post.updates()) == 2
    post.outbox.acknowledge("a", 2)
    assert len(post.updates()) == 3


def test_patience_ends(post, clock):
    post.change(1)
    post.change(2)
    assert post.outbox.poll() == pytest.approx(PATIENCE)
    clock[0] += 0.4 * PATIENCE
    assert post.outbox.poll() == pytest.approx(0.6 * PATIENCE)
    assert len(post.updates()) == 1
    clock[0] += 0.7 * PATIENCE
    assert post.outbox.poll() is None
    assert post.updates()[-1]["sections"] == {"number": 2}


def test_poll_asks_for_nothing_where_nothing_waits(post):
    assert post.outbox.poll() is None
    post.change(1)
    assert post.outbox.poll() is None


def test_every_view_is_waited_for(post):
    post.outbox.open_view("b", {})
    post.change(1)
    post.change(2)
    post.outbox.acknowledge("a", 1)
    assert len(post.updates()) == 1
    post.outbox.acknowledge("b", 1)
    assert len(post.updates()) == 2


def test_a_view_that_leaves_is_not_waited_for(post):
    post.outbox.open_view("b", {})
    post.change(1)
    post.change(2)
    post.outbox.acknowledge("a", 1)
    post.outbox.close_view("b")
    assert len(post.updates()) == 2


def miss(post, clock, view, times):
    for _ in range(times):
        post.change(clock[0])
        if view is not None:
            post.outbox.acknowledge(view, len(post.updates()))
        clock[0] += 1.1 * PATIENCE


def test_a_view_that_vanished_slows_the_others_down_only_for_a_while(post, clock):
    post.outbox.open_view("b", {})
    miss(post, clock, "a", MOST_MISSED + 1)
    before = len(post.updates())
    for k in range(20):
        post.change(k)
        post.outbox.acknowledge("a", before + k + 1)
    assert len(post.updates()) == before + 20


def test_a_view_that_comes_back_is_waited_for_again(post, clock):
    post.outbox.open_view("b", {})
    miss(post, clock, "a", MOST_MISSED + 1)
    post.outbox.acknowledge("b", 1)
    post.change(1)
    before = len(post.updates())
    post.outbox.acknowledge("a", before)
    post.change(2)
    assert len(post.updates()) == before


def test_a_lonely_slow_view_gets_at_most_one_message_per_patience(post, clock):
    miss(post, clock, None, MOST_MISSED + 3)
    before = len(post.updates())
    for k in range(10):
        post.change(k)
    assert len(post.updates()) == before + 1


def test_without_a_view_nothing_is_sent_or_kept(clock):
    post = Post()
    post.change(1)
    assert post.sent == []
    assert not post.bridge.has_pending
    post.outbox.open_view("a", {})
    assert post.sent[-1][0]["sections"] == {"number": 1}


def test_a_second_view_gets_the_document_as_it_is_and_stays_in_step(post):
    post.outbox.send_document("a", "plot")
    first = rebuild(*post.sent[-1])
    post.change(1)
    post.draw(2)
    post.outbox.open_view("b", {})
    post.outbox.send_document("b", "plot")
    assert post.sent[-1][0]["view"] == "b"
    second = rebuild(*post.sent[-1])
    post.draw(3)
    post.outbox.put("number", 3)
    for view in ("a", "b"):
        post.outbox.acknowledge(view, len(post.updates()))
    seen_document = False
    for content, buffers in post.sent:
        seen_document = seen_document or (content["kind"] == "document" and content["view"] == "b")
        for patch in content.get("patches", []):
            apply(first, patch, buffers)
            if seen_document:
                apply(second, patch, buffers)
    assert contents(first) == contents(post.figure.document)
    assert contents(second) == contents(post.figure.document)


def test_what_a_view_has_sent_is_noted_and_forgotten_when_it_leaves(post):
    post.outbox.mark_seen("a", 7)
    post.outbox.flush()
    assert post.updates()[-1]["sections"]["seen"] == {"a": 7}
    post.outbox.close_view("a")
    post.outbox.open_view("b", {})
    assert post.sent[-1][0]["sections"]["seen"] == {}

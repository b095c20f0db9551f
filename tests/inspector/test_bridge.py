"""Documents in the kernel and in every view stay the same document."""

from __future__ import annotations

import gc
import json
import threading
import weakref

import numpy as np
import pytest
from bokeh.models import ColumnDataSource
from bokeh.plotting import figure
from fake_browser import apply, contents, rebuild
from hypothesis import given, settings
from hypothesis import strategies as st

from dyn_explorer.inspector.bridge import TESTED_BOKEH, BokehBridge, version_warning
from dyn_explorer.views.theme import bokeh_theme


class Plot:
    """A figure with two sources, and a bridge that holds it."""

    def __init__(self):
        self.first = ColumnDataSource({"x": [1.0], "y": [2.0]})
        self.second = ColumnDataSource({"x": np.arange(5), "y": np.arange(5.0)})
        self.figure = figure(x_range=(0, 1), y_range=(0, 1))
        self.figure.line("x", "y", source=self.first)
        self.figure.scatter("x", "y", source=self.second)
        self.bridge = BokehBridge(threading.RLock())
        self.bridge.add("plot", {"main": self.figure})

    @property
    def document(self):
        return self.figure.document

    def view(self):
        packet = self.bridge.document("plot")
        return rebuild(packet.content, packet.buffers)

    def send_to(self, **views):
        packets = self.bridge.patches()
        for packet in packets:
            for name, document in views.items():
                if packet.content["skip"] != name:
                    apply(document, packet.content, packet.buffers)
        return packets


@pytest.fixture
def plot():
    return Plot()


def test_a_new_view_gets_the_present_document(plot):
    plot.first.data = {"x": [3.0, 4.0], "y": np.array([5.0, np.nan])}
    plot.figure.x_range.end = 7
    view = plot.view()
    assert contents(view) == contents(plot.document)
    assert [root.name for root in view.roots] == ["main"]
    assert view.get_model_by_id(plot.figure.x_range.id).end == 7


def test_only_the_newest_value_of_a_property_is_sent(plot):
    view = plot.view()
    for k in range(30):
        plot.figure.x_range.end = k
        plot.first.data = {"x": np.full(4, k), "y": np.zeros(4)}
    (packet,) = plot.send_to(a=view)
    events = json.loads(packet.content["patch"])["events"]
    assert len(events) == 2
    assert contents(view) == contents(plot.document)
    assert not plot.bridge.has_pending
    assert plot.bridge.patches() == []


def test_arrays_travel_as_buffers(plot):
    plot.first.data = {"x": np.arange(1000.0), "y": np.arange(1000.0) ** 2}
    (packet,) = plot.bridge.patches()
    assert sorted(len(data) for data in packet.buffers) == [8000, 8000]
    assert len(packet.content["patch"]) < 1000


def test_a_change_of_one_column_does_not_replace_one_of_all(plot):
    view = plot.view()
    plot.first.data = {"x": [1.0, 2.0], "y": [3.0, 4.0]}
    plot.first.data["y"] = [5.0, 6.0]
    plot.send_to(a=view)
    assert view.get_model_by_id(plot.first.id).data == {"x": [1.0, 2.0], "y": [5.0, 6.0]}


def patch_of(model, **values):
    return {
        "events": [{"kind": "ModelChanged", "model": {"id": model.id}, "attr": k, "new": v} for k, v in values.items()]
    }


def test_a_hand_in_one_view_moves_the_others_and_not_itself(plot):
    mine, other = plot.view(), plot.view()
    plot.bridge.apply("plot", patch_of(plot.figure.x_range, start=-3, end=3), "mine")
    assert (plot.figure.x_range.start, plot.figure.x_range.end) == (-3, 3)
    (packet,) = plot.send_to(mine=mine, other=other)
    assert packet.content["skip"] == "mine"
    assert other.get_model_by_id(plot.figure.x_range.id).start == -3
    assert mine.get_model_by_id(plot.figure.x_range.id).start == 0


def test_what_the_kernel_changes_back_reaches_the_author_too(plot):
    mine = plot.view()
    mine.get_model_by_id(plot.first.selected.id).indices = [0]
    plot.bridge.apply("plot", patch_of(plot.first.selected, indices=[0]), "mine")
    plot.first.selected.indices = []
    plot.send_to(mine=mine)
    assert mine.get_model_by_id(plot.first.selected.id).indices == []


def test_a_patch_for_a_panel_that_was_never_opened_is_ignored(plot):
    plot.bridge.apply("other", patch_of(plot.figure.x_range, start=-3), "mine")
    assert plot.figure.x_range.start == 0


columns = st.integers(0, 6).flatmap(
    lambda n: st.fixed_dictionaries(
        {name: st.lists(st.floats(allow_nan=False), min_size=n, max_size=n).map(np.array) for name in ("x", "y")}
    )
)
changes = st.one_of(
    st.tuples(st.just("first"), columns),
    st.tuples(st.just("second"), columns),
    st.tuples(st.just("end"), st.floats(1, 1e6)),
    st.tuples(st.just("title"), st.text(max_size=8)),
    st.tuples(st.just("hand"), st.floats(1, 1e6)),
    st.tuples(st.just("theme"), st.sampled_from(["light", "dark"])),
    st.tuples(st.just("flush"), st.none()),
    st.tuples(st.just("join"), st.none()),
)


@settings(max_examples=25)
@given(st.lists(changes, max_size=12))
def test_views_equal_the_kernel_after_any_changes(sequence):
    plot = Plot()
    views = {"hand": plot.view()}
    for k, (kind, value) in enumerate(sequence):
        if kind in ("first", "second"):
            getattr(plot, kind).data = value
        elif kind == "end":
            plot.figure.x_range.end = value
        elif kind == "title":
            plot.figure.title.text = value
        elif kind == "hand":
            views["hand"].get_model_by_id(plot.figure.x_range.id).end = value
            plot.bridge.apply("plot", patch_of(plot.figure.x_range, end=value), "hand")
        elif kind == "theme":
            plot.bridge.set_theme(value)
        elif kind == "join":
            plot.send_to(**views)
            views[f"view {k}"] = plot.view()
        else:
            plot.send_to(**views)
    plot.send_to(**views)
    expected = contents(plot.document)
    for document in views.values():
        assert contents(document) == expected


def test_a_theme_reaches_documents_old_and_new(plot):
    view = plot.view()
    dark = bokeh_theme("dark")._json["attrs"]["Axis"]["axis_label_text_color"]
    plot.bridge.set_theme("dark")
    plot.send_to(a=view)
    assert view.get_model_by_id(plot.figure.xaxis[0].id).axis_label_text_color == dark
    late = figure()
    plot.bridge.add("late", {"main": late})
    assert late.xaxis[0].axis_label_text_color == dark
    plot.bridge.set_theme("light")
    assert late.xaxis[0].axis_label_text_color != dark


def test_close_frees_the_documents():
    plot = Plot()
    kept = [weakref.ref(plot.document), weakref.ref(plot.figure), weakref.ref(plot.first)]
    bridge = plot.bridge
    bridge.close()
    bridge.close()
    assert "plot" not in bridge
    assert not bridge.has_pending
    assert bridge.patches() == []
    del plot
    gc.collect()
    assert [reference() for reference in kept] == [None, None, None]


def test_many_changes_leave_nothing_behind(plot):
    def known():
        return len(plot.document.models), len(plot.document.models.synced_references)

    plot.view()
    before = known()
    for k in range(50):
        plot.first.data = {"x": np.arange(k), "y": np.arange(k)}
        plot.bridge.patches()
    assert known() == before


def test_an_untested_bokeh_is_named_with_the_command_that_mends_it():
    assert version_warning() is None
    assert version_warning(f"{TESTED_BOKEH[-1]}.17") is None
    warning = version_warning("4.1.0")
    assert "Bokeh 4.1.0 is installed" in warning
    assert f"pip install 'bokeh=={TESTED_BOKEH[-1]}.*'" in warning

"""A population is drawn, a tap opens its model, and every view hears what changed."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest
from fake_browser import apply, contents, rebuild

import dyn_explorer as dx
from dyn_explorer import DynExplorerError
from dyn_explorer.views.theme import SELECTED


@pytest.fixture(scope="module")
def population():
    images, labels = dx.demo.digits("test")
    models = {"run": (dx.demo.history("true"), dx.demo.small_cnn), "untrained": dx.demo.load("untrained")}
    return models, images[:40], labels[:40], dx.sweep(models, images[:40], labels[:40], ["accuracy", "network", "size"])


@pytest.fixture
def board(population):
    models, images, labels, table = population
    made = dx.explore_sweep(table, models, images, labels, measure="link_std", controls=["width"])
    made.sent = []
    made._plots.send = lambda content, buffers=None: made.sent.append((content, buffers or []))
    yield made
    made.close()


class Page:
    """One view of a board, made of Python."""

    def __init__(self, board) -> None:
        self.board, self.document = board, None
        self.tell("hello", theme="light")
        content, buffers = board.sent[-1]
        assert content["view"] == "page"
        self.document = rebuild(json.loads(json.dumps(content)), buffers)
        self.seen = len(board.sent)

    def tell(self, kind: str, **content) -> None:
        message = {"kind": kind, "view": "page", **content}
        self.board._plots._receive(None, json.loads(json.dumps(message)), [])

    def tap(self, figure: str, row: int) -> None:
        chosen = getattr(self.board._plots, figure).rows.selected
        self.document.get_model_by_id(chosen.id).indices = [row]
        event = {"kind": "ModelChanged", "model": {"id": chosen.id}, "attr": "indices", "new": [row]}
        self.tell("patch", patch={"events": [event]})
        self.follow()

    def follow(self) -> None:
        for content, buffers in self.board.sent[self.seen :]:
            if content["kind"] == "patch" and content["skip"] != "page":
                apply(self.document, content, buffers)
        self.seen = len(self.board.sent)

    def is_up_to_date(self) -> bool:
        bridge = self.board._plots._bridge
        return contents(self.document) == contents(bridge._documents["board"])


def test_a_tap_marks_the_model_and_opens_it(board):
    page = Page(board)
    page.tap("scatter", 4)
    assert board.chosen == "run, epoch 8"
    assert board._plots.scatter.rows.data["edge"].count(SELECTED) == 1
    assert page.is_up_to_date()
    board.inspector.wait(60)
    expected = dx.demo.history("true").state(8)["conv1.weight"].float()
    assert (board.inspector._source.model.conv1.weight == expected).all()
    assert board.children[-1] is board.inspector
    first = board.inspector
    page.tap("parallel", 9)
    assert board.chosen == "untrained"
    assert board.inspector is not first
    assert len(board.children) == 4
    board.chosen = ""
    assert board.inspector is None
    assert len(board.children) == 3


def test_menus_and_traits_choose_what_is_drawn(board, population):
    table = population[-1]
    page = Page(board)
    assert "accuracy against link_std (mean over layers) over 10 models" in board._plots.summaries["scatter"]
    assert "because each control is the same for all models" in board._plots.summaries["scatter"]
    board.children[0].children[0].value = "link_mean"
    assert board.measure == "link_mean"
    board.against = "link_std"
    assert board.children[0].children[1].value == "link_std"
    page.follow()
    assert page.is_up_to_date()
    expected = table[table.measure == "link_mean"].groupby("model", sort=False).value.mean()
    np.testing.assert_array_equal(board._plots.scatter.rows.data["x"], expected)
    assert board._plots.summaries["parallel"].startswith("10 models on 4 measures, coloured by link_std")


def test_themes_and_bokehjs_are_answered(board):
    page = Page(board)
    page.tell("theme", theme="dark")
    page.follow()
    assert page.is_up_to_date()
    page.tell("bokehjs")
    content, (script,) = board.sent[-1]
    assert (content["kind"], content["view"]) == ("bokehjs", "page")
    assert b"Bokeh Contributors" in gzip.decompress(script)


def test_a_model_that_cannot_be_opened_says_why(population):
    models, images, labels, table = population
    with pytest.raises(DynExplorerError, match="no measure 'entropy'; it holds 'accuracy'"):
        dx.explore_sweep(table, models, images, measure="entropy")
    with pytest.raises(DynExplorerError, match="no measure 'rank'"):
        dx.explore_sweep(table, models, images, controls=["rank"])
    board = dx.explore_sweep(table, {"run": dx.demo.history("true")}, images, labels)
    with pytest.raises(DynExplorerError, match=r"`chosen` \(='x'\) is none of the models"):
        board.chosen = "x"
    with pytest.raises(DynExplorerError, match="no measure 'x'"):
        board.measure = "x"
    assert board.measure == "link_mean"
    board.chosen = "run, epoch 8"
    assert "give (history, builder)" in board._message.value
    board.chosen = "untrained"
    assert "`models` holds no &#x27;untrained&#x27;" in board._message.value
    assert board.inspector is None
    board.close()


def test_a_model_is_opened_and_left_by_the_keyboard(board):
    """Marks of a figure take a pointer; the menu takes keys."""
    menu = board.children[0].children[2]
    assert [label for label, _ in menu.options][:2] == ["none", board._names[0]]
    menu.value = "untrained"
    assert board.chosen == "untrained"
    assert board.inspector is not None
    menu.value = ""
    assert board.inspector is None

"""The inspector as a browser sees it."""

from __future__ import annotations

import gzip
import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import torch
from fake_browser import FakeBrowser, contents
from torch import nn

import dyn_explorer as dx
from dyn_explorer import DynExplorerError
from dyn_explorer.inspector import page
from dyn_explorer.inspector.pictures import caption, picture_strip


@pytest.fixture
def browser(inspector):
    return FakeBrowser(inspector)


def kernel_document(inspector):
    return inspector._bridge._documents["dynamics"]


def test_hello_brings_the_whole_page_and_its_document(browser, inspector):
    expected = {"header", "tree", "strip", "panels", "choices", "controls", "undo", "summaries", "numbers", "table"}
    assert expected <= set(browser.sections)
    assert browser.sections["choices"] == inspector.choices()
    assert browser.document is not None
    assert contents(browser.document) == contents(kernel_document(inspector))
    assert {root.name for root in browser.document.roots} == {
        card["figure"] for card in browser.sections["panels"]["cards"]
    }


def test_bokehjs_comes_from_the_kernel(browser):
    browser.tell("bokehjs")
    browser.pump()
    assert b"Bokeh" in gzip.decompress(browser.bokehjs)


def test_messages_from_the_browser_arrive_through_the_widget(inspector):
    inspector._handle_custom_msg({"kind": "set", "view": "v", "number": 1, "changes": {"rank": 3}}, [])
    assert inspector.wait(60).rank == 3


def test_a_control_moves_the_state_and_the_plots_follow(browser, inspector):
    before = browser.count("update")
    browser.set(rank=3, window=[1, 12], layer="0", dynamics__opacity=0.25)
    browser.settle()
    assert (inspector.layer, inspector.window, inspector.rank) == ("0", (1, 12), 3)
    assert browser.count("update") > before
    assert browser.sections["seen"] == {browser.name: 1}
    assert browser.sections["choices"] == inspector.choices()
    assert contents(browser.document) == contents(kernel_document(inspector))
    by_name = {control["name"]: control["value"] for control in browser.sections["controls"]}
    assert by_name["window"] == [1, 12]
    assert by_name["rank"] == 3
    assert by_name["dynamics.opacity"] == 0.25


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rank": 99}, r"`rank` \(=99\) must lie in 1\.\."),
        ({"window": [5, 6]}, "must be integers"),
        ({"layer": "nowhere"}, "no layer 'nowhere'"),
        ({"mode": None}, "must be an integer"),
        ({"colour": 1}, "no choice 'colour'"),
        ({"dynamics.colour": 1}, "no option 'colour'"),
        ({"other.colour": 1}, "no panel 'other'"),
        ({"dynamics.opacity": 3}, "opacity"),
    ],
    ids=str,
)
def test_a_bad_control_is_answered_in_words_and_shows_the_kept_value(browser, inspector, changes, message):
    before = inspector.state()
    browser.tell("set", number=1, changes=changes)
    browser.settle()
    assert inspector.state() == before
    assert browser.status["kind"] == "error"
    assert re.search(message, browser.status["text"])
    assert browser.sections["seen"] == {browser.name: 1}
    rejected = browser.sections["choices"]
    assert {name: rejected[name] for name in inspector.choices()} == inspector.choices()


def test_a_drag_is_one_step_to_undo(browser, inspector):
    for rank in range(2, 9):
        browser.set(rank=rank)
    browser.settle()
    assert browser.sections["undo"] == {"undo": True, "redo": False}
    browser.tell("do", action="undo")
    browser.settle()
    assert inspector.rank == 0.99
    assert browser.sections["undo"] == {"undo": False, "redo": True}
    browser.tell("do", action="redo")
    browser.settle()
    assert inspector.rank == 8


@pytest.mark.parametrize("figure", ["circle", "energies"])
def test_a_tap_chooses_the_mode_everywhere(browser, inspector, figure):
    rows = inspector._panels["dynamics"].views[figure].rows
    browser.touch(rows.selected, indices=[len(rows.data["row"]) - 1])
    browser.settle()
    last = len(inspector.results["dynamics"].dmd.rows) - 1
    assert last > 0
    assert inspector.mode == inspector.results["dynamics"].mode == last
    assert browser.sections["choices"]["mode"] == last
    assert contents(browser.document) == contents(kernel_document(inspector))
    assert rows.selected.indices == []


def test_two_views_stay_in_step(browser, inspector):
    other = FakeBrowser(inspector)
    axis_range = inspector._panels["dynamics"].views["circle"].figure.x_range
    browser.touch(axis_range, start=-0.5, end=0.5)
    other.set(rank=4)
    for _ in range(2):
        browser.settle()
        other.settle()
    assert (axis_range.start, axis_range.end) == (-0.5, 0.5)
    assert contents(browser.document) == contents(other.document) == contents(kernel_document(inspector))
    assert browser.sections["choices"] == other.sections["choices"]


def test_a_reloaded_page_gets_the_current_state(browser, inspector):
    browser.set(rank=3, layer="0")
    browser.settle()
    browser.leave()
    inspector.rank = 5
    inspector.wait(60)
    again = FakeBrowser(inspector)
    assert again.sections["choices"]["rank"] == 5
    assert contents(again.document) == contents(kernel_document(inspector))


def test_the_theme_follows_the_page(browser, inspector):
    axis = inspector._panels["dynamics"].views["circle"].figure.xaxis[0]
    light = axis.axis_label_text_color
    browser.tell("theme", theme="dark")
    browser.settle()
    assert axis.axis_label_text_color != light
    assert contents(browser.document) == contents(kernel_document(inspector))


def test_export_comes_as_a_file_and_leaves_the_plots_as_they_were(browser, inspector):
    browser.tell("theme", theme="dark")
    browser.settle()
    before = contents(kernel_document(inspector))
    browser.tell("do", action="export")
    browser.settle()
    name, data = browser.exported
    assert name == "dyn_explorer_dynamics.html"
    assert data.startswith(b"<!doctype html>")
    assert contents(kernel_document(inspector)) == before
    assert contents(browser.document) == before


def test_a_failure_empties_the_page_and_says_why(browser, inspector):
    browser.set(layer="5")
    browser.settle()
    assert browser.status["kind"] == "error"
    assert "use “Snapshots are: Inputs”" in browser.sections["empty"]  # the page's words, not Python's
    assert browser.sections["empty"] == browser.status["text"]
    assert browser.sections["table"] is None
    assert browser.sections["numbers"] == []
    assert contents(browser.document) == contents(kernel_document(inspector))
    browser.tell("do", action="undo")
    browser.settle()
    assert browser.sections["empty"] is None
    assert browser.status["kind"] == "ready"


def test_progress_of_an_unknown_length_is_plain_json(open_inspector, model, digits, monkeypatch):
    monkeypatch.setattr("dyn_explorer.inspector.renderer.QUIET_FOR", -1)
    said = []
    inspector = open_inspector(model).wait(60)
    monkeypatch.setattr(inspector._outbox, "put", lambda section, content: said.append((section, content)))
    inspector._source._recorder.inputs = (digits[0] for _ in range(1))
    inspector.refresh()
    inspector.wait(60)
    running = [content for section, content in said if section == "status" and content["kind"] == "running"]
    assert {"kind": "running", "text": "recorded 40 samples", "fraction": None} in running
    json.dumps(said, allow_nan=False)


# ---------------------------------------------------------------- text from outside

HOSTILE = [
    "<script>alert(1)</script>",
    "a\"b'c",
    "$$\\frac{1}{2}$$",
    "Ωmega 数字",
    "two\nlines",
    "</script><b>",
    "&lt;",
]


class Page(HTMLParser):
    """What a browser would make of a page: its tags, and what they load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "action", "srcdoc") and value]

    def handle_data(self, data):
        self.text += data


def hostile_model() -> nn.Module:
    model = nn.Sequential()
    for k, name in enumerate(name.replace(".", "") for name in HOSTILE):
        model.add_module(name, nn.Conv2d(1 if k == 0 else 6, 6, 3, padding=1))
    type_name = "<img src=x onerror=alert(1)>"
    model.__class__ = type(type_name, (nn.Sequential,), {})
    return model


@pytest.fixture
def hostile(open_inspector, digits):
    labels = digits[1] % len(HOSTILE)
    return open_inspector(hostile_model(), labels=labels, class_names=HOSTILE, layers=HOSTILE).wait(60)


def test_names_from_outside_stay_text_in_every_section(hostile):
    browser = FakeBrowser(hostile)
    assert [row["name"] for row in browser.sections["tree"]] == HOSTILE
    assert browser.sections["header"]["model"] == "<img src=x onerror=alert(1)>"
    assert set(browser.sections["strip"]["captions"]) == set(HOSTILE)
    assert contents(browser.document) == contents(kernel_document(hostile))


def test_names_from_outside_reach_no_bokeh_text_that_is_interpreted(hostile):
    for model in kernel_document(hostile).models:
        for name, value in model.properties_with_values(include_defaults=False).items():
            if name in ("text", "axis_label", "title") and isinstance(value, str):
                assert not any(hostile_name in value for hostile_name in HOSTILE)


def test_the_exported_page_is_self_contained_and_escaped(hostile, tmp_path):
    hostile.to_html(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf8")
    parsed = Page(text)
    assert parsed.addresses == []
    assert "img" not in parsed.tags
    assert "b" not in parsed.tags
    assert parsed.tags.count("script") == 2  # BokehJS and the documents
    assert "import dyn_explorer as dx" in parsed.text
    assert len(re.findall(r'class="card ', text)) == len(hostile._panels["dynamics"].cards)
    assert "@import" not in text.split("</style>")[0]


def test_code_for_hostile_names_runs(hostile, digits):
    names = {"model": hostile._source.model, "inputs": digits[0]}
    exec(hostile.code(), names)
    assert np.allclose(names["eigenvalues"], hostile.results["dynamics"].eigenvalues, rtol=1e-10)


# ---------------------------------------------------------------- sizes, tables, pictures


def test_a_model_with_2000_layers_opens_and_sends_its_tree_once(open_inspector):
    model = nn.Sequential(nn.Conv2d(1, 6, 3), *[nn.Identity() for _ in range(2000)])
    inspector = open_inspector(model, torch.rand(4, 1, 8, 8)).wait(60)
    browser = FakeBrowser(inspector)
    assert len(browser.sections["tree"]) == 2001
    for rank in (2, 3, 4, 2, 3):
        inspector.rank = rank
        inspector.wait(60)
    browser.settle()
    # The tree is sent once, and not again with every change.
    assert not any("tree" in message["sections"] for message in browser.messages if message["kind"] == "update")


def test_a_model_without_parameters_has_a_header(open_inspector):
    model = nn.Sequential(nn.AvgPool2d(2), nn.ReLU())
    inspector = open_inspector(model, torch.rand(6, 5, 8, 8)).wait(60)
    facts = FakeBrowser(inspector).sections["header"]["facts"]
    assert facts == ["0 parameters", "no parameters", "train mode", "6 inputs"]


def test_inputs_that_are_no_pictures_have_captions_only(open_inspector):
    model = nn.Sequential(nn.Embedding(50, 16), nn.Linear(16, 12))
    inspector = open_inspector(model, torch.randint(0, 50, (8, 12)), labels=[k % 3 for k in range(8)]).wait(60)
    assert inspector.results["dynamics"].picture is None
    strip = FakeBrowser(inspector).sections["strip"]
    assert strip == {"sheet": None, "captions": ["0", "1", "2", "0", "1", "2", "0", "1"]}


@pytest.mark.parametrize(
    ("shape", "is_picture"),
    [((3, 1, 8, 8), True), ((3, 3, 8, 20), True), ((3, 5, 8, 8), True), ((3, 8, 8), True), ((3, 8), False)],
    ids=str,
)
def test_pictures_of_any_shape(shape, is_picture):
    strip = picture_strip(torch.rand(shape), None, None)
    assert (strip["sheet"] is not None) == is_picture
    assert strip["captions"] == [""] * 3


@pytest.mark.parametrize(
    ("labels", "names", "expected"),
    [
        (None, ["a"], ""),
        ([1], ["a", "b"], "b"),
        ([7], ["a", "b"], "7"),
        ([-1], ["a", "b"], "-1"),
        (torch.tensor([1]), None, "1"),
    ],
)
def test_a_caption_is_the_class_name_where_there_is_one(labels, names, expected):
    assert caption(labels, names, 0) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.5000"),
        (0.0, "0.0000"),
        (1e-9, "1.000e-09"),
        (12345678.0, "1.235e+07"),
        (float("nan"), "n/a"),
        (float("inf"), "inf"),
        (np.float32(0.25), "0.2500"),
        (torch.tensor(0.25), "0.2500"),
        (np.int64(3), "3"),
        (True, "yes"),
        (np.bool_(False), ""),
        ("<b>", "<b>"),
    ],
)
def test_a_value_in_the_digits_that_mean_something(value, text):
    assert page.cell(value) == text


def test_words_of_a_table_stand_at_the_left_numbers_at_the_right_and_sentences_are_broken():
    frame = pd.DataFrame({
        "layer": ["conv1", "3"], "rank": [1, 20], "gap": [float("inf"), float("nan")], "stable": [True, False],
        "why": ["the matrix has fewer than two columns", ""], "error": [1e-9, 1e9],
    })  # fmt: skip
    assert page.table(frame)["kinds"] == ["dx-words", "", "", "", "dx-long", ""]
    assert page.table(frame.head(0))["kinds"] == [""] * 6


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0"), (999, "999"), (25578, "25.6k"), (11_700_000, "11.7M"), (7e9, "7G")]
)
def test_counts_are_short(count, text):
    assert page.short_count(count) == text


def test_an_exported_table_is_aligned_as_the_page_aligns_it(inspector, tmp_path):
    inspector.panel = "filters"
    inspector.wait(60).to_html(tmp_path / "filters.html")
    text = (tmp_path / "filters.html").read_text(encoding="utf8")
    assert '<th class="dx-words">kind</th>' in text
    assert '<td class="dx-words">Conv2d</td>' in text
    assert "<th>eigenvalues</th>" in text


def test_export_before_a_result_says_what_to_do(inspector):
    browser = FakeBrowser(inspector)
    browser.set(layer="5")
    browser.settle()
    browser.tell("do", action="export")
    browser.settle()
    assert "nothing to export" in browser.status["text"]
    with pytest.raises(DynExplorerError, match="nothing to export"):
        inspector.to_html("never.html")


def test_the_inspector_is_one_small_message_in_a_notebook(inspector):
    bundle = inspector._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert len(json.dumps(data)) < 2000
    assert not any(inspector.traits()[name].metadata.get("sync") for name in ("layer", "window", "rank", "mode"))


def test_explore_is_public():
    assert dx.explore.__module__ == "dyn_explorer.inspector.opening"

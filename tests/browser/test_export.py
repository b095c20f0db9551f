"""Exported pages in a browser without a network: every figure drawn, zoomable, and linked to the rest."""

from __future__ import annotations

import pytest

import dyn_explorer as dx
from dyn_explorer.inspector.panels import PANELS

# Size of every figure's frame, by name.
FRAMES = """() => Object.fromEntries(Bokeh.documents.flatMap((document) => [...document.views_manager])
  .filter((view) => view.frame && view.model.name && view.model.visible)
  .map((view) => [view.model.name, [view.frame.bbox.width, view.frame.bbox.height]]))"""
# Where the mark of a row (from 1) is on the page.
PLACE = """([figure, row]) => {
  for (const view of Bokeh.documents.flatMap((document) => [...document.views_manager])) {
    if (view.model.name !== figure || !view.frame) continue;
    for (const { data_source } of view.model.renderers) {
      const { data } = data_source;
      const index = Array.from(data.row ?? []).indexOf(row);
      if (index < 0) continue;
      const box = view.canvas_view.el.getBoundingClientRect();
      return [box.x + view.frame.x_scale.compute(data.x[index]), box.y + view.frame.y_scale.compute(data.y[index])];
    }
  }
}"""
# Rows (from 1) whose marks are lit in a figure.
LIT = """(figure) => Bokeh.documents.flatMap((document) => [...document.views_manager])
  .filter((view) => view.model.name === figure && view.frame)
  .flatMap((view) => view.model.renderers.map((renderer) => renderer.data_source))
  .filter((source) => source.data.row)
  .flatMap((source) => source.selected.indices.map((index) => source.data.row[index]))"""
WIDTHS = "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
RANGE = """(figure) => {
  const views = Bokeh.documents.flatMap((document) => [...document.views_manager]);
  const { x_range } = views.find((view) => view.model.name === figure && view.frame).model;
  return x_range.end - x_range.start;
}"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Every panel as a page."""
    folder = tmp_path_factory.mktemp("pages")
    images, labels = dx.demo.digits("test")
    run = dx.demo.history("true")
    with dx.explore(dx.demo.load("trained"), images[:24], labels[:24], layers=["conv3"], history=run) as inspector:
        inspector.rank = 6
        inspector.options("basins", images=12, draws=2)
        inspector.options("training", images=2)
        for panel in PANELS:
            inspector.panel = panel.key
            inspector.wait(120).to_html(folder / f"{panel.key}.html")
    return folder


@pytest.fixture
def open_page(exported, chromium):
    """Open a page with the network cut off; at the end nothing may have been asked for and nothing gone wrong."""
    contexts, problems = [], []

    def open_one(panel: str, width: int = 1280):
        context = chromium.new_context(viewport={"width": width, "height": 1600}, offline=True)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text) if said.type in ("error", "warning") else None)
        address = (exported / f"{panel}.html").as_uri()
        page.on("request", lambda request: problems.append(request.url) if request.url != address else None)
        page.goto(address)
        page.wait_for_function("window.Bokeh?.documents[0]?.is_idle")
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert problems == []


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.key)
def test_every_figure_is_drawn_at_a_size_that_can_be_read(open_page, artifacts, panel):
    page = open_page(panel.key)
    page.screenshot(path=artifacts / f"exported_{panel.key}.png", full_page=True)
    frames = page.evaluate(FRAMES)
    assert set(frames) <= {card.figure for card in panel.cards}
    # What shows nothing takes no room, as in the widget.
    assert len(frames) + page.locator(".dx-plot[hidden]").count() == len(panel.cards)
    assert all(min(size) >= 80 for size in frames.values()), frames
    for card in panel.cards:
        if card.square and card.figure in frames:
            width, height = frames[card.figure]
            assert 0.7 < width / height < 1.4
    page.set_viewport_size({"width": 390, "height": 1600})
    page.wait_for_timeout(300)
    wide, room = page.evaluate(WIDTHS)
    assert wide == room


def test_figures_can_be_zoomed(open_page):
    page = open_page("dynamics")
    before = page.evaluate(RANGE, "circle")
    box = page.locator(".dx-card-circle .dx-plot").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -400)
    page.keyboard.up("Control")
    page.wait_for_function(f"({RANGE})('circle') < {0.9 * before}")


def test_a_tapped_mark_lights_its_row_and_its_marks_in_every_figure(open_page, artifacts):
    page = open_page("dynamics")
    page.mouse.click(*page.evaluate(PLACE, ["circle", 2]))
    page.wait_for_selector(".dx-rows tbody tr:nth-child(2).dx-chosen")
    assert page.locator(".dx-rows tr.dx-chosen").count() == 1
    assert set(page.evaluate(LIT, "circle")) == {2}
    assert page.evaluate(LIT, "energies") == [2]
    page.screenshot(path=artifacts / "exported_tapped.png")


def test_a_row_of_the_table_lights_its_marks_by_mouse_and_by_key(open_page):
    page = open_page("classes")
    page.click(".dx-rows tbody tr:nth-child(4)")
    assert set(page.evaluate(LIT, "incidence")) == {4}
    assert page.evaluate(LIT, "bars") != []
    assert page.evaluate(LIT, "purity") == []  # a hyperedge is no layer
    page.focus(".dx-rows tbody tr:nth-child(2)")
    page.keyboard.press("Enter")
    assert set(page.evaluate(LIT, "incidence")) == {2}

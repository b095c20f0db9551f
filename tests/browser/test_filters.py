"""The Filters panel in a real JupyterLab: drawn whole, and chosen by hand."""

from __future__ import annotations

import pytest
from jupyter_driver import LOAD
from test_look import OVERFLOW

LINKED = "document.querySelector('.dx-card-links .dx-summary')?.textContent.includes('links beyond the null')"


def open_filters(lab) -> None:
    lab.run_cell(0)
    lab.wait_for_plots()
    lab.page.click(".dx-tab:has-text('Filters')")
    lab.page.wait_for_function(LINKED, timeout=60_000)


@pytest.mark.parametrize(("theme", "width"), [("light", 1480), ("dark", 640)])
def test_the_panel_is_drawn_whole(open_lab, artifacts, theme, width):
    lab = open_lab(LOAD, width=width, height=2200 if width > 1000 else 4200)
    lab.set_theme(f"JupyterLab {theme.title()}")
    if width < 1000:
        lab.hide_sidebar()
    open_filters(lab)
    lab.page.wait_for_timeout(600)
    lab.page.locator(".dx-inspector").first.screenshot(path=artifacts / f"filters_{theme}_{width}.png")
    assert lab.page.evaluate(OVERFLOW) == []
    assert lab.errors == []


def test_directions_inputs_and_layers_are_chosen_by_hand(open_lab, artifacts):
    lab = open_lab(LOAD, height=2200)
    open_filters(lab)
    lab.tap("directions", 2.5, -0.5)  # the third tile
    lab.wait_for(lambda: lab.python("inspector._panels['filters'].options.direction") == 2, "the third direction")
    lab.tap("excite", 1.5, -0.5)
    lab.page.wait_for_timeout(300)
    second = "inspector.results['filters'].signals.most[1].sample"
    lab.wait_for(lambda: lab.python("inspector.sample") == lab.python(second), "the second input")
    lab.tap("alike", 128, 200.5)  # a row of the similarities
    row = "inspector._panels['filters'].views['alike'].rows.data['row'][55] - 1"
    lab.wait_for(lambda: lab.python("inspector.sample") == lab.python(row), "the input of the row")
    lab.page.click(".dx-table-scroll tbody tr:nth-child(1)")
    lab.page.wait_for_selector(".dx-table-scroll tbody tr:nth-child(1).dx-chosen")
    lab.wait_for(lambda: lab.python("inspector.layer") == "conv1", "the first layer")
    lab.page.wait_for_timeout(600)
    lab.page.locator(".dx-inspector").first.screenshot(path=artifacts / "filters_conv1.png")
    assert lab.errors == []

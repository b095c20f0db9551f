"""The Filters panel in a real JupyterLab: drawn whole, and chosen by hand."""

from __future__ import annotations

from jupyter_driver import LOAD
from looks import look, look_dark_and_narrow

LINKED = "document.querySelector('.dx-card-links .dx-summary')?.textContent.includes('links beyond the null')"


def test_the_panel_is_drawn_whole_and_directions_inputs_and_layers_are_chosen_by_hand(open_lab):
    lab = open_lab(LOAD, height=2200)
    lab.set_theme("JupyterLab Light")
    lab.run_cell(0)
    lab.wait_for_plots()
    lab.page.click(".dx-tab:has-text('Filters')")
    lab.page.wait_for_function(LINKED, timeout=60_000)
    look(lab, "filters_light_1480")
    follow_the_hand(lab)
    look(lab, "filters_conv1")
    look_dark_and_narrow(lab, "filters")


def follow_the_hand(lab) -> None:
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

"""What a person sees: screenshots in every theme and width, kept for looking at, and checked for clipped text."""

from __future__ import annotations

from jupyter_driver import LOAD
from looks import look, narrow

MEASURED = "![...document.querySelectorAll('.dx-metrics td')].some((cell) => cell.textContent === '…')"


def test_the_inspector_is_drawn_whole_in_both_themes_and_widths(open_lab):
    lab = open_lab(LOAD, height=2400)
    lab.set_theme("JupyterLab Light")
    lab.run_cell(0)
    lab.wait_for_plots()
    lab.page.wait_for_function(MEASURED)
    look(lab, "inspector_light_1480")
    light = lab.axis_color("circle")
    lab.set_theme("JupyterLab Dark")
    look(lab, "inspector_dark_1480")
    dark = lab.axis_color("circle")
    assert dark != light
    narrow(lab)
    look(lab, "inspector_dark_640")
    # A view that is opened in a theme and a width looks like one that came to them.
    lab.reload()
    lab.wait_for_plots()
    look(lab, "inspector_dark_640_opened")
    assert lab.axis_color("circle") == dark
    lab.set_theme("JupyterLab Light")
    look(lab, "inspector_light_640")
    assert lab.axis_color("circle") == light

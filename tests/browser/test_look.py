"""What a person sees: screenshots in every theme and width, kept for looking at, and checked for clipped text."""

from __future__ import annotations

from jupyter_driver import LOAD
from looks import look, narrow

MEASURED = "![...document.querySelectorAll('.dx-metrics td')].some((cell) => cell.textContent === '…')"


def wait_for_color(lab, wanted) -> None:
    """Block until the figures wear a theme: it comes from the kernel."""
    lab.wait_for(lambda: wanted(lab.axis_color("circle")), "the figures to change their colours")


def test_the_inspector_is_drawn_whole_in_both_themes_and_widths(open_lab):
    lab = open_lab(LOAD, height=2400)
    lab.set_theme("JupyterLab Light")
    lab.run_cell(0)
    lab.wait_for_plots()
    lab.page.wait_for_function(MEASURED)
    look(lab, "inspector_light_1480")
    light = lab.axis_color("circle")
    lab.set_theme("JupyterLab Dark")
    wait_for_color(lab, lambda color: color != light)
    dark = lab.axis_color("circle")
    look(lab, "inspector_dark_1480")
    narrow(lab)
    look(lab, "inspector_dark_640")
    # A view that is opened in a theme and a width looks like one that came to them.
    lab.reload()
    lab.wait_for_plots()
    wait_for_color(lab, lambda color: color == dark)
    look(lab, "inspector_dark_640_opened")
    lab.set_theme("JupyterLab Light")
    wait_for_color(lab, lambda color: color == light)
    look(lab, "inspector_light_640")

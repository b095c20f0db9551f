"""What a person sees: screenshots in every theme and width, kept for looking at, and checked for clipped text."""

from __future__ import annotations

import pytest
from jupyter_driver import LOAD

OVERFLOW = """() => [...document.querySelectorAll('.dx-inspector *')]
  .filter((e) => e.children.length === 0 && e.textContent.trim() && e.offsetParent !== null)
  .filter((e) => !e.closest('.dx-tree, .dx-strip, .dx-table-scroll, .bk-Figure, select'))
  .filter((e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline')
  .map((e) => e.className + ': ' + e.textContent.slice(0, 40))"""


def shoot(lab, path):
    lab.page.wait_for_function(
        "![...document.querySelectorAll('.dx-metrics td')].some((cell) => cell.textContent === '…')"
    )
    lab.page.wait_for_timeout(400)  # fonts and the last frame
    lab.page.locator(".dx-inspector").first.screenshot(path=path)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1480, 640])
def test_the_inspector_is_drawn_whole(open_lab, artifacts, theme, width):
    lab = open_lab(LOAD, width=width, height=2400 if width > 1000 else 4800)
    lab.set_theme(f"JupyterLab {theme.title()}")
    if width < 1000:
        lab.hide_sidebar()
    lab.run_cell(0)
    lab.wait_for_plots()
    shoot(lab, artifacts / f"inspector_{theme}_{width}.png")
    assert lab.page.evaluate(OVERFLOW) == []
    assert lab.errors == []


def test_a_theme_change_dresses_the_open_view(open_lab, artifacts):
    lab = open_lab(LOAD)
    lab.set_theme("JupyterLab Light")
    lab.run_cell(0)
    lab.wait_for_plots()
    light = lab.axis_color("circle")
    lab.set_theme("JupyterLab Dark")
    lab.page.wait_for_function("document.body.dataset.jpThemeLight === 'false'")
    lab.page.wait_for_timeout(800)
    shoot(lab, artifacts / "inspector_theme_changed.png")
    assert lab.axis_color("circle") != light

"""What the tests of every panel look at: pictures of the inspector, kept for people, and text that is cut off."""

from __future__ import annotations

from jupyter_driver import ARTIFACTS

OVERFLOW = """() => [...document.querySelectorAll('.dx-inspector *')]
  .filter((e) => e.children.length === 0 && e.textContent.trim() && e.offsetParent !== null)
  .filter((e) => !e.closest('.dx-tree, .dx-strip, .dx-table-scroll, .bk-Figure, select'))
  .filter((e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline')
  .map((e) => e.className + ': ' + e.textContent.slice(0, 40))"""
NARROW = {"width": 640, "height": 5200}


def look(lab, name: str) -> None:
    """Take a picture of the inspector; no text of it may be cut off."""
    lab.page.wait_for_timeout(600)  # fonts and the last frame
    lab.page.locator(".dx-inspector").first.screenshot(path=ARTIFACTS / f"{name}.png")
    assert lab.page.evaluate(OVERFLOW) == []
    assert lab.errors == []


def narrow(lab) -> None:
    """Make the window as narrow as half a laptop's."""
    lab.page.set_viewport_size(NARROW)
    lab.hide_sidebar()
    lab.page.wait_for_timeout(900)  # figures take their new sizes


def look_dark_and_narrow(lab, name: str) -> None:
    """Take a picture of what is open in the dark theme and a narrow window."""
    lab.set_theme("JupyterLab Dark")
    narrow(lab)
    look(lab, f"{name}_dark_640")

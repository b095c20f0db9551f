"""The Neurons panel in a real JupyterLab: drawn whole, tapped, and truncated by a slider."""

from __future__ import annotations

import pytest
from test_look import OVERFLOW

LOAD = """
import dyn_explorer as dx
images, labels = dx.demo.digits("test")
model = dx.demo.load("trained")
inspector = dx.explore(model, images[:120], labels[:120], history=dx.demo.history("true"))
inspector
"""
MEASURED = "document.querySelector('.dx-card-truncation .dx-summary')?.textContent.includes('whole network')"


@pytest.mark.parametrize(("theme", "width"), [("light", 1480), ("dark", 640)])
def test_layers_epochs_neurons_and_truncation_are_followed(open_lab, artifacts, theme, width):
    lab = open_lab(LOAD, width=width, height=2000 if width > 1000 else 4200)
    if width < 1000:
        lab.hide_sidebar()
    lab.set_theme(f"JupyterLab {theme.title()}")
    lab.run_cell(0)
    lab.wait_for_plots()
    lab.page.click(".dx-tab:has-text('Neurons')")
    lab.page.wait_for_function(MEASURED, timeout=60_000)
    lab.page.wait_for_timeout(600)
    lab.page.locator(".dx-inspector").first.screenshot(path=artifacts / f"neurons_{theme}.png")
    lab.tap("layers", 3, 1)
    lab.wait_for(lambda: lab.python("[inspector.layer, inspector.epoch]") == ["conv2", 4], "the tapped cell")
    lab.wait_for(lambda: lab.python("inspector.results['neurons'].epoch") == 4, "its epoch")
    lab.tap("neurons", 2, 6)
    lab.wait_for(lambda: lab.python("inspector.results['neurons'].category") == 6, "the tapped class")
    lab.slide("neurons.start", 1)
    lab.page.wait_for_selector(".dx-numbers:has-text('truncated')")
    lab.page.wait_for_function(MEASURED, timeout=60_000)
    lab.page.wait_for_timeout(400)
    lab.page.locator(".dx-inspector").first.screenshot(path=artifacts / f"neurons_{theme}_tapped.png")
    assert lab.page.evaluate(OVERFLOW) == []
    assert lab.errors == []

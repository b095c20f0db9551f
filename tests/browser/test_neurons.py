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
    lab.page.wait_for_selector(".dx-facts:has-text('weights of epoch 4')")
    lab.page.wait_for_function("document.querySelector('.dx-numbers')?.textContent.includes('conv2')")
    lab.tap("neurons", 2, 6)
    lab.page.wait_for_function("document.querySelector(\"[data-name='neurons.category'] output\").textContent === '6'")
    lab.slide("neurons.start", 1)
    lab.page.wait_for_selector(".dx-numbers:has-text('truncated')")
    lab.page.wait_for_function(MEASURED, timeout=60_000)
    lab.page.wait_for_timeout(400)
    lab.page.locator(".dx-inspector").first.screenshot(path=artifacts / f"neurons_{theme}_tapped.png")
    assert lab.python("[inspector.layer, inspector.epoch, inspector.results['neurons'].category]") == ["conv2", 4, 6]
    assert lab.page.evaluate(OVERFLOW) == []
    assert lab.errors == []

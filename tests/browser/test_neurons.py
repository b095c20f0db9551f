"""The Neurons panel in a real JupyterLab: drawn whole, tapped, and truncated by a slider."""

from __future__ import annotations

from looks import look, look_dark_and_narrow

LOAD = """
import dyn_explorer as dx
images, labels = dx.demo.digits("test")
model = dx.demo.load("trained")
inspector = dx.explore(model, images[:120], labels[:120], history=dx.demo.history("true"))
inspector
"""
MEASURED = "document.querySelector('.dx-card-truncation .dx-summary')?.textContent.includes('whole network')"


def test_layers_epochs_neurons_and_truncation_are_followed(open_lab):
    lab = open_lab(LOAD, height=2000)
    lab.set_theme("JupyterLab Light")
    lab.run_cell(0)
    lab.wait_for_plots()
    lab.page.click(".dx-tab:has-text('Neurons')")
    lab.page.wait_for_function(MEASURED, timeout=60_000)
    look(lab, "neurons_light_1480")
    lab.tap("layers", 3, 1)
    lab.page.wait_for_selector(".dx-facts:has-text('weights of epoch 4')")
    lab.page.wait_for_function("document.querySelector('.dx-numbers')?.textContent.includes('conv2')")
    lab.tap("neurons", 2, 6)
    lab.page.wait_for_function("document.querySelector(\"[data-name='neurons.category'] output\").textContent === '6'")
    lab.slide("neurons.start", 1)
    lab.page.wait_for_selector(".dx-numbers:has-text('truncated')")
    lab.page.wait_for_function(MEASURED, timeout=60_000)
    assert lab.python("[inspector.layer, inspector.epoch, inspector.results['neurons'].category]") == ["conv2", 4, 6]
    look_dark_and_narrow(lab, "neurons")

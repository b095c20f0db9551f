"""The Classes panel in a real JupyterLab: drawn whole beside its controls, and followed by the hand."""

from __future__ import annotations

from jupyter_driver import LOAD
from test_look import OVERFLOW

COMPARED = "document.querySelector('.dx-card-purity .dx-summary')?.textContent.includes('permuted labels')"


def test_the_hypergraph_of_a_layer_follows_the_hand(open_lab, artifacts):
    lab = open_lab(LOAD, height=2300)
    lab.run_cell(0)
    lab.wait_for_plots()
    lab.page.click(".dx-tab:has-text('Classes')")
    lab.page.wait_for_function(COMPARED, timeout=60_000)
    lab.page.wait_for_timeout(600)
    lab.page.locator(".dx-inspector").first.screenshot(path=artifacts / "classes_light.png")
    assert lab.page.evaluate(OVERFLOW) == []
    lab.slide("classes.s", 6)
    lab.page.wait_for_selector(".dx-card-bars .dx-summary:has-text('at least 6 images')")
    lab.page.click(".dx-table-scroll tbody tr:nth-child(4)")
    lab.page.wait_for_selector(".dx-table-scroll tbody tr:nth-child(4).dx-chosen")
    assert lab.python("inspector.results['classes'].edge") == 3
    lab.page.wait_for_selector(".dx-card-images .dx-summary:has-text('Images of -1')")
    lab.tap("images", 1.5, -0.5)
    chosen = lab.python("int(inspector.results['classes'].images[1])")
    lab.wait_for(lambda: lab.python("inspector.sample") == chosen, "the tapped image is the sample")
    lab.tap("pairs", 1.0, 0.0)
    lab.page.wait_for_selector(".dx-table-scroll th:has-text('share of 1')")
    lab.set_theme("JupyterLab Dark")
    lab.page.wait_for_function(COMPARED, timeout=60_000)
    lab.page.wait_for_timeout(600)
    lab.page.locator(".dx-inspector").first.screenshot(path=artifacts / "classes_dark.png")
    assert lab.errors == []

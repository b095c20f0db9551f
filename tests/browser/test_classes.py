"""The Classes panel in a real JupyterLab: drawn whole beside its controls, and followed by the hand."""

from __future__ import annotations

from jupyter_driver import LOAD
from looks import look, look_dark_and_narrow

COMPARED = "document.querySelector('.dx-card-purity .dx-summary')?.textContent.includes('permuted labels')"


def test_the_hypergraph_of_a_layer_follows_the_hand(open_lab):
    lab = open_lab(LOAD, height=2300)
    lab.set_theme("JupyterLab Light")
    lab.run_cell(0)
    lab.wait_for_plots()
    lab.page.click(".dx-tab:has-text('Classes')")
    lab.page.wait_for_function(COMPARED, timeout=60_000)
    look(lab, "classes_light_1480")
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
    lab.page.wait_for_function(COMPARED, timeout=60_000)
    look_dark_and_narrow(lab, "classes")

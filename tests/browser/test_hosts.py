"""The inspector outside JupyterLab: in Notebook 7 and in Voila."""

from __future__ import annotations

import numpy as np
import pytest
from jupyter_driver import LOAD, JupyterServer, Lab, write_notebook

EIGENVALUES = "[[z.real, z.imag] for z in inspector.results['dynamics'].eigenvalues]"


@pytest.fixture(params=["notebook", "voila"])
def host(request, tmp_path, chromium):
    """A page of the host with the demo's inspector, as text ``name`` and driver."""
    server = JupyterServer(tmp_path, app=request.param)
    page = chromium.new_page(viewport={"width": 1280, "height": 1600})
    try:
        write_notebook(tmp_path / "demo.ipynb", LOAD)
        server.wait_until_up()
        lab = Lab(page, server, "demo.ipynb")
        if request.param == "voila":
            page.goto(f"{server.url}/voila/render/demo.ipynb", timeout=120_000)
        else:
            lab.open()
            lab.errors.clear()  # Notebook 7 complains about its own settings
            lab.run_cell(0)
        yield request.param, lab
    finally:
        page.close()
        server.stop()


def test_a_slider_moves_the_circle(host, artifacts):
    name, lab = host
    lab.wait_for_plots()
    lab.page.locator(".dx-inspector").screenshot(path=artifacts / f"{name}.png")
    lab.page.screenshot(path=artifacts / f"{name}_page.png")
    before = lab.drawn("circle", ["re", "im"])
    lab.slide("rank", 5)
    lab.page.wait_for_function("document.querySelector('.dx-numbers').textContent.includes('rank5 of')")
    after = lab.drawn("circle", ["re", "im"])
    assert len(after["re"]) == 5 != len(before["re"])
    if name == "notebook":
        np.testing.assert_allclose(np.array([after["re"], after["im"]]).T, lab.python(EIGENVALUES), atol=1e-12)
    drawn = lab.drawn("circle", ["re", "im", "row"])
    index = drawn["row"].index(2)
    lab.tap("circle", drawn["re"][index], drawn["im"][index])
    lab.page.wait_for_selector(".dx-table-scroll tbody tr:nth-child(2).dx-chosen")
    assert lab.errors == []

"""The Basins panel in a real JupyterLab: curves that fill, a threshold that is dragged, a sample and its noise."""

from __future__ import annotations

from looks import look, look_dark_and_narrow

OPEN = """
import dyn_explorer as dx
images, labels = dx.demo.digits("train")
images, labels = images[:256], labels[:256]
model = dx.demo.small_cnn()
history = dx.History(model, images[:8], layers=["head"], checkpoints=True)
note = lambda epoch, loss: history.record(epoch=epoch, loss=loss)
losses = dx.demo.train(model, images, labels, epochs=4, after_epoch=note)
inspector = dx.explore(model, images[:24], labels[:24], history=history)
inspector.load_state({**inspector.state(), "options": {"basins": {"images": 24, "draws": 2}}})
inspector
"""
FILLED = "!document.querySelector('.dx-metrics')?.textContent.includes('…')"
RUN = "document.querySelector('.dx-card-path .dx-summary')?.textContent.includes('to epoch 4')"


def test_basins_are_drawn_whole_and_follow_the_hand(open_lab):
    lab = open_lab(OPEN, height=2400)
    lab.set_theme("JupyterLab Light")
    lab.run_cell(0)
    lab.wait_for_plots()
    lab.page.click(".dx-tab:has-text('Basins')")
    lab.page.wait_for_function(RUN, timeout=60_000)
    lab.page.wait_for_function(FILLED)
    lab.page.click(".dx-table-scroll tbody tr:nth-child(3)")
    lab.page.wait_for_selector(".dx-table-scroll tbody tr:nth-child(3).dx-chosen")
    lab.slide("basins.threshold", 0.7)
    lab.wait_for(lambda: lab.python("inspector.results['basins'].basins['sample'].threshold") == 0.7, "the threshold")
    lab.page.wait_for_function(
        "document.querySelector('.dx-card-sample .dx-summary').textContent.includes('crosses 0.7')"
    )
    lab.page.wait_for_function(RUN, timeout=60_000)
    look(lab, "basins_light_1480")
    look_dark_and_narrow(lab, "basins")

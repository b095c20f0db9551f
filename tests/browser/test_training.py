"""The Training panel in a real JupyterLab: the bundled runs, a run of one's own, epochs and their play button."""

from __future__ import annotations

from jupyter_driver import LOAD
from looks import look, look_dark_and_narrow

OWN = """
import dyn_explorer as dx
images, labels = dx.demo.digits("train")
model = dx.demo.small_cnn()
history = dx.History(model, images[:8], labels[:8], layers=["conv1", "head"], checkpoints=True)
history.record(epoch=0)
score = lambda: dx.demo.accuracy(model, images[:100], labels[:100])
note = lambda epoch, loss: history.record(epoch=epoch, loss=loss, accuracy=score())
losses = dx.demo.train(model, images[:256], labels[:256], epochs=4, after_epoch=note)
inspector = dx.explore(model, images[:40], labels[:40], history=history)
inspector
"""
MEASURED = "document.querySelector('.dx-card-trend .dx-summary')?.textContent.includes('shuffled columns')"


def open_training(lab) -> None:
    lab.run_cell(0)
    lab.wait_for_plots()
    lab.page.click(".dx-tab:has-text('Training')")


def test_the_bundled_runs_are_drawn_whole(open_lab):
    lab = open_lab(LOAD, height=1800)
    lab.set_theme("JupyterLab Light")
    open_training(lab)
    lab.page.wait_for_selector(".dx-empty:has-text('There is no history of a training run here')")
    lab.choose("training.runs", "Bundled (digits)")
    lab.page.wait_for_function(MEASURED, timeout=60_000)
    look(lab, "training_light_1480")
    look_dark_and_narrow(lab, "training")


def test_epochs_of_a_run_are_chosen_by_slider_row_and_play(open_lab):
    lab = open_lab(OWN, height=1800)
    open_training(lab)
    lab.page.wait_for_function(MEASURED, timeout=60_000)
    lab.page.click(".dx-table-scroll tbody tr:nth-child(2)")
    lab.page.wait_for_selector(".dx-table-scroll tbody tr:nth-child(2).dx-chosen")
    lab.page.wait_for_function("document.querySelector('[data-name=epoch] output').textContent === '1'")
    assert lab.python("inspector.epoch") == 1
    lab.slide("epoch", 3)
    lab.page.wait_for_selector(".dx-table-scroll tbody tr:nth-child(4).dx-chosen")
    look(lab, "training_own")
    lab.page.click(".dx-tab:has-text('Dynamics')")
    lab.page.wait_for_selector(".dx-facts:has-text('weights of epoch 3')")
    lab.page.click(".dx-tab:has-text('Training')")
    lab.page.click(".dx-play")
    lab.page.wait_for_function("document.querySelector('[data-name=epoch] output').textContent === 'now'")
    lab.page.wait_for_function("document.querySelector('.dx-play').textContent === 'Play'")
    assert lab.python("inspector.epoch") is None
    assert lab.errors == []


COMPARED = """
import dyn_explorer as dx
images, labels = dx.demo.digits("test")
model = dx.demo.load("trained")
history = {"true labels": dx.demo.history("true"), "shuffled, SGD": dx.demo.history("shuffled", optimiser="sgd")}
inspector = dx.explore(model, images[:100], labels[:100], history=history)
inspector.options("training", images=2)
inspector
"""


def test_two_runs_are_compared_and_a_measure_of_another_panel_is_drawn(open_lab):
    lab = open_lab(COMPARED, height=2600)
    open_training(lab)
    lab.page.wait_for_function(MEASURED, timeout=120_000)
    assert "▲ shuffled, SGD" in lab.page.inner_text(".dx-card-loss .dx-legend")
    lab.page.wait_for_selector(".dx-card-scalar .dx-summary:has-text('Choose a measure of another panel')")
    lab.choose("training.scalar", "Filters: stable rank")
    lab.page.wait_for_selector(
        ".dx-card-scalar .dx-summary:has-text('true labels, an untrained copy (grey) goes')", timeout=120_000
    )
    lab.choose("training.detail", "shuffled, SGD")
    lab.page.wait_for_selector(".dx-card-wheel .dx-summary:has-text('shuffled, SGD, epoch 120')")
    look(lab, "training_compared")

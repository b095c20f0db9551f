"""The Network panel in a real JupyterLab: drawn whole, and chosen by taps, rows and controls."""

from __future__ import annotations

from looks import look, look_dark_and_narrow

OPEN = """
import dyn_explorer as dx
images, labels = dx.demo.digits("test")
inspector = dx.explore(dx.demo.load("trained"), images[:40], labels[:40], history=dx.demo.history("true", 0))
inspector
"""
COMPARED = "document.querySelector('.dx-card-depth .dx-summary')?.textContent.includes('untrained copy')"


def open_network(lab) -> None:
    lab.run_cell(0)
    lab.wait_for_plots()
    lab.page.click(".dx-tab:has-text('Network')")
    lab.page.wait_for_function(COMPARED, timeout=60_000)


def test_the_graph_is_drawn_whole_and_follows_the_hand(open_lab):
    lab = open_lab(OPEN, height=2400)
    lab.set_theme("JupyterLab Light")
    open_network(lab)
    look(lab, "network_light_1480")
    follow_the_hand(lab)
    look(lab, "network_chosen")
    look_dark_and_narrow(lab, "network")


def follow_the_hand(lab) -> None:
    marks = lab.drawn("graph", ["x", "y", "layer", "channel"])
    place = marks["layer"].index("conv2")
    lab.tap("graph", marks["x"][place], marks["y"][place])
    node = f"conv2:{marks['channel'][place]}@conv3"
    told = f"Channel {marks['channel'][place]} of conv2 has strength"
    lab.page.wait_for_function(
        "text => document.querySelector('.dx-card-graph .dx-summary').textContent.includes(text)", arg=told
    )
    assert lab.python("inspector.state()['options']['network']['node']") == node
    tiles = lab.drawn("map", ["x", "y", "row", "edge"])
    lab.tap("map", tiles["x"][5], tiles["y"][5])
    lab.wait_for(
        lambda: lab.python("inspector.state()['options']['network']['node']") == "conv3:5@conv3", "the tapped picture"
    )
    lab.page.click(".dx-table-scroll tbody tr:nth-child(2)")
    lab.wait_for(lambda: lab.python("inspector.layer") == "conv1", "the row's layer")
    lab.choose("network.sign", "Absolute")
    lab.page.wait_for_function(
        "document.querySelector('.dx-card-map .dx-summary').textContent.includes('zero is dark')"
    )
    lab.choose("network.ensemble", "Bundled (digits)")
    lab.page.wait_for_selector(".dx-metrics:has-text('test_accuracy')", timeout=60_000)

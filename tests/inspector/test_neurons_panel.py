"""The Neurons panel: layers and epochs, taps, truncation, both kinds of BatchNorm statistics, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from fake_browser import FakeBrowser
from torch import nn

import dyn_explorer as dx
from dyn_explorer import DynExplorerError, History, analysis
from dyn_explorer.inspector.panels.neurons import measure


@pytest.fixture
def network():
    torch.manual_seed(2)
    layers = (nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
    return nn.Sequential(*layers, nn.Linear(36, 12), nn.Tanh(), nn.Linear(12, 10)).eval()


@pytest.fixture
def history(network, digits):
    made = History(network, digits[0][:4], layers=["5"], checkpoints=True)
    for epoch in range(3):
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
        made.record(epoch=epoch, loss=1.0)
    return made


def opened(open_inspector, model, labels, **options):
    inspector = open_inspector(model, labels=labels, **options)
    inspector.panel = "neurons"
    return inspector.wait(60)


def test_it_shows_what_the_functions_give_and_its_code_rebuilds_it(open_inspector, network, digits):
    inspector = opened(open_inspector, network, digits[1])
    for layer, stats in (("5", "running"), ("1", "batch"), ("0", "running"), ("2", "running")):
        inspector.layer = layer
        inspector.set_by_name("neurons.bn_stats", stats)
        result = inspector.wait(60).results["neurons"]
        names = {"model": network, "inputs": digits[0], "labels": digits[1]}
        exec(inspector.code(), names)
        np.testing.assert_allclose(names["gradient"], result.chosen.aligned.gradient, atol=1e-10)
        np.testing.assert_allclose(names["density"], result.chosen.aligned.density, atol=1e-10)
        assert names["aligned"].sign_null_sd == pytest.approx(result.chosen.aligned.sign_null_sd, rel=1e-10)
        assert np.array_equal(names["accuracy"], result.truncation.accuracy)
    assert list(result.network.layers) == ["1", "5"]
    assert set(result.untrained) == {"1", "5"}


def test_layers_over_classes_without_a_history_and_taps_choose_both(open_inspector, network, digits):
    inspector = opened(open_inspector, network, digits[1])
    browser = FakeBrowser(inspector)
    browser.settle()
    view = inspector._panels["neurons"].views["layers"]
    assert view.figure.xaxis[0].axis_label == "class"
    assert inspector._page.taps["neurons"]["layers"][0] == "layer,neurons.category"
    browser.touch(view.rows.selected, indices=[7])  # first layer, class 7
    browser.settle()
    assert inspector.layer == "1"
    result = inspector.results["neurons"]
    assert (result.layer, result.category) == ("1", 7)
    assert view._chosen.data == {"x": [7], "y": [0]}
    # A cell of the neurons' grid chooses the neuron and the class at once.
    neurons = inspector._panels["neurons"].views["neurons"]
    tapped = int(result.chosen.places[result.chosen.by_weight(7)[5]])
    browser.touch(neurons.rows.selected, indices=[3 * 40 + 5])
    browser.settle()
    result = inspector.results["neurons"]
    assert (result.category, result.chosen.places[result.neuron]) == (3, tapped)
    # It stays in sight, although class 3 reads others more strongly.
    assert len(neurons._chosen.data["x"]) == 1
    assert "of class 3" in browser.sections["summaries"]["fields"]


def test_epochs_stand_beside_each_other_and_a_tap_looks_at_one(open_inspector, network, digits, history):
    inspector = opened(open_inspector, network, digits[1], history=history)
    result = inspector.results["neurons"]
    assert result.epochs == (0, 1, 2, None)
    then = dx.capture.copy_with(network, history.state(1), "epoch 1")
    fields = analysis.layer_fields(then, digits[0], ["5"])["5"][0]
    readout = analysis.linear_map(then, "5", (1, 8, 8))
    expected = analysis.rank_alignment(fields, readout, digits[1]).layer_gradient
    assert result.columns[1].gradient[1] == pytest.approx(expected, abs=1e-7)
    browser = FakeBrowser(inspector)
    browser.settle()
    browser.touch(inspector._panels["neurons"].views["layers"].rows.selected, indices=[5])  # second layer, epoch 1
    browser.settle()
    assert (inspector.layer, inspector.epoch) == ("5", 1)
    result = inspector.results["neurons"]
    assert result.chosen.aligned.layer_gradient == pytest.approx(expected, abs=1e-7)
    names = {"model": network, "inputs": digits[0], "labels": digits[1], "history": history}
    exec(inspector.code(), names)
    np.testing.assert_allclose(names["gradient"], result.chosen.aligned.gradient, atol=1e-10)


def test_the_hand_is_followed_without_running_the_network_again(open_inspector, network, digits, monkeypatch):
    inspector = opened(open_inspector, network, digits[1])
    browser = FakeBrowser(inspector)
    browser.settle()
    for name in ("linear_maps", "layer_fields", "truncation"):
        monkeypatch.setattr(measure.analysis, name, lambda *_, **__: pytest.fail("ran again"))
    browser.set(**{"neurons.start": 1})
    browser.settle()
    numbers = {one["label"]: one["value"] for one in browser.sections["numbers"]}
    found = inspector.results["neurons"].truncation
    assert numbers["truncated"] == f"{found.accuracy[1]:.1%}"
    assert numbers["accuracy"] == f"{found.full_accuracy:.1%}"
    assert inspector._panels["neurons"].views["truncation"]._cursor.location == 1
    browser.set(**{"neurons.category": 4})
    browser.set(layer="1")
    browser.settle()
    assert browser.sections.get("empty") is None
    row = browser.sections["table"]["values"][2]
    browser.set(**{"neurons.neuron": row})
    browser.settle()
    result = inspector.results["neurons"]
    assert result.chosen.places[result.neuron] == row
    assert result.chosen.by_weight(4)[2] == result.neuron


def test_the_table_is_sorted_by_readout_weight(open_inspector, network, digits):
    inspector = opened(open_inspector, network, digits[1])
    inspector.layer = "0"
    table = inspector.wait(60).table()
    assert list(table.columns[:4]) == ["neuron", "place", "weight", "G"]
    assert (np.diff(table["weight"].abs()) <= 0).all()
    result = inspector.results["neurons"]
    assert sorted(table["neuron"]) == list(range(4 * 6 * 6))
    first = table.iloc[0]
    assert first["G"] == pytest.approx(result.chosen.aligned.gradient[0, int(first["neuron"])])


def test_the_model_is_untouched(open_inspector, network, digits):
    network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    inspector = opened(open_inspector, network, digits[1])
    inspector.set_by_name("neurons.bn_stats", "batch")
    inspector.wait(60)
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_what_cannot_be_measured_is_said_in_words(open_inspector, network, digits):
    inspector = open_inspector(network)
    inspector.panel = "neurons"
    with pytest.raises(
        DynExplorerError, match=r"There are no labels, and rank alignment.*dx\.explore\(model, inputs, labels\)"
    ):
        inspector.wait(60)
    regression = open_inspector(nn.Sequential(nn.Flatten(), nn.Linear(64, 1)), labels=digits[1])
    regression.panel = "neurons"
    with pytest.raises(DynExplorerError, match=r"puts out \(40, 1\) for 40 samples.*two class scores"):
        regression.wait(60)
    with pytest.raises(DynExplorerError, match="option 'bn_stats' of panel 'neurons' cannot be 'mean'"):
        inspector.set_by_name("neurons.bn_stats", "mean")


def test_a_part_without_a_linear_map_leaves_the_rest(open_inspector, digits):
    layers = (nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.LayerNorm(8), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 10))
    inspector = opened(open_inspector, nn.Sequential(*layers), digits[1])
    inspector.layer = "4"
    result = inspector.wait(60).results["neurons"]
    assert list(result.network.layers) == ["4"]
    assert "is not linear even with its activations" in result.network.reasons["1"]
    assert len(result.truncation.accuracy) == 2
    inspector.layer = "1"
    with pytest.raises(DynExplorerError, match="above layer '1' is not linear"):
        inspector.wait(60)


def test_nothing_runs_beside_a_training_loop(open_inspector, network, digits):
    inspector = opened(open_inspector, network, digits[1])
    inspector.step(loss=1.0)
    with pytest.raises(DynExplorerError, match="no forward pass runs beside a training loop"):
        inspector.wait(60)
    inspector.refresh()
    assert inspector.wait(60).results["neurons"].truncation is not None


def test_a_class_or_neuron_that_is_not_there_is_replaced_and_said(open_inspector, network, digits):
    inspector = opened(open_inspector, network, digits[1])
    browser = FakeBrowser(inspector)
    browser.settle()
    browser.set(**{"neurons.category": 30, "neurons.neuron": 9999})
    browser.settle()
    assert "There is no class 30; this is class 9." in browser.status["text"]
    assert "Neuron 9999 is not among those of this layer" in browser.status["text"]


def test_many_classes_are_shown_in_part(open_inspector, digits):
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 300))
    inspector = opened(open_inspector, network, digits[1])
    inspector.layer = "1"
    inspector.set_by_name("neurons.category", 250)
    inspector.wait(60)
    grid = inspector._panels["neurons"].views["neurons"]
    assert len(grid.rows.data["x"]) == 24 * 8
    assert "250" in grid.rows.data["row_name"]
    pairs = inspector._page.taps["neurons"]["neurons"][1]
    assert len(pairs) == 24 * 8
    row = grid._chosen.data["y"][0] * 8 + grid._chosen.data["x"][0]
    assert pairs[row][0] == 250


def test_a_network_without_hidden_activations_still_has_its_layer(open_inspector, digits):
    inspector = opened(open_inspector, nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), digits[1])
    result = inspector.results["neurons"]
    assert result.network.names == []
    assert result.chosen.aligned.gradient.shape == (10, 10)
    views = inspector._panels["neurons"].views
    assert views["layers"].summary == "No hidden activation is fed by a layer that can be recorded."
    assert views["truncation"].summary == "This network has no hidden activation."


def test_the_view_is_exported_and_its_state_comes_back(open_inspector, network, digits, tmp_path):
    inspector = opened(open_inspector, network, digits[1])
    inspector.set_by_name("neurons.start", 0)
    state = inspector.wait(60).state()
    inspector.to_html(tmp_path / "neurons.html")
    assert "Density of ranks" in (tmp_path / "neurons.html").read_text(encoding="utf8")
    inspector.set_by_name("neurons.start", None)
    inspector.load_state(state)
    assert inspector.wait(60).results["neurons"].start == 0

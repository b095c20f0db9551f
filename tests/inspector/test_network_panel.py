"""The Network panel: numbers against the functions, choices by hand, and words where there is nothing to sum."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from fake_browser import FakeBrowser
from torch import nn

import dyn_explorer as dx
from dyn_explorer import DynExplorerError, History


@pytest.fixture
def opened(open_inspector, model):
    inspector = open_inspector(model).wait(60)
    inspector.panel = "network"
    return inspector.wait(60)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"sign": "absolute", "padding": "repo", "bias": False, "boundary": False, "compare": "weights"},
        {"sign": "squared", "fold_bn": True},
    ],
)
def test_the_code_rebuilds_every_number(open_inspector, digits, options):
    torch.manual_seed(2)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(64, 10)
    )
    model(digits[0])
    inspector = open_inspector(model.eval()).wait(60)
    inspector.load_state({**inspector.state(), "options": {"network": options}})
    inspector.panel = "network"
    result = inspector.wait(60).results["network"]
    names = {"model": model, "inputs": digits[0]}
    exec(inspector.code(), names)
    assert np.allclose(names["fluctuation"], result.measured.fluctuation, rtol=0, atol=1e-10)
    assert np.allclose(names["strengths"][result.place], result.strengths, rtol=0, atol=1e-10)
    assert np.allclose(names["divergence"], result.divergence, rtol=0, atol=1e-10)
    assert np.allclose(names["null"].mean, result.comparison.mean, rtol=0, atol=1e-10)
    assert np.allclose(names["untrained"], result.comparison.untrained, rtol=0, atol=1e-10)
    table = inspector.table().dropna(subset="Y")
    assert table["Y"].tolist() == pytest.approx(names["fluctuation"].tolist())
    assert table["ratio"].tolist() == pytest.approx((names["fluctuation"] / names["null"].mean).tolist())


def test_strengths_of_the_chosen_layer_are_drawn(opened, model):
    result = opened.results["network"]
    views = opened._panels["network"].views
    assert result.name == "2"
    assert "20 channels of 4 x 4 nodes" in views["map"].summary
    assert np.allclose(views["map"]._images.data["image"][0][::-1], result.strengths[0], atol=1e-5)
    assert views["map"].mapper.high == pytest.approx(np.abs(result.strengths).max())
    assert len(views["divergence"].rows.data["value"]) == 16
    assert views["depth"].rows.data["name"].count("this model") == 4
    bars = views["distribution"]._bars.data
    assert np.sum(bars["top"] * (bars["right"] - bars["left"])) == pytest.approx(1)
    assert "Open the model with the history" in views["run"].summary


def test_rows_and_taps_choose_layers_and_nodes(opened):
    browser = FakeBrowser(opened)
    browser.settle()
    assert browser.sections["table"]["chooses"] == "layer"
    assert browser.sections["table"]["values"][1:4] == ["0", "2", "5"]
    views = opened._panels["network"].views
    browser.touch(views["depth"].rows.selected, indices=[len(views["depth"].rows.data["row"]) - 1])
    browser.settle()
    assert opened.layer == "5"
    assert opened.results["network"].maps.shape == (10,)
    marks = views["graph"].rows.data
    place = list(marks["layer"]).index("2")
    browser.touch(views["graph"].rows.selected, indices=[place])
    browser.settle()
    channel = marks["channel"][place]
    assert opened.state()["options"]["network"]["node"] == f"2:{channel}@5"
    picture = opened.results["network"].picture
    assert picture.columns[picture.selected[0]].name == "2"
    assert {strand.name for strand in picture.strands} == {"2", "5"}
    browser.touch(views["map"].rows.selected, indices=[3])
    browser.settle()
    assert opened.results["network"].picture.selected[1] == 3
    opened.layer = "0"  # a node that was chosen beside another layer is not kept
    opened.wait(60)
    picture = opened.results["network"].picture
    assert picture.columns[picture.selected[0]].name == "0"


def test_links_that_are_drawn_are_the_strongest(opened, model):
    picture = opened.results["network"].picture
    column, channel = picture.selected
    assert picture.columns[column].name == "2"
    into = [strand.weight for strand in picture.strands if strand.name == "2"]
    table = model[2].weight.detach().double().sum(dim=(2, 3))[channel]
    assert into == pytest.approx(sorted(table.tolist(), key=lambda weight: -abs(weight))[:8])
    out = {strand.target[1]: strand.weight for strand in picture.strands if strand.name == "5"}
    flat = model[5].weight.detach().double().reshape(10, 20, 16).sum(dim=2)[:, channel]
    assert all(weight == pytest.approx(flat[unit].item()) for unit, weight in out.items())


def test_a_layer_without_links_shows_the_nodes_before_it_and_says_so(opened):
    opened.layer = "3"
    opened.wait(60)
    assert opened.results["network"].name == "2"
    assert (
        "3: it acts on each node by itself, so it has no links. Shown are the nodes of 2."
        in opened._page.outcome["text"]
    )


def test_fluctuation_follows_a_history(open_inspector, model, digits):
    history = History(model, digits[0][:8], layers=["0"], checkpoints=True)
    for epoch in range(3):
        with torch.no_grad():
            model[2].weight.mul_(2)
        history.record(epoch=epoch)
    inspector = open_inspector(model, history=history).wait(60)
    inspector.panel = "network"
    run = inspector.wait(60).results["network"].comparison.run
    assert run.epochs.tolist() == [0, 1, 2]
    graph = dx.capture.layer_graph(dx.capture.copy_with(model, history.state(1), "epoch 1"), digits[0])
    assert run.fluctuation[1] == pytest.approx(graph.strength(2).std(correction=0).item())
    assert (np.diff(run.fluctuation) > 0).all()
    inspector.set_by_name("network.measure", "ratio")
    inspector.epoch = 1
    result = inspector.wait(60).results["network"]
    assert result.measured.fluctuation[2] == pytest.approx(run.fluctuation[1])
    names = {"model": model, "inputs": digits[0], "history": history}
    exec(inspector.code(), names)
    assert np.allclose(names["fluctuation"], result.measured.fluctuation, rtol=0, atol=1e-10)
    views = inspector._panels["network"].views
    assert views["run"]._cursor.location == 1
    assert views["run"].figure.yaxis[0].axis_label == "Y / Y shuffled"
    assert inspector._page.taps["network"]["run"] == ("epoch", [0, 1, 2])
    inspector.set_by_name("network.ensemble", "own")
    assert "no metric named test_accuracy or accuracy" in inspector.wait(60).results["network"].many.reason


def test_reasons_stand_in_the_table_and_nothing_to_sum_is_refused(open_inspector, model, digits):
    with torch.no_grad():
        model[2].weight[0, 0, 0, 0] = math.nan
    inspector = open_inspector(model)
    inspector.panel = "network"
    table = inspector.wait(60).table("network").set_index("nodes")
    assert "holds 1 NaN or infinite values of 2160" in table.loc["2", "not known"]
    assert np.isfinite(table.loc["0", "Y"])
    other = open_inspector(nn.Sequential(nn.Flatten(), nn.Softmax(dim=1)))
    other.panel = "network"
    with pytest.raises(DynExplorerError, match="has no layer with fixed links"):
        other.wait(60)


def test_nothing_runs_beside_a_training_loop(open_inspector, model, digits):
    inspector = open_inspector(model).wait(60)
    inspector.step(loss=1.0)
    inspector.panel = "network"
    with pytest.raises(DynExplorerError, match="which a training loop is changing now: press Refresh"):
        inspector.wait(60)
    inspector.refresh()
    assert inspector.wait(60).results["network"].comparison is not None


def test_networks_are_compared_by_accuracy(open_inspector):
    images, labels = dx.demo.digits("test")
    inspector = open_inspector(dx.demo.load("trained"), images[:8], labels[:8])
    inspector.panel = "network"
    inspector.wait(60)
    views = inspector._panels["network"].views
    assert "Choose networks to compare at the left" in views["ensemble"].summary
    inspector.set_by_name("network.ensemble", "own")
    made = inspector.wait(60).results["network"].many
    assert made.found is None
    assert views["bins"].summary == made.reason
    assert "There is no history here" in made.reason
    inspector.set_by_name("network.ensemble", "bundled")
    made = inspector.wait(120).results["network"].many
    assert made.score == "test_accuracy"
    assert sum(made.found.counts) <= 27
    assert max(made.found.counts) == 3
    assert len(views["ensemble"]._lines.data["name"]) == len(made.bins)
    assert views["ensemble"].figure.xaxis[0].axis_label == "strength of conv3"
    browser = FakeBrowser(inspector)
    browser.settle()
    assert len(browser.sections["metrics"]["rows"]) == len(made.bins)
    assert "3 runs, one network of each per bin" in browser.sections["metrics"]["note"]
    names = {"model": dx.demo.load("trained"), "inputs": images[:8]}
    exec(inspector.code(), names)
    assert np.allclose(names["networks"].fluctuation, made.found.fluctuation, rtol=0, atol=1e-10)
    assert np.allclose(names["networks"].strength_divergence, made.found.strength_divergence, rtol=0, atol=1e-10)
    inspector.set_by_name("network.compare", "weights")
    inspector.wait(60)
    assert views["ensemble"].figure.xaxis[0].axis_label == "link weights of conv3"


def test_neuron_strength_and_activation_are_what_layers_put_out(opened, model, digits):
    opened.set_by_name("network.shown", "neuron_strength")
    result = opened.wait(60).results["network"]
    with torch.no_grad():
        z = model[:3](digits[0])
    assert np.allclose(result.data.mean, z.mean(dim=0), atol=1e-5)
    assert np.sum(result.data.density * np.diff(result.data.edges)) == pytest.approx(1)
    assert "a reconstruction, without a null" in opened._panels["network"].views["distribution"].summary
    opened.set_by_name("network.shown", "neuron_activation")
    result = opened.wait(60).results["network"]
    assert result.data.label == "neuron activation of 3"
    assert np.allclose(result.data.mean, z.relu().mean(dim=0), atol=1e-5)
    names = {"model": model, "inputs": digits[0]}
    exec(opened.code(), names)
    assert np.allclose(names["neurons"].mean, result.data.mean, rtol=0, atol=1e-10)
    opened.layer = "5"
    with pytest.raises(DynExplorerError, match="No activation that is a layer of its own follows the nodes of '5'"):
        opened.wait(60)

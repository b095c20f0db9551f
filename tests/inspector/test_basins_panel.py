"""The Basins panel without a browser: what comes first, what comes later, and what is said where there is nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from fake_browser import FakeBrowser
from torch import nn

import dyn_explorer as dx
from dyn_explorer import DynExplorerError, History, analysis
from dyn_explorer.inspector.panels import BasinsPanel, Settings
from dyn_explorer.inspector.panels.basins import measure
from dyn_explorer.inspector.panels.basins.options import CURSORS, BasinsOptions

FEW = {"images": 12, "draws": 2}


@pytest.fixture
def network(digits):
    """Knows the forty digits by heart."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(6 * 36, 10))
    dx.demo.train(model, *digits, epochs=40, batch_size=20, learning_rate=1e-2)
    return model


@pytest.fixture
def open_basins(open_inspector, network, digits):
    """Open the panel, on few inputs."""

    def open_one(model=network, inputs=None, labels=digits[1], *, options=None, **more):
        inspector = open_inspector(model, inputs, labels, **more)
        inspector.load_state({**inspector.state(), "options": {"basins": {**FEW, **(options or {})}}})
        inspector.panel = "basins"
        return inspector

    return open_one


def test_both_sizes_stand_beside_their_nulls_and_the_code_rebuilds_them(open_basins, network, digits):
    inspector = open_basins().wait(120)
    result = inspector.results["basins"]
    assert result.whole
    names = {"model": network, "inputs": digits[0], "labels": digits[1]}
    exec(inspector.code(), names)
    assert names["s50"] == pytest.approx(result.basins["sample"].half_width, rel=1e-10)
    assert names["w50"] == pytest.approx(result.basins["weight"].half_width, rel=1e-10)
    assert (names["plane"].classes == result.chosen.plane.classes).all()
    assert names["weights"].accuracy.tolist() == result.basins["weight"].accuracy.tolist()
    assert set(result.nulls) == {"sample", "weight"}
    assert all(basin.target == "prediction" and basin.search == "grid" for basin in result.nulls.values())
    assert list(result.layers) == ["0", "3"]
    browser = FakeBrowser(inspector)
    browser.settle()
    section = browser.sections["metrics"]
    assert section["columns"] == ["size", "this model", "untrained copy, own answers"]
    assert section["rows"][0]["cells"][0] == f"{result.basins['sample'].half_width:.3g}"
    assert "…" not in str(section["rows"])
    assert all(browser.sections["summaries"].values())
    table = inspector.table()
    assert len(table) == 12
    sizes = table["S50 (2 draws)"].to_numpy()
    assert (np.diff(sizes[np.isfinite(sizes)]) >= 0).all()


def test_a_row_chooses_a_sample_and_the_slider_its_noise(open_basins, network, digits):
    inspector = open_basins().wait(120)
    browser = FakeBrowser(inspector)
    browser.settle()
    assert browser.sections["table"]["chooses"] == "sample"
    values = browser.sections["table"]["values"]
    assert sorted(values) == list(range(12))
    browser.set(sample=values[3])
    browser.set(**{"basins.sigma": 2.0})
    browser.settle()
    chosen = inspector.wait(60).results["basins"].chosen
    assert chosen.sample == values[3]
    assert inspector.results["basins"].sigma in CURSORS
    noisy = analysis.noisy_inputs(digits[0], sigma=inspector.results["basins"].sigma, draws=5)[:, values[3]]
    answers = analysis.predicted_classes(network, noisy)
    assert [picture.caption for picture in chosen.pictures[1:]] == [f"draw {k + 1}: {a}" for k, a in enumerate(answers)]
    assert [picture.right for picture in chosen.pictures[1:]] == (answers == int(digits[1][values[3]])).tolist()


def test_the_threshold_is_dragged_without_running_the_model_again(open_basins, monkeypatch):
    inspector = open_basins().wait(120)
    before = inspector.results["basins"]
    monkeypatch.setattr(measure, "RUN", {"sample": None, "weight": None})
    monkeypatch.setattr(BasinsPanel, "refine", lambda *_arguments: None)
    panel = inspector._panels["basins"]
    inspector.set_by_name("basins.threshold", 0.8)
    after = inspector.wait(60).results["basins"]
    assert after.basins["sample"].threshold == 0.8
    assert after.basins["sample"].half_width < before.basins["sample"].half_width
    assert panel.views["sample"]._threshold.location == 0.8
    assert after.nulls["weight"].threshold == 0.8  # what is known stays in view
    [slider] = [
        control for control in panel.controls(Settings.of(panel, inspector), after) if "threshold" in control["name"]
    ]
    assert slider["value"] == 0.8


def test_a_run_is_followed_and_its_points_choose_epochs(open_basins, network, digits):
    history = History(network, digits[0][:8], layers=["0"], checkpoints=True)
    for epoch in range(3):
        with torch.no_grad():
            network[3].weight.add_(0.1 * epoch * torch.randn_like(network[3].weight))
        history.record(epoch=epoch)
    inspector = open_basins(history=history).wait(120)
    result = inspector.results["basins"]
    assert [at.epoch for at in result.epochs] == [0, 1, 2]
    assert result.epochs[2].weight == pytest.approx(result.basins["weight"].half_width)
    assert result.epochs[2].sample == pytest.approx(result.basins["sample"].half_width)
    rows = inspector._panels["basins"].views["path"].rows
    browser = FakeBrowser(inspector)
    browser.touch(rows.selected, indices=[1])
    browser.settle()
    inspector.wait(120)
    assert inspector.epoch == 1
    assert inspector.results["basins"].basins["weight"].half_width == pytest.approx(result.epochs[1].weight)
    assert "history.state(1)" in inspector.code()
    names = {"model": network, "inputs": digits[0], "labels": digits[1], "history": history}
    exec(inspector.code(), names)
    assert names["w50"] == pytest.approx(inspector.results["basins"].basins["weight"].half_width, rel=1e-10)


def test_classes_have_the_names_that_the_person_gave_them(open_basins):
    inspector = open_basins(class_names=["nought", "one", "two"]).wait(120)
    labels = inspector._panels["basins"].views["class_weight"]._bars.data["label"]
    assert {"nought", "one", "two"} & set(labels)
    assert not {"0", "1", "2"} & set(labels)


def test_another_layer_costs_nothing(open_basins, monkeypatch):
    inspector = open_basins().wait(120)
    before = inspector.results["basins"]
    monkeypatch.setattr(measure, "RUN", {"sample": None, "weight": None})
    inspector.panel = "dynamics"
    inspector.layer = "1"
    inspector.wait(60)
    inspector.panel = "basins"
    inspector.wait(60)
    assert inspector.results["basins"].basins["weight"].half_width == before.basins["weight"].half_width


def test_an_untrained_model_is_undefined_in_words(open_basins, model):
    inspector = open_basins(model).wait(120)
    result = inspector.results["basins"]
    assert math.isnan(result.basins["sample"].half_width)
    panel = inspector._panels["basins"]
    assert "S50 is undefined: without noise the accuracy is" in panel.views["sample"].summary
    assert panel.metrics(result)["rows"][0]["cells"][0] == "undefined"
    assert "W50 is undefined: without noise" in panel.metrics(result)["note"]
    inspector.set_by_name("basins.target", "prediction")
    result = inspector.wait(120).results["basins"]
    assert result.basins["sample"].clean_accuracy == 1


def test_without_labels_it_says_what_to_choose(open_basins):
    inspector = open_basins(labels=None)
    with pytest.raises(DynExplorerError, match=r"there are no labels.*target=.prediction"):
        inspector.wait(60)
    browser = FakeBrowser(inspector)
    assert "there are no labels" in browser.sections["empty"]
    browser.set(**{"basins.target": "prediction"})
    browser.settle()
    result = inspector.wait(120).results["basins"]
    assert browser.sections["empty"] is None
    names = {"model": inspector._source.model, "inputs": inspector._source.recording.inputs, "labels": None}
    exec(inspector.code(), names)
    assert names["s50"] == pytest.approx(result.basins["sample"].half_width, rel=1e-10)


class Once(nn.Module):
    """Cannot be given new weights: its parameters are what a copy must keep."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        return self.head(x.flatten(1))

    def reset_parameters(self):
        raise DynExplorerError("this network keeps its weights")


def test_where_there_is_no_null_it_says_why(open_basins):
    inspector = open_basins(Once(), options={"target": "prediction"}).wait(120)
    result = inspector.results["basins"]
    section = inspector._panels["basins"].metrics(result)
    assert {row["cells"][1] for row in section["rows"]} == {"n/a"}
    assert "There is no null: this network keeps its weights." in section["note"]
    assert result.whole


class Tokens(nn.Module):
    """A classifier of whole numbers."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(20, 8)
        self.head = nn.Linear(8, 2)

    def forward(self, tokens):
        return self.head(self.embed(tokens).mean(1))


def test_whole_numbers_are_shown_in_weight_space(open_basins):
    tokens = torch.randint(0, 20, (16, 5))
    inspector = open_basins(Tokens(), tokens, None, options={"target": "prediction"}).wait(120)
    result = inspector.results["basins"]
    assert list(result.basins) == ["weight"]
    views = inspector._panels["basins"].views
    assert "Whole-number inputs bear no Gaussian noise" in views["sample"].summary
    assert result.basins["weight"].threshold == 0.75
    numbers = {entry["label"]: entry for entry in inspector._panels["basins"].numbers(result)}
    assert "with 2 classes 1/2 is chance" in numbers["threshold"]["help"]
    names = {"model": inspector._source.model, "inputs": tokens, "labels": None}
    exec(inspector.code(), names)
    assert names["w50"] == pytest.approx(result.basins["weight"].half_width, rel=1e-10)


def test_a_regression_is_refused_in_words(open_basins):
    inspector = open_basins(nn.Sequential(nn.Flatten(), nn.Linear(64, 1)))
    with pytest.raises(DynExplorerError, match="a regression has no classes to stay in"):
        inspector.wait(60)


def test_nothing_runs_beside_a_training_loop(open_basins, network):
    inspector = open_basins().wait(120)
    with torch.no_grad():
        network[0].weight.mul_(1.1)
    inspector.step(epoch=1)
    with pytest.raises(DynExplorerError, match="no forward pass runs beside a training loop"):
        inspector.wait(60)
    inspector.refresh()
    assert inspector.wait(120).results["basins"].whole


def test_the_slider_of_noise_has_stops():
    options = BasinsOptions()
    for given, kept in ((0.5, 0.47), (0, 0.01), (100, 16.0), (0.101, 0.1)):
        options.sigma = given
        assert options.sigma in CURSORS
        assert options.sigma == pytest.approx(kept, rel=0.15)

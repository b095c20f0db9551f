"""The Classes panel: separation beside its controls, taps, code, and what is said where something is missing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from fake_browser import FakeBrowser
from torch import nn

import dyn_explorer as dx
from dyn_explorer import DynExplorerError, analysis
from dyn_explorer.inspector.panels import Settings
from dyn_explorer.inspector.panels.classes.depth import _ticks


@pytest.fixture
def classes(open_inspector, model, digits):
    """An inspector with the Classes panel open, and its panel."""
    inspector = open_inspector(model, labels=digits[1])
    inspector.panel = "classes"
    inspector.wait(60)
    return inspector, inspector._panels["classes"]


def own_signals(model, images, name: str) -> np.ndarray:
    """Signals of a layer, from its outputs and the decomposition of its weight."""
    module = model.get_submodule(name)
    output = dx.record(model, images, layers=[name]).activations[name].double()
    vectors = torch.as_tensor(analysis.filter_svd(module.weight).left[0])
    signals = (output.movedim(1, -1) - module.bias.detach()) @ vectors
    return signals.flatten(1, -2).mean(dim=1)[:, :16].numpy() if signals.ndim > 2 else signals[:, :16].numpy()


def test_every_layer_with_directions_is_measured(classes, model, digits):
    inspector, _ = classes
    result = inspector.results["classes"]
    assert result.layers == ("0", "2", "5")
    for name, numbers in zip(result.layers, result.separation, strict=True):
        found = analysis.class_hypergraph(own_signals(model, digits[0], name), digits[1])
        assert numbers == pytest.approx(analysis.separation(found), rel=1e-6)
    table = inspector.table()
    assert table["hyperedge"].tolist() == list(result.found.edge_names())
    assert table["images"].tolist() == [4] * 32
    assert table["purity"].tolist() == result.found.purity.tolist()


def test_the_code_rebuilds_the_numbers(classes, model, digits):
    inspector, _ = classes
    for option, value in (("rule", "influence"), ("pool", "signed_max"), ("directions", 5), ("s", 2)):
        inspector.set_by_name(f"classes.{option}", value)
    inspector.layer = "0"
    result = inspector.wait(60).results["classes"]
    names = {"model": model, "inputs": digits[0], "labels": digits[1]}
    exec(inspector.code(), names)
    for name, numbers in zip(result.layers, result.separation, strict=True):
        assert names["separation"][name] == pytest.approx(numbers, rel=1e-10)
    np.testing.assert_allclose(names["class_jaccard"], result.found.class_jaccard, rtol=1e-10)
    assert names["components"].tolist() == inspector.table()["component"].tolist()
    null = result.controls.permuted[result.place]
    np.testing.assert_allclose(names["null"].values["purity"], null.values["purity"], rtol=1e-10)


def test_controls_are_drawn_beside_the_model(classes):
    inspector, panel = classes
    result = inspector.results["classes"]
    assert result.controls.random_values("purity").shape == (4, 3)
    assert len(result.controls.untrained) == 3
    lines = panel.views["purity"]._lines.data
    assert len(lines["xs"]) == 5
    assert lines["dash"].count("dashed") == 1
    browser = FakeBrowser(inspector)
    browser.settle()
    metrics = browser.sections["metrics"]
    assert metrics["columns"] == ["measure", "this model", "permuted labels", "untrained", "channels", "random basis"]
    assert metrics["rows"][0]["cells"][1].count("±") == 1
    assert metrics["nulls"] is True
    assert "permuted" in inspector.table().columns


def test_layers_stand_by_name_where_there_is_room_and_else_by_number():
    assert _ticks(("conv1", "head")) == ([(0.0, "conv1"), (1.0, "head")], "layer")
    ticks, label = _ticks(tuple(f"encoder.stages.{k}.convolution" for k in range(21)))
    assert [text for _, text in ticks] == [str(k) for k in range(1, 22, 2)]
    assert label == "number of the layer; the hover names it"


def test_marks_choose_layers_hyperedges_pairs_and_samples(classes):
    inspector, panel = classes
    browser = FakeBrowser(inspector)
    browser.settle()

    def tap(figure: str, index: int) -> None:
        browser.touch(panel.views[figure].rows.selected, indices=[index])
        browser.settle()
        inspector.wait(60)

    tap("purity", 0)
    assert inspector.layer == "0"
    tap("bars", 3)
    edge = panel.options.edge
    assert edge == inspector.results["classes"].found.barcode.edge[3]
    tap("images", 1)
    images = inspector.results["classes"].images
    assert inspector.sample == images[1]
    held = np.flatnonzero(inspector.results["classes"].found.incidence.toarray()[:, edge])
    assert sorted(images.tolist()) == held.tolist()
    tap("pairs", 1)
    result = inspector.results["classes"]
    assert result.pair == (0, 1)
    shares = inspector.table()[[f"share of {name}" for name in result.class_names[:2]]].to_numpy()
    np.testing.assert_allclose(shares, result.class_shares()[:, :2])
    assert any(number["label"].startswith("split by") for number in panel.numbers(result))
    tap("incidence", 0)
    assert panel.options.edge == panel.views["incidence"].rows.data["x"][0]
    found = inspector.results["classes"].found
    last, before = len(found.direction) - 1, (panel.options.edge, inspector.options("filters")["direction"])
    tap("incidence", int(np.flatnonzero(np.asarray(panel.views["incidence"].rows.data["x"]) == last)[0]))
    assert panel.options.edge == last
    assert inspector.options("filters")["direction"] == found.direction[last] > 0
    inspector.undo()
    assert (panel.options.edge, inspector.options("filters")["direction"]) == before
    assert browser.sections["table"]["chooses"] == "classes.edge"


def test_few_images_are_drawn_themselves_and_many_by_class(classes, open_inspector, model):
    inspector, _ = classes
    result = inspector.results["classes"]
    assert result.drawing.what == "images"
    found = result.found
    for drawn, images in zip(result.drawing.edges, found.hypergraph.edges(), strict=True):
        held = [result.class_names[code] for code in found.codes[images]]
        assert sorted(result.drawing.names[place] for place in drawn) == sorted(held)
    images, labels = dx.demo.digits("test")
    many = open_inspector(model, images[:70], labels[:70])
    many.set_by_name("classes.theta", 0.2)
    many.panel = "classes"
    result = many.wait(60).results["classes"]
    assert result.drawing.what == "classes"
    for drawn, shares in zip(result.drawing.edges, result.class_shares(), strict=True):
        assert drawn.tolist() == np.flatnonzero(shares >= 0.2).tolist()


def test_s_changes_nothing_but_components(classes, monkeypatch):
    inspector, panel = classes
    before = inspector.results["classes"]
    monkeypatch.setattr(dx.capture, "record", lambda *_arguments, **_options: pytest.fail("recorded again"))
    inspector.set_by_name("classes.s", 999)
    after = inspector.wait(60).results["classes"]
    assert after.s == 4  # the size of every hyperedge
    assert after.found is before.found
    [control] = [c for c in panel.controls(Settings.of(panel, inspector), after) if c["name"] == "classes.s"]
    assert (control["value"], control["max"]) == (4, 4)
    assert len(set(inspector.table()["component"])) == panel.views["bars"].rows.data["color"].count("#0072B2")


def test_without_labels_it_says_so_and_offers_predictions(open_inspector, model, digits):
    inspector = open_inspector(model)
    inspector.panel = "classes"
    with pytest.raises(DynExplorerError, match=r"no labels here.*or choose predicted classes at the left"):
        inspector.wait(60)
    browser = FakeBrowser(inspector)
    browser.settle()
    assert "choose predicted classes" in browser.sections["empty"]
    browser.set(**{"classes.labels": "predicted"})
    browser.settle()
    result = inspector.wait(60).results["classes"]
    predicted = model(digits[0]).argmax(dim=1).numpy()
    assert result.found.classes[result.found.codes].tolist() == predicted.tolist()
    names = {"model": model, "inputs": digits[0]}
    exec(inspector.code(), names)
    assert names["purity"].tolist() == result.found.purity.tolist()


def test_models_that_predict_no_classes_say_so(open_inspector, digits):
    inspector = open_inspector(nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU()))
    inspector.set_by_name("classes.labels", "predicted")
    inspector.panel = "classes"
    with pytest.raises(DynExplorerError, match="does not return one score per class and image"):
        inspector.wait(60)


def test_models_without_directions_say_so(open_inspector, digits):
    inspector = open_inspector(nn.Sequential(nn.MaxPool2d(2), nn.ReLU(), nn.Tanh()), labels=digits[1])
    inspector.panel = "classes"
    with pytest.raises(DynExplorerError, match="no linear layer or convolution that can be recorded"):
        inspector.wait(60)
    assert inspector.code().startswith("# There is no linear layer")


def test_one_class_is_refused_in_words(open_inspector, model, digits):
    inspector = open_inspector(model, labels=torch.zeros(40, dtype=torch.int64))
    inspector.panel = "classes"
    with pytest.raises(DynExplorerError, match=r"all 40 images are of one class \(0\)"):
        inspector.wait(60)


def test_class_names_stand_for_numbers_whatever_their_type(open_inspector, model, digits):
    inspector = open_inspector(model, labels=digits[1], class_names=[10, None, "two"])
    inspector.panel = "classes"
    result = inspector.wait(60).results["classes"]
    named = {0: "10", 1: "None", 2: "two"}
    assert list(result.class_names) == [named.get(label, str(label)) for label in result.found.classes.tolist()]


def test_layers_without_directions_show_the_last_one_before(classes):
    inspector, _ = classes
    inspector.layer = "3"
    assert inspector.wait(60).results["classes"].layer == "2"


def test_token_models_are_read_along_their_last_dimension(open_inspector):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 4)).eval()
    tokens = torch.randn(20, 7, 5)
    inspector = open_inspector(model, tokens, torch.arange(20) % 2)
    inspector.panel = "classes"
    result = inspector.wait(60).results["classes"]
    assert result.found.incidence.shape == (20, 8)
    assert result.pictures[0] is None or result.pictures[0].shape == (7, 5, 3)


def test_nothing_runs_beside_a_training_loop(open_inspector, model, digits):
    inspector = open_inspector(model, labels=digits[1])
    inspector.step(loss=1.0)
    inspector.panel = "classes"
    with pytest.raises(DynExplorerError, match="no forward pass runs beside a training loop"):
        inspector.wait(60)
    inspector.refresh()
    assert inspector.wait(60).results["classes"].controls is not None

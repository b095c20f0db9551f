"""Profiles in the Filters panel: the numbers drawn, their Python, taps, and what is said where there are none."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from fake_browser import FakeBrowser
from torch import nn

from dyn_explorer.analysis import class_profiles, profile_similarity
from dyn_explorer.inspector.panels.filters import profile
from dyn_explorer.inspector.panels.filters.options import KINDS


@pytest.fixture
def inspector(open_inspector, model, digits):
    inspector = open_inspector(model, labels=digits[1]).wait(60)
    inspector.panel = "filters"
    inspector.layer = "2"
    return inspector.wait(60)


@pytest.mark.parametrize("kind", [key for key, _, _ in KINDS if key != "off"])
def test_the_code_rebuilds_the_profiles(inspector, model, digits, kind):
    inspector.set_by_name("filters.profile", kind)
    inspector.set_by_name("filters.tau", 0.4)
    found = inspector.wait(60).results["filters"].profiles
    names = {"model": model, "inputs": digits[0], "labels": digits[1]}
    exec(inspector.code(), names)
    whole = names["profiles"]
    assert found.found.weights == pytest.approx(whole.weights[:, found.neurons], rel=1e-10)
    assert found.found.weights.sum() == pytest.approx(whole.weights.sum(), rel=1e-10)  # nothing is left out
    assert found.total == whole.weights.shape[1]
    assert found.similarity == pytest.approx(names["profile_similarity"], rel=1e-10)
    classes = found.classes
    assert classes.profiles.weights == pytest.approx(names["class_profiles"].weights[:, found.neurons], rel=1e-10)
    assert classes.similarity == pytest.approx(names["class_similarity"], rel=1e-10)
    for name in ("within", "between", "null", "by_class"):
        mine, theirs = (getattr(each, name) for each in (classes.separation, names["profile_separation"]))
        np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-12)
    everyone = class_profiles(whole, np.zeros(40, int)).weights[:, found.neurons]
    assert found.everyone.weights == pytest.approx(everyone, rel=1e-10)
    assert len(set(found.names())) == len(found.neurons)


def test_an_element_is_named_by_its_channel_and_place(inspector, model, digits):
    inspector.set_by_name("filters.profile", "element")
    found = inspector.wait(60).results["filters"].profiles
    outputs = model[:3](digits[0]).detach()
    first = int(found.found.weights[5].argmax())
    channel, place = divmod(int(found.neurons[first]), 16)
    assert outputs[5, channel].flatten().argmax() == place
    assert found.names()[first] == f"{channel} ({place // 4}, {place % 4})"
    inspector.set_by_name("filters.profile", "spatial")
    found = inspector.wait(60).results["filters"].profiles
    strongest = int(outputs[5].norm(dim=0).flatten().argmax())
    assert found.names()[int(found.found.weights[5].argmax())] == f"({strongest // 4}, {strongest % 4})"


def test_an_element_of_a_layer_without_positions_is_a_channel(inspector):
    inspector.layer = "5"
    inspector.set_by_name("filters.profile", "element")
    found = inspector.wait(60).results["filters"].profiles
    assert found.grid == ()
    assert found.names() == [str(channel) for channel in found.neurons]
    assert [axis.axis_label for axis in inspector._panels["filters"].views["profile"].figure.xaxis] == ["channel"]


def test_the_figures_show_the_input_beside_its_class_and_taps_choose(inspector, digits):
    inspector.sample = 7
    inspector.set_by_name("filters.profile", "svd")
    browser = FakeBrowser(inspector)
    browser.settle()
    views, result = inspector._panels["filters"].views, inspector.results["filters"]
    found, label = result.profiles, int(digits[1][7])
    code = found.classes.codes[7]
    assert found.classes.names[code] == str(label)
    bars = views["profile"].rows.data
    order = [found.names().index(name.removeprefix("direction ")) for name in bars["name"]]
    assert bars["own"] == pytest.approx(found.found.weights[7][order])
    assert bars["class_"] == pytest.approx(found.classes.profiles.weights[code][order])
    size = int((digits[1] == label).sum())
    assert bars["class_text"][0].endswith(f"in {found.classes.profiles.counts[code][order[0]]} of {size}")
    grid = views["alike"]
    samples = [row - 1 for row in grid.rows.data["row"]]
    assert sorted(samples) == list(range(40))
    sorted_labels = digits[1][samples].tolist()
    assert sorted_labels == sorted(sorted_labels)
    [image] = grid._map.data["image"]
    assert image[::-1] == pytest.approx(found.similarity[np.ix_(samples, samples)], abs=1e-6)
    separation = found.classes.separation
    assert f"{separation.within:.3f} within classes and {separation.between:.3f} between" in grid.summary
    assert "with permuted labels (20 draws)" in grid.summary
    browser.touch(grid.rows.selected, indices=[3])
    browser.settle()
    assert inspector.sample == samples[3]
    assert grid._chosen.data["y"] == pytest.approx([40 - 3 - 0.5])
    browser.touch(views["profile"].rows.selected, indices=[0])
    browser.settle()
    assert inspector.results["filters"].direction == int(found.neurons[found.found.weights[samples[3]].argmax()])
    shown = {each["label"]: each["value"] for each in inspector._panels["filters"].numbers(result)}
    assert shown["profiles"].startswith(f"{separation.difference:+.3f}; null")


def test_classes_are_compared_and_a_tap_chooses_the_input_most_like_one(inspector, digits):
    browser = FakeBrowser(inspector)
    browser.set(**{"filters.compare": "classes"})
    browser.settle()
    view, found = inspector._panels["filters"].views["alike"], inspector.results["filters"].profiles
    [image] = view._map.data["image"]
    assert image[::-1] == pytest.approx(found.classes.similarity, abs=1e-6)
    browser.touch(view.rows.selected, indices=[2])
    browser.settle()
    assert inspector.sample == found.classes.exemplars[2]
    near = profile_similarity(found.found, found.classes.profiles)[:, 2]
    mine = np.flatnonzero(digits[1].numpy() == np.unique(digits[1])[2])
    assert inspector.sample in mine
    assert near[inspector.sample] == near[mine].max()


def test_profiles_come_after_the_layer_and_once(inspector, monkeypatch):
    calls = []
    whole = profile.analysis.profiles
    monkeypatch.setattr(profile.analysis, "profiles", lambda *a, **k: calls.append(k) or whole(*a, **k))
    inspector.sample = 3
    inspector.wait(60)
    inspector.set_by_name("filters.direction", 2)
    inspector.wait(60)
    assert calls == []
    inspector.set_by_name("filters.profile", "off")
    result = inspector.wait(60).results["filters"]
    view = inspector._panels["filters"].views["alike"]
    assert (result.profiles, calls) == (None, [])
    assert (view.summary, view.figure.visible) == ("Profiles are off; choose a kind at the left.", False)
    assert "profile" not in inspector.code()
    inspector.set_by_name("filters.profile", "spatial")
    inspector.wait(60)
    assert [call["kind"] for call in calls] == ["spatial"]
    assert view.figure.visible


def test_without_labels_the_profile_of_the_input_is_there_alone(open_inspector, model, digits):
    inspector = open_inspector(model).wait(60)
    inspector.panel = "filters"
    inspector.wait(60)
    views = inspector._panels["filters"].views
    assert views["alike"].summary.startswith("No labels, so no classes to compare: open the model with dx.explore(")
    assert not views["alike"].figure.visible
    assert views["profile"].rows.data["class_text"][0] == "n/a"
    exec(inspector.code(), {"model": model, "inputs": digits[0]})
    inspector = open_inspector(model, labels=torch.ones(40, dtype=int)).wait(60)
    inspector.panel = "filters"
    inspector.wait(60)
    assert "all 40 images are of one class (1)" in inspector._panels["filters"].views["alike"].summary


def test_why_there_are_no_profiles_is_said(open_inspector, model, monkeypatch):
    inspector = open_inspector(model).wait(60)
    inspector.panel = "filters"
    inspector.layer = "5"
    inspector.set_by_name("filters.profile", "spatial")
    reason = inspector.wait(60).results["filters"].profiles_reason
    assert reason == 'these outputs have no positions, so there is no kind "spatial"; use "channel"'
    assert inspector._panels["filters"].views["profile"].summary == f"No profiles: {reason}"
    monkeypatch.setattr(profile, "MOST_SCORES", 10)
    inspector.set_by_name("filters.profile", "element")
    reason = inspector.wait(60).results["filters"].profiles_reason
    assert reason == "400 elements are too many to sort along; use analysis.profiles on fewer inputs."


def test_a_folded_layer_has_the_profile_of_its_scaled_outputs(open_inspector, model, digits):
    model.insert(1, nn.BatchNorm2d(12).eval())
    with torch.no_grad():
        model[1].running_var.uniform_(0.2, 3)
    inspector = open_inspector(model, labels=digits[1]).wait(60)
    inspector.panel = "filters"
    inspector.layer = "0"
    inspector.set_by_name("filters.profile", "svd")
    plain = inspector.wait(60).results["filters"].profiles
    inspector.set_by_name("filters.fold_batchnorm", True)
    folded = inspector.wait(60).results["filters"].profiles
    names = {"model": model, "inputs": digits[0], "labels": digits[1]}
    exec(inspector.code(), names)
    assert folded.found.weights == pytest.approx(names["profiles"].weights[:, folded.neurons], rel=1e-10)
    assert folded.found.weights.shape != plain.found.weights.shape or (
        np.abs(folded.found.weights - plain.found.weights).max() > 1e-3
    )

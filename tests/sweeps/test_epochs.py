"""Measures followed through a training run: the numbers of a sweep over its epochs, or why there are none."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import dyn_explorer as dx
from dyn_explorer import DynExplorerError, History
from dyn_explorer.errors import Cancelled
from dyn_explorer.sweeps.epochs import findings_at
from dyn_explorer.sweeps.measures import FAMILIES, FOLLOWED

CHEAP = ("accuracy", "entropy_share", "stable_rank", "spikes", "link_std", "in_strength_fluctuation", "purity")


@pytest.fixture(scope="module")
def digits():
    images, labels = dx.demo.digits("test")
    return images[:60], labels[:60]


@pytest.mark.parametrize("measure", CHEAP)
def test_a_trend_has_the_numbers_of_a_sweep_over_the_same_epochs(digits, measure):
    history = dx.demo.history()
    trend = dx.measure_trend(dx.demo.small_cnn(), history, measure, *digits, "conv2", epochs=[0, 8])
    swept = [
        dx.sweep(
            {"then": lambda epoch=epoch: dx.capture.copy_with(dx.demo.small_cnn(), history.state(epoch), "then")},
            *digits,
            measure,
            layers="conv2",
        )
        for epoch in (0, 8)
    ]
    rows = [table[table.layer.isin(["conv2", ""])].iloc[0] for table in swept]
    assert trend["value"].tolist() == pytest.approx([row["value"] for row in rows], rel=1e-12)
    assert np.isfinite(trend["null"]).all()
    if measure == "accuracy":  # its null and that of the weights depend on no seed
        assert trend["null"].tolist() == pytest.approx([row["null"] for row in rows])


def test_units_are_read_from_the_recorded_responses_alone():
    history = dx.demo.history()
    trend = dx.measure_trend(None, history, "unit_jaccard_ratio", layer="relu3", epochs=[0, 60, 120])
    expected = [
        dx.analysis.class_hypergraph(history.trace("relu3", epoch), history.probe_labels).jaccard_ratio
        for epoch in (0, 60, 120)
    ]
    assert trend["value"].tolist() == pytest.approx(expected, rel=1e-12)
    assert trend["value"].iloc[-1] > trend["null"].iloc[-1]


def test_units_of_a_model_are_those_that_a_history_of_it_keeps(digits):
    model = dx.demo.load("trained")
    history = History(model, *digits, dtype="float32")
    history.record(epoch=0)
    (found, _) = findings_at(history, 0, FOLLOWED["unit_purity"], layer="conv3")
    table = dx.sweep({"a": model}, *digits, "unit_purity").set_index("layer")
    assert table.loc["conv3", "value"] == pytest.approx(found.value, rel=1e-12)


def test_only_the_layer_that_is_asked_for_is_measured(digits):
    history, model = dx.demo.history(), dx.demo.small_cnn()
    for measure in ("alpha", "link_mean", "purity", "entropy_share"):
        found = findings_at(history, 8, FOLLOWED[measure], model, *digits, layer="conv2")
        assert {each.layer for each in found} == {"conv2"}, measure


def test_every_followed_measure_is_found_by_its_family_and_told_in_words():
    for family in FAMILIES.values():
        assert set(family.words) <= set(family.measures)
        assert bool(family.words) == bool(family.title), family.name
    labels = [family.words[measure].label for measure, family in FOLLOWED.items()]
    assert len(set(labels)) == len(labels)
    assert all(family.words[measure].help and family.words[measure].null for measure, family in FOLLOWED.items())


def test_what_cannot_be_followed_is_said_in_words(digits):
    model = dx.demo.small_cnn()
    bare = History(model, digits[0][:8], layers=["conv1"])
    bare.record(epoch=0)
    with pytest.raises(DynExplorerError, match=r"holds no weights, and power-law exponent α needs them: .*checkpoints"):
        dx.measure_trend(model, bare, "alpha", digits[0], layer="conv1")
    with pytest.raises(DynExplorerError, match=r"no labels of its probe inputs.*probe_labels"):
        dx.measure_trend(model, bare, "unit_purity", layer="conv1")
    with pytest.raises(DynExplorerError, match="'conv9' was not followed by this history; it followed relu1"):
        dx.measure_trend(None, dx.demo.history(), "unit_purity", layer="conv9")
    with pytest.raises(DynExplorerError, match="there is no measure 'alhpa' to follow"):
        dx.measure_trend(model, bare, "alhpa")
    with pytest.raises(DynExplorerError, match="'alpha' is measured layer by layer; name the `layer`"):
        dx.measure_trend(model, dx.demo.history(), "alpha", digits[0])
    trend = dx.measure_trend(model, dx.demo.history(), "alpha", digits[0], layer="relu1", epochs=[8])
    assert trend["error"].tolist() == [
        "power-law exponent α is measured in a linear layer or convolution, and 'relu1' is none; choose another layer"
    ]
    assert np.isnan(trend["value"]).all()
    trend = dx.measure_trend(model, dx.demo.history(), "accuracy", digits[0], epochs=[8])
    assert "accuracy needs `labels`" in trend["error"].iloc[0]
    with pytest.raises(DynExplorerError, match="epoch 8"):
        dx.measure_trend(torch.nn.Linear(3, 2), dx.demo.history(), "alpha", digits[0], layer="conv1", epochs=[8])


def test_it_can_be_cancelled_and_tells_how_far_it_is(digits):
    import threading

    told = []
    cancel = threading.Event()

    def progress(done, text):
        told.append((done, text))
        cancel.set()

    with pytest.raises(Cancelled):
        dx.measure_trend(
            dx.demo.small_cnn(), dx.demo.history(), "stable_rank", digits[0], layer="conv1", cancel=cancel,
            progress=progress,
        )  # fmt: skip
    assert told == [(1 / 9, "measured epoch 0")]

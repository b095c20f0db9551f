"""Rank alignment against scikit-learn, an obvious slow version, and permuted labels."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

from dyn_explorer import DynExplorerError, analysis


def drawn(seed: int = 0, samples: int = 120, neurons: int = 30, classes: int = 4):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(samples) % classes)
    return rng.standard_normal((samples, neurons)), rng.standard_normal((classes, neurons)), labels


def auc(fields, readout, labels) -> np.ndarray:
    expected = np.full(readout.shape, np.nan)
    for k, i in zip(*np.nonzero(readout), strict=True):
        expected[k, i] = 2 * roc_auc_score(labels == k, np.sign(readout[k, i]) * fields[:, i]) - 1
    return expected


@pytest.mark.parametrize("levels", [None, 3])
def test_the_gradient_is_two_auc_minus_one_with_and_without_ties(levels):
    fields, readout, labels = drawn()
    if levels:
        fields = np.round(levels * fields / np.abs(fields).max())
    readout[2, 5] = 0
    aligned = analysis.rank_alignment(fields, torch.tensor(readout), labels)
    np.testing.assert_allclose(aligned.gradient, auc(fields, readout, labels), atol=1e-12)
    assert aligned.reason == "1 of 120 readout weights are 0"


def test_the_density_is_the_histogram_of_ranks():
    fields, readout, labels = drawn()
    aligned = analysis.rank_alignment(fields, readout, labels, bins=6)
    for k in range(4):
        ranks = rankdata(np.sign(readout[k]) * fields, axis=0)[labels == k]
        counted = np.histogram((ranks - 0.5) / len(fields), bins=6, range=(0, 1), density=True)[0]
        np.testing.assert_allclose(aligned.density[k], counted, atol=1e-12)
    np.testing.assert_allclose(aligned.mean_density, aligned.density.mean(axis=0), atol=1e-12)


def test_the_gradient_is_the_slope_of_the_density():
    fields, readout, labels = drawn()
    fields[labels == 1] += np.sign(readout[1])
    aligned = analysis.rank_alignment(fields, readout, labels, bins=120)  # one bin per rank
    middle = (np.arange(120) + 0.5) / 120
    slopes = 2 * (aligned.density @ middle / 120 - 0.5) / (1 - aligned.counts / 120)
    np.testing.assert_allclose(slopes, aligned.class_gradient, atol=1e-12)
    assert aligned.layer_gradient == pytest.approx(aligned.gradient.mean(), abs=1e-12)


@given(st.integers(2, 30), st.integers(2, 9), st.integers(0, 99))
def test_any_density_is_one_on_average_whatever_the_ties(samples, bins, seed):
    rng = np.random.default_rng(seed)
    fields, readout = rng.integers(0, 3, (samples, 7)), rng.standard_normal((2, 7))
    labels = np.arange(samples) % 2
    aligned = analysis.rank_alignment(fields, readout, labels, bins=bins)
    np.testing.assert_allclose(aligned.density.mean(axis=1), 1, atol=1e-12)


def test_perfect_and_reversed_orders():
    labels = np.repeat([0, 1], 5)
    fields = np.stack([labels, -labels], axis=1) + np.linspace(0, 0.1, 10)[:, None]
    assert analysis.rank_alignment(fields, [[-1, 1], [1, -1]], labels).gradient.tolist() == [[1, 1], [1, 1]]
    assert analysis.rank_alignment(fields, [[1, -1], [-1, 1]], labels).gradient.tolist() == [[-1, -1], [-1, -1]]


def test_a_rescaled_neuron_has_the_same_alignment():
    fields, readout, labels = drawn()
    scale = np.random.default_rng(1).uniform(0.1, 9, 30)
    before, after = (
        analysis.rank_alignment(*pair, labels) for pair in ((fields, readout), (fields * scale, readout / scale))
    )
    assert np.array_equal(before.gradient, after.gradient)
    assert np.array_equal(before.density, after.density)


def test_ties_in_the_order_of_samples_and_columns_in_any_block(monkeypatch):
    fields, readout, labels = drawn()
    whole = analysis.rank_alignment(fields, readout, labels)
    monkeypatch.setattr(sys.modules[analysis.rank_alignment.__module__], "_ENTRIES_AT_ONCE", 500)
    parts = analysis.rank_alignment(fields, readout, labels)
    np.testing.assert_allclose(parts.density, whole.density, atol=1e-12)
    assert np.array_equal(parts.gradient, whole.gradient)
    tied = analysis.rank_alignment(np.zeros((4, 1)), [[1], [1]], [0, 0, 1, 1], ties="arbitrary", bins=2)
    assert tied.gradient.ravel().tolist() == [-1, 1]
    assert analysis.rank_alignment(np.zeros((4, 1)), [[1], [1]], [0, 0, 1, 1]).gradient.ravel().tolist() == [0, 0]


def test_nulls_are_the_deviations_under_permuted_labels_and_signs():
    fields, readout, labels = drawn(samples=90)
    fields += fields[:, :1]  # neurons that are correlated
    labels[:20] = 0  # classes of different sizes
    rng = np.random.default_rng(2)
    aligned = analysis.rank_alignment(fields, readout, labels, bins=5)
    permuted = [analysis.rank_alignment(fields, readout, rng.permutation(labels), bins=5) for _ in range(1500)]

    def spread(name):
        return np.std([getattr(one, name) for one in permuted], axis=0)

    np.testing.assert_allclose(spread("gradient").mean(axis=1), aligned.null_sd, rtol=0.05)
    np.testing.assert_allclose(spread("density"), aligned.density_sd, rtol=0.1)
    np.testing.assert_allclose(spread("mean_density"), aligned.mean_density_sd, rtol=0.1)
    assert spread("layer_gradient") == pytest.approx(aligned.layer_null_sd, rel=0.08)
    np.testing.assert_allclose(spread("class_gradient"), aligned.class_null_sd, rtol=0.1)


def test_nulls_are_the_deviations_under_signs_that_change():
    fields, readout, labels = drawn(samples=90)
    rng = np.random.default_rng(3)
    aligned = analysis.rank_alignment(fields, readout, labels)
    flipped = [analysis.rank_alignment(fields, readout * rng.choice([-1, 1], 30), labels, bins=2) for _ in range(1500)]
    assert np.std([one.layer_gradient for one in flipped]) == pytest.approx(aligned.sign_null_sd, rel=0.08)
    spread = np.std([one.class_gradient for one in flipped], axis=0)
    np.testing.assert_allclose(spread, aligned.class_sign_sd, rtol=0.1)
    groups = np.arange(30) // 5
    together = [
        analysis.rank_alignment(fields, readout * rng.choice([-1, 1], 6)[groups], labels, bins=2).layer_gradient
        for _ in range(1500)
    ]
    expected = analysis.rank_alignment(fields, readout, labels, groups=groups).sign_null_sd
    assert np.std(together) == pytest.approx(expected, rel=0.08)


def test_untrained_features_tell_classes_apart_and_their_readout_does_not_use_it():
    from dyn_explorer import demo

    images, labels = demo.digits("train")
    network = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10)
    )
    fields, readout = network[:2](images), analysis.linear_map(network, "1", (1, 8, 8))
    aligned = analysis.rank_alignment(fields, readout, labels)
    above, below = aligned.shares()
    assert above > 0.2
    assert below > 0.2
    assert (np.abs(aligned.gradient) <= 3 * aligned.sign_sd[:, None]).mean() >= 0.99
    assert abs(aligned.layer_gradient) < 3 * aligned.sign_null_sd
    permuted = analysis.rank_alignment(fields, readout, labels[torch.randperm(len(labels))])
    assert (np.abs(permuted.gradient) <= 3 * permuted.null_sd[:, None]).mean() >= 0.99


def test_without_a_trace_of_class_nothing_is_beyond_three_deviations():
    inputs = torch.randn(1000, 64)
    labels = torch.arange(1000) % 10
    network = torch.nn.Sequential(torch.nn.Linear(64, 256), torch.nn.ReLU(), torch.nn.Linear(256, 10))
    aligned = analysis.rank_alignment(network[0](inputs), network[2].weight, labels)
    inside = np.abs(aligned.gradient) <= 3 * aligned.null_sd[:, None]
    assert inside.mean() >= 0.99
    assert abs(aligned.layer_gradient) < 3 * aligned.layer_null_sd
    assert aligned.beyond_chance().mean() < 0.01


def test_what_is_undefined_is_nan_with_its_reason():
    fields, readout, labels = drawn(classes=3)
    readout = np.concatenate([readout, readout[:1]])
    aligned = analysis.rank_alignment(fields, readout, labels)
    assert np.isnan(aligned.gradient[3]).all()
    assert np.isnan(aligned.density[3]).all()
    assert np.isnan(aligned.null_sd[3])
    assert aligned.reason == "no sample, or every sample, is of class 3"
    assert np.isfinite(aligned.layer_gradient)
    nothing = analysis.rank_alignment(fields, readout, np.zeros(120, int))
    assert np.isnan([nothing.layer_gradient, nothing.layer_null_sd, nothing.sign_null_sd]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": None}, r"`labels` \(=None\): this compares classes, so it needs the class of each sample"),
        ({"labels": np.zeros(120)}, "`labels` of dtype float64 must be whole numbers"),
        ({"labels": np.zeros(7, int)}, r"`labels` of shape \(7,\) must have one entry per sample: \(120,\)"),
        ({"labels": np.full(120, 4)}, "`labels` run from 4 to 4, and there are 4 classes: 0 to 3"),
        ({"readout": np.ones((4, 3))}, "`fields` has 30 neurons and `readout` reads 3"),
        ({"fields": np.full((120, 30), np.nan)}, "`fields` holds 3600 NaN or infinite values of 3600"),
        ({"fields": np.ones(120)}, r"`fields` of shape \(120,\) must be a real matrix"),
        ({"bins": 1}, r"`bins` \(=1\) must be a whole number of at least 2"),
        ({"groups": [0, 1]}, r"`groups` of shape \(2,\) must have one entry per neuron: \(30,\)"),
        ({"ties": "first"}, r"`ties` \(='first'\) must be one of 'average', 'arbitrary'"),
    ],
)
def test_bad_input_is_refused_in_words(change, message):
    fields, readout, labels = drawn()
    with pytest.raises(DynExplorerError, match=message):
        analysis.rank_alignment(**{"fields": fields, "readout": readout, "labels": labels, **change})

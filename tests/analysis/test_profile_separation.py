"""Similarity of profiles within and between classes: pair by pair, and what permuted labels leave of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dyn_explorer import DynExplorerError
from dyn_explorer.analysis import filter_svd, profile_separation, profile_similarity, profiles


def test_means_are_those_of_a_loop_over_pairs():
    generator = np.random.default_rng(0)
    values = generator.random((9, 9))
    values = (values + values.T) / 2
    values[2, 5] = values[5, 2] = np.nan
    labels = ["b", "a", "b", "c", "a", "b", "a", "a", "b"]
    found = profile_separation(values, labels, permutations=5)
    pairs = [(i, j) for i in range(9) for j in range(i) if np.isfinite(values[i, j])]
    same = [values[i, j] for i, j in pairs if labels[i] == labels[j]]
    other = [values[i, j] for i, j in pairs if labels[i] != labels[j]]
    assert found.within == pytest.approx(np.mean(same), rel=1e-12)
    assert found.between == pytest.approx(np.mean(other), rel=1e-12)
    assert found.difference == pytest.approx(np.mean(same) - np.mean(other), rel=1e-12)
    assert found.classes.tolist() == ["a", "b", "c"]
    mixed = [values[i, j] for i, j in pairs if {labels[i], labels[j]} == {"a", "b"}]
    assert found.by_class[0, 1] == found.by_class[1, 0] == pytest.approx(np.mean(mixed), rel=1e-12)
    assert np.isnan(found.by_class[2, 2])  # one input of that class is no pair
    assert len(found.null) == 5


def test_classes_that_drive_other_neurons_separate_and_permuted_labels_do_not():
    generator = np.random.default_rng(1)
    labels = np.repeat(np.arange(4), 15)
    outputs = 0.3 * generator.random((60, 12, 3))
    for k, label in enumerate(labels):
        outputs[k, 3 * label : 3 * label + 3] += 1
    found = profile_separation(profile_similarity(profiles(outputs, kind="channel", tau=0.5)), labels, permutations=99)
    assert found.within > found.between + 0.3
    assert found.difference > found.null.max()
    assert abs(found.null.mean()) < 0.02
    mixed = profile_separation(profile_similarity(profiles(outputs, kind="channel", tau=0.5)), np.arange(60) % 4)
    assert abs(mixed.difference - mixed.null.mean()) < 4 * mixed.null.std()


def test_profiles_of_a_folded_layer_are_those_of_its_scaled_outputs():
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(5, 6, 4, 4, generator=generator, dtype=torch.float64)
    scale, bias = torch.rand(6, generator=generator).double() + 0.5, torch.randn(6, generator=generator).double()
    found = filter_svd(torch.randn(6, 9, generator=generator).double() * scale[:, None])
    folded = profiles(outputs, directions=found, scale=scale, bias=bias, tau=0.4)
    scaled = profiles(outputs * scale[:, None, None], directions=found, bias=bias, tau=0.4)
    np.testing.assert_allclose(folded.weights, scaled.weights, rtol=1e-10)


def test_bad_input_is_answered_in_words():
    with pytest.raises(DynExplorerError, match=r"`similarity` of shape \(2, 3\) must be square"):
        profile_separation(np.ones((2, 3)), [0, 1])
    with pytest.raises(DynExplorerError, match="all 2 images are of one class"):
        profile_separation(np.ones((2, 2)), [1, 1])
    alone = profile_separation(np.eye(2), [0, 1], permutations=1)
    assert np.isnan(alone.within)
    assert alone.between == 0

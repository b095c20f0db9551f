"""Networks in bins of accuracy: who stands for a bin, and what their pooled densities say."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from dyn_explorer import DynExplorerError
from dyn_explorer.analysis import (
    AffineLayer,
    LayerGraph,
    accuracy_bins,
    ensemble,
    jensen_shannon,
    layer_fluctuation,
    strength_null,
)
from dyn_explorer.errors import Cancelled


def network(spread: float, rows: float = 0.0) -> LayerGraph:
    weight = spread * torch.randn(30, 40) + rows * torch.randn(30, 1)
    return LayerGraph.chain([AffineLayer(weight, torch.zeros(30)), AffineLayer(spread * torch.randn(5, 30))])


def test_each_run_stands_once_in_a_bin_by_its_first_snapshot():
    scores, runs = [0.0, 0.3, 0.35, 0.9, 1.0, 0.32, 1.2], ["a", "a", "a", "a", "b", "b", "b"]
    assert accuracy_bins(scores, runs, [0, 0.25, 0.5, 1.0]) == [[0], [1, 5], [3, 4]]


def test_pools_are_what_the_networks_hold():
    bins = [[network(1.0), network(1.0)], [network(1.0, rows=1.0)]]
    found = ensemble(bins, shuffles=3, seed=2)
    assert found.counts == (2, 1)
    assert found.smallest == (40, 30, 5)
    pools = [np.concatenate([graph.strength(1).numpy() for graph in members]) for members in bins]
    assert np.allclose(found.strength_divergence[1], jensen_shannon(pools), atol=1e-12)
    weights = [np.concatenate([np.append(g.links[0].layer.weight, g.links[0].layer.bias) for g in m]) for m in bins]
    assert np.allclose(found.weight_divergence[0], jensen_shannon(weights), atol=1e-12)
    edges, density = found.strengths[1]
    assert (density * np.diff(edges)).sum(axis=1) == pytest.approx([1, 1])
    own = [layer_fluctuation(graph.strengths()) for graph in bins[0]]
    null = [strength_null(graph, shuffles=3, seed=2).mean for graph in bins[0]]
    assert found.fluctuation[0] == pytest.approx(np.mean(own, axis=0))
    assert found.ratio[0] == pytest.approx(np.mean(np.array(own) / null, axis=0))


def test_rows_show_in_strengths_beside_their_null():
    found = ensemble([[network(1.0) for _ in range(3)], [network(1.0, rows=1.0) for _ in range(3)]])
    assert found.ratio[0] == pytest.approx(np.ones(3), abs=0.35)
    assert found.ratio[1, 1] > 3
    assert found.strength_divergence[1, 0, 1] > found.weight_divergence[0, 0, 1] + 0.2


def test_networks_that_cannot_be_compared():
    with pytest.raises(DynExplorerError, match=r"`bins` holds \[1, 0\] networks; give at least two bins"):
        ensemble([[network(1.0)], []])
    with pytest.raises(DynExplorerError, match="differ in their node layers"):
        ensemble([[network(1.0)], [LayerGraph.chain([AffineLayer(torch.ones(2, 3))])]])
    with pytest.raises(DynExplorerError, match=r"`runs` has 1 entries and must have one for each of the 2 scores"):
        accuracy_bins([0.1, 0.2], ["a"], [0, 1])
    with pytest.raises(DynExplorerError, match=r"`edges` \(=\[1, 0\]\) must grow"):
        accuracy_bins([0.1], ["a"], [1, 0])
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled, match="comparison of networks was cancelled"):
        ensemble([[network(1.0)], [network(1.0)]], cancel=cancel)

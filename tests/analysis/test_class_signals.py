"""From outputs of a layer to signals, bases, permuted labels and exports."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import xgi
from torch import nn

from dyn_explorer.analysis import (
    class_hypergraph,
    direction_basis,
    filter_svd,
    pooled_signals,
    separation,
    separation_null,
)
from dyn_explorer.analysis.class_separation import class_counts, class_jaccard_sums, jaccard_means, purity
from dyn_explorer.errors import DynExplorerError


@pytest.fixture
def labels():
    return np.random.default_rng(1).integers(0, 3, 50)


@pytest.fixture
def found(labels):
    return class_hypergraph(np.random.default_rng(0).standard_normal((50, 5)), labels, rule="influence", tau=0.3)


# ---------------------------------------------------------------- bases


@pytest.mark.parametrize("kind", ["svd", "channel", "random"])
@pytest.mark.parametrize(
    ("shape", "groups", "transposed"), [((6, 4, 3, 3), 1, False), ((6, 2, 3), 3, False), ((4, 3, 2, 2), 2, True)]
)
def test_bases_are_orthonormal_and_their_gains_are_lengths(kind, shape, groups, transposed):
    weight = torch.tensor(np.random.default_rng(2).standard_normal(shape))
    basis = direction_basis(weight, kind=kind, groups=groups, transposed=transposed)
    np.testing.assert_allclose(basis.vectors.T @ basis.vectors, np.eye(basis.vectors.shape[1]), atol=1e-12)
    convolve = {
        (3, False): nn.functional.conv1d,
        (4, False): nn.functional.conv2d,
        (4, True): nn.functional.conv_transpose2d,
    }
    inputs = torch.eye((shape[0] if transposed else shape[1] * groups), dtype=torch.float64)
    one_hot = inputs.reshape(*inputs.shape, *[1] * (len(shape) - 2))
    padding = {} if transposed else {"padding": shape[-1] - 1}
    outputs = convolve[len(shape), transposed](one_hot, weight, groups=groups, **padding)
    # Every input entry of every tap once: the squared length of u . W is the summed square of u . y.
    squares = torch.einsum("nc...,cr->nr...", outputs, torch.tensor(basis.vectors)).square()
    np.testing.assert_allclose(basis.gains**2, squares.flatten(2).sum(dim=(0, 2)), rtol=1e-10)


def test_the_singular_basis_is_that_of_the_decomposition():
    weight = np.random.default_rng(3).standard_normal((8, 3, 3, 3))
    basis, decomposed = direction_basis(weight, directions=5), filter_svd(weight)
    np.testing.assert_allclose(basis.vectors, decomposed.left[0, :, :5])
    np.testing.assert_allclose(basis.gains, decomposed.singular_values[0, :5])


def test_the_channel_basis_takes_the_filters_of_largest_norm():
    weight = np.random.default_rng(4).standard_normal((8, 3, 3, 3))
    order = np.argsort(-np.linalg.norm(weight.reshape(8, -1), axis=1))
    np.testing.assert_array_equal(
        direction_basis(weight, kind="channel", directions=3).vectors, np.eye(8)[:, order[:3]]
    )


def test_random_bases_differ_by_seed_only():
    weight = np.ones((6, 9))
    draws = [direction_basis(weight, kind="random", seed=seed).vectors for seed in (0, 0, 1)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert np.abs(draws[0] - draws[2]).max() > 0.1


def test_bad_bases_are_named():
    with pytest.raises(DynExplorerError, match=r"`kind` \(='pca'\) must be one of 'svd', 'channel', 'random'"):
        direction_basis(np.eye(3), kind="pca")
    with pytest.raises(DynExplorerError, match=r"`directions` \(=0\) must be a whole number of at least 1"):
        direction_basis(np.eye(3), directions=0)


# ---------------------------------------------------------------- signals


def slow_signals(outputs, vectors, bias, pool):
    """One image, one direction, one position at a time."""
    flat = outputs.reshape(*outputs.shape[:2], -1)
    result = np.empty((len(flat), vectors.shape[1]))
    for image, channels in enumerate(flat):
        for direction, vector in enumerate(vectors.T):
            course = [vector @ (channels[:, p] - bias) for p in range(channels.shape[1])]
            result[image, direction] = {
                "mean": lambda s: np.mean(s),
                "signed_max": lambda s: max(s, key=abs),
                "rms": lambda s: np.sqrt(np.mean(np.square(s))),
            }[pool](course)
    return result


@pytest.mark.parametrize("pool", ["mean", "signed_max", "rms"])
def test_pooled_signals_are_those_of_every_position(pool):
    rng = np.random.default_rng(5)
    outputs, vectors, bias = rng.standard_normal((4, 6, 3, 2)), rng.standard_normal((6, 5)), rng.standard_normal(6)
    expected = slow_signals(outputs, vectors, bias, pool)
    np.testing.assert_allclose(pooled_signals(outputs, vectors, bias=bias, pool=pool), expected, atol=1e-12)
    tokens = np.moveaxis(outputs.reshape(4, 6, -1), 1, -1)
    np.testing.assert_allclose(
        pooled_signals(tokens, vectors, bias=bias, pool=pool, channel_dim=-1), expected, atol=1e-12
    )


def test_signals_of_a_linear_layer_are_singular_values_times_right_vectors():
    torch.manual_seed(0)
    layer, inputs = nn.Linear(7, 4).double(), torch.randn(10, 7, dtype=torch.float64)
    decomposed = filter_svd(layer.weight)
    basis = direction_basis(layer.weight)
    expected = (decomposed.singular_values[0][:, None] * decomposed.right[0]) @ inputs.numpy().T
    for pool in ("mean", "signed_max"):
        signals = pooled_signals(layer(inputs), basis.vectors, bias=layer.bias, pool=pool)
        np.testing.assert_allclose(signals, expected.T, atol=1e-12)


def test_bad_signals_are_named():
    with pytest.raises(DynExplorerError, match=r"`pool` \(='max'\) must be one of 'mean', 'signed_max', 'rms'"):
        pooled_signals(torch.zeros(2, 3), torch.eye(3), pool="max")
    with pytest.raises(DynExplorerError, match=r"shape \(2, 3\).*`channel_dim` \(=1\) the 4 channels of `vectors`"):
        pooled_signals(torch.zeros(2, 3), torch.eye(4))


# ---------------------------------------------------------------- permuted labels


def test_the_null_measures_permuted_labels(found):
    null = separation_null(found, permutations=4, seed=7)
    random = np.random.default_rng(7)
    for draw in range(4):
        codes = random.permutation(found.codes)
        edge_purity = purity(class_counts(found.incidence, codes, 3))
        np.testing.assert_array_equal(null.edge_purity[draw], edge_purity)
        assert null.values["purity"][draw] == pytest.approx(np.nanmean(edge_purity))
        ratio = jaccard_means(*class_jaccard_sums(found.incidence, codes, 3))[2]
        assert null.values["jaccard_ratio"][draw] == pytest.approx(ratio, rel=1e-10)


def test_the_numbers_in_short_are_those_of_the_hypergraph(found):
    numbers = separation(found)
    assert numbers["purity"] == found.mean_purity
    assert numbers["entropy"] == pytest.approx(np.nanmean(found.entropy))
    assert numbers["jaccard_ratio"] == found.jaccard_ratio
    assert numbers["modularity"] == found.modularity()
    assert numbers["conductance"] == pytest.approx(found.conductance().mean())
    null = separation_null(found, permutations=2)
    assert set(null.values) == set(numbers)


def test_labels_without_meaning_lie_in_their_null(labels):
    found = class_hypergraph(np.random.default_rng(8).standard_normal((50, 12)), labels)
    null = separation_null(found, permutations=200)
    assert (
        np.quantile(null.values["jaccard_ratio"], 0.01)
        < found.jaccard_ratio
        < np.quantile(null.values["jaccard_ratio"], 0.99)
    )
    assert null.values["jaccard_ratio"].mean() == pytest.approx(1, abs=0.02)
    assert null.values["modularity"].mean() == pytest.approx(0, abs=0.05)


def test_signals_that_know_the_class_lie_far_above_their_null(labels):
    noise = np.random.default_rng(9).standard_normal((50, 6))
    found = class_hypergraph(noise + 3 * (labels[:, None] == np.arange(6) % 3), labels)
    null = separation_null(found)
    assert found.mean_purity > null.values["purity"].max()
    assert found.jaccard_ratio > null.values["jaccard_ratio"].max() + 0.2


def test_at_least_two_permutations_are_needed(found):
    with pytest.raises(DynExplorerError, match=r"`permutations` \(=1\) must be a whole number of at least 2"):
        separation_null(found, permutations=1)


# ---------------------------------------------------------------- other programs


def test_hif_goes_to_disk_and_back_through_xgi(found, tmp_path):
    data = found.to_hif(tmp_path / "classes.json")
    assert json.loads((tmp_path / "classes.json").read_text()) == data
    read = xgi.read_hif(tmp_path / "classes.json")
    edges = dict(zip(found.edge_names(), found.hypergraph.edges(), strict=True))
    assert {edge: set(read.edges.members(edge)) for edge in read.edges} == {
        e: set(v.tolist()) for e, v in edges.items()
    }
    assert [read.nodes[image]["class"] for image in range(50)] == found.classes[found.codes].tolist()
    weights = found.weights.toarray()
    assert all(
        entry["weight"] == weights[entry["node"], list(edges).index(entry["edge"])] for entry in data["incidences"]
    )


def test_undefined_purity_is_null_in_json():
    found = class_hypergraph([[1.0], [2.0]], ["cat", "dog"], rule="influence")
    assert found.to_hif()["edges"][1]["attrs"] == {"direction": 0, "sign": -1, "purity": None, "entropy": None}


def test_xgi_gets_names_classes_and_line_graphs(found):
    theirs = found.to_xgi()
    assert list(theirs.edges) == list(found.edge_names())
    assert theirs.nodes[3]["class"] == found.classes[found.codes[3]]
    assert theirs.edges["-2"]["purity"] == found.purity[5]
    links = {frozenset(edge) for edge in xgi.to_line_graph(theirs, s=2).edges}
    ours = found.s_line_graph(2).tocoo()
    names = found.edge_names()
    assert links == {frozenset((names[i], names[j])) for i, j in zip(ours.row, ours.col, strict=True)}


def test_hypernetx_gets_the_hyperedges_that_hold_something(monkeypatch):
    monkeypatch.setitem(sys.modules, "hypernetx", SimpleNamespace(Hypergraph=dict))
    found = class_hypergraph([[1.0], [2.0]], ["cat", "dog"], rule="influence")
    assert found.to_hypernetx() == {"+0": [0, 1]}


@pytest.mark.parametrize(
    ("convert", "module", "message"),
    [
        ("to_xgi", "xgi", r"XGI is not installed: pip install 'dyn-explorer\[hypergraph\]'"),
        ("to_hypernetx", "hypernetx", "HyperNetX is not installed. It needs pandas below 3"),
    ],
)
def test_what_is_not_installed_is_named(found, monkeypatch, convert, module, message):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DynExplorerError, match=message):
        getattr(found, convert)()

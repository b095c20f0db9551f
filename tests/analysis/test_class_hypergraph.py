"""Incidence rules and class measures: known truths, identities, and slow versions written here."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch
from scipy.stats import binom

from dyn_explorer.analysis import class_hypergraph
from dyn_explorer.analysis.class_separation import jaccard_means, within_sum
from dyn_explorer.errors import DynExplorerError

OPTIONS = [{"quantile": 0.1}, {"quantile": 0.3}, {"rule": "influence", "tau": 0.3}, {"signed": False}]


@pytest.fixture
def signals():
    return np.random.default_rng(0).standard_normal((60, 7))


@pytest.fixture
def labels():
    return np.random.default_rng(1).integers(0, 4, 60) * 10


def slow_jaccard(incidence: np.ndarray, labels) -> tuple[np.ndarray, float]:
    """Class means and the pooled ratio, pair by pair."""
    sets = [set(np.flatnonzero(row)) for row in incidence]
    classes = sorted(set(labels))
    pairs: dict = {}
    for i, j in combinations(range(len(sets)), 2):
        if sets[i] and sets[j]:
            key = tuple(sorted((classes.index(labels[i]), classes.index(labels[j]))))
            pairs.setdefault(key, []).append(len(sets[i] & sets[j]) / len(sets[i] | sets[j]))
    means = np.full((len(classes), len(classes)), np.nan)
    for (a, b), values in pairs.items():
        means[a, b] = means[b, a] = np.mean(values)
    within = [value for (a, b), values in pairs.items() if a == b for value in values]
    between = [value for (a, b), values in pairs.items() if a != b for value in values]
    return means, np.mean(within) / np.mean(between)


def test_the_quantile_rule_takes_both_ends_of_each_direction(signals, labels):
    found = class_hypergraph(signals, labels, quantile=0.1)
    assert found.incidence.shape == (60, 14)
    assert found.edge_names()[:4] == ("+0", "-0", "+1", "-1")
    for direction in range(7):
        order = np.argsort(signals[:, direction])
        for edge, ends in ((2 * direction, order[-6:]), (2 * direction + 1, order[:6])):
            assert set(found.hypergraph.edges()[edge]) == set(ends.tolist())
    weights, incidence = found.weights.toarray(), found.incidence.toarray()
    np.testing.assert_array_equal(weights, incidence * np.abs(np.repeat(signals, 2, axis=1)))


def test_without_signs_an_edge_holds_the_largest_magnitudes(signals, labels):
    found = class_hypergraph(signals, labels, signed=False)
    assert found.edge_names() == tuple("0123456")
    expected = np.argsort(-np.abs(signals[:, 3]))[:6]
    assert set(found.hypergraph.edges()[3]) == set(expected.tolist())


@pytest.mark.parametrize(("count", "quantile"), [(25, 0.1), (15, 0.1), (35, 0.3), (10, 0.9), (10, 1)])
def test_edges_hold_a_rounded_share_of_the_images(count, quantile):
    signals = np.random.default_rng(2).standard_normal((count, 3))
    found = class_hypergraph(signals, np.arange(count) % 2, quantile=quantile)
    assert found.hypergraph.sizes.tolist() == [round(quantile * count)] * 6


def test_the_prefix_rule_divides_by_what_it_accepted():
    signals = np.array([[3.0, -2.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, -5.0, 0.0]])
    found = class_hypergraph(signals, [0, 1, 1], rule="influence", tau=0.5)
    expected = np.zeros((3, 8))
    expected[0, 0], expected[0, 3], expected[2, 5] = 0.6, 0.4, 1.0
    np.testing.assert_allclose(found.weights.toarray(), expected)
    assert found.hypergraph.sizes.sum() == 3
    assert np.isnan(found.purity).sum() == np.isnan(found.entropy).sum() == 5


@pytest.mark.parametrize(("tau", "count"), [(0, 1), (1, 7)])
def test_the_prefix_rule_takes_one_direction_at_least_and_all_at_most(signals, labels, tau, count):
    found = class_hypergraph(signals, labels, rule="influence", tau=tau)
    assert set(found.hypergraph.degrees.tolist()) == {count}


def test_a_dead_direction_does_not_look_pure():
    labels = np.repeat(np.arange(5), 40)  # sorted by class: ties broken by row would give purity 1
    found = class_hypergraph(np.zeros((200, 1)), labels)
    assert found.hypergraph.sizes.tolist() == [20, 20]
    assert found.purity.max() < 0.5


@pytest.mark.parametrize("options", OPTIONS)
def test_a_flipped_direction_swaps_its_two_edges_and_changes_nothing_else(signals, labels, options):
    flip = np.where(np.arange(7) % 2, -1.0, 1.0)
    first, second = class_hypergraph(signals, labels, **options), class_hypergraph(signals * flip, labels, **options)
    order = np.arange(first.hypergraph.n_edges)
    if options.get("signed", True):
        order = order ^ (flip[order // 2] < 0)
    np.testing.assert_array_equal(first.incidence.toarray(), second.incidence.toarray()[:, order])
    assert first.jaccard_ratio == pytest.approx(second.jaccard_ratio, abs=1e-14)
    assert first.modularity() == pytest.approx(second.modularity(), abs=1e-14)


@pytest.mark.parametrize("options", OPTIONS)
def test_purity_and_entropy_are_those_of_the_definition(signals, labels, options):
    found = class_hypergraph(signals, labels, **options)
    for edge, images in enumerate(found.hypergraph.edges()):
        if not len(images):
            continue
        shares = np.unique(labels[images], return_counts=True)[1] / len(images)
        assert found.purity[edge] == pytest.approx(shares.max())
        assert found.entropy[edge] == pytest.approx(-(shares * np.log(shares)).sum() / np.log(4), abs=1e-12)
    assert found.mean_purity == pytest.approx(np.nanmean(found.purity))


@pytest.mark.parametrize("options", OPTIONS)
def test_jaccard_means_are_those_of_all_pairs(signals, labels, options):
    found = class_hypergraph(signals, labels, **options)
    means, ratio = slow_jaccard(found.incidence.toarray(), labels.tolist())
    np.testing.assert_allclose(found.class_jaccard, means, atol=1e-12)
    assert found.jaccard_ratio == pytest.approx(ratio)
    sums, pairs = found.jaccard_sums
    total, count = within_sum(found.incidence, found.codes)
    assert (total, count) == pytest.approx((np.trace(sums), np.trace(pairs)))


def test_jaccard_sums_do_not_depend_on_the_blocks(monkeypatch, signals, labels):
    whole = class_hypergraph(signals, labels).class_jaccard
    monkeypatch.setattr("dyn_explorer.analysis.class_separation._ROWS_AT_ONCE", 7)
    np.testing.assert_allclose(class_hypergraph(signals, labels).class_jaccard, whole, atol=1e-14)


def test_one_pure_edge_per_class_separates_without_limit():
    labels = np.repeat(["ant", "bee", "cat"], 5)
    signals = (labels[:, None] == np.array(["ant", "bee", "cat"])).astype(float)
    found = class_hypergraph(signals, labels, quantile=1 / 3, signed=True)
    pure = found.purity[::2]
    assert pure.tolist() == [1, 1, 1]
    assert found.entropy[::2].tolist() == [0, 0, 0]
    alone = class_hypergraph(signals, labels, rule="influence")
    assert alone.jaccard_ratio == np.inf
    np.testing.assert_array_equal(alone.class_jaccard, np.eye(3))
    assert alone.conductance().tolist() == alone.conductance("cut").tolist() == [0, 0, 0]
    assert alone.modularity("strict") == pytest.approx(1 - 3 * (1 / 3) ** 5)


def test_undefined_ratios_are_nan():
    assert np.isnan(jaccard_means(np.zeros((2, 2)), np.array([[2.0, 4.0], [4.0, 2.0]]))[2])
    assert np.isnan(jaccard_means(np.zeros((2, 2)), np.array([[0.0, 1.0], [1.0, 0.0]]))[0])
    two = class_hypergraph(np.array([[1.0], [-1.0]]), [0, 1], quantile=0.5)
    assert np.isnan(two.jaccard_ratio)
    assert np.isnan(np.diag(two.class_jaccard)).all()


@pytest.mark.parametrize("majority", ["linear", "majority", "strict"])
@pytest.mark.parametrize("options", OPTIONS)
def test_modularity_is_that_of_the_definition(signals, labels, options, majority):
    found = class_hypergraph(signals, labels, **options)
    worth = {
        "linear": lambda size, held: held / size,
        "majority": lambda size, held: 1.0,
        "strict": lambda size, held: float(size == held),
    }[majority]
    degrees = found.incidence.toarray().sum(axis=1)
    volumes = [degrees[found.codes == code].sum() / degrees.sum() for code in range(4)]
    gained, count = 0.0, 0
    for images in found.hypergraph.edges():
        size = len(images)
        count += size > 0
        for code, volume in enumerate(volumes):
            held = int((found.codes[images] == code).sum())
            gained += worth(size, held) if 2 * held > size else 0.0
            possible = range(size // 2 + 1, size + 1)
            gained -= sum(worth(size, h) * binom.pmf(h, size, volume) for h in possible) if size else 0.0
    assert found.modularity(majority) == pytest.approx(gained / count, abs=1e-12)


def test_walk_conductance_is_the_chance_to_leave_the_class(signals, labels):
    found = class_hypergraph(signals, labels, quantile=0.2)
    incidence = found.incidence.toarray().astype(float)
    degrees, sizes = incidence.sum(axis=1), incidence.sum(axis=0)
    step = (incidence / np.maximum(degrees, 1)[:, None]) @ (incidence / sizes).T
    for code in range(4):
        inside = found.codes == code
        leave = (degrees[inside] @ step[np.ix_(inside, ~inside)]).sum() / degrees[inside].sum()
        assert found.conductance()[code] == pytest.approx(leave)


def test_the_class_level_hypergraph_joins_classes_by_their_share(signals, labels):
    found = class_hypergraph(signals, labels, quantile=0.3)
    level = found.class_level(0.4)
    for edge, images in enumerate(found.hypergraph.edges()):
        shares = [np.mean(np.isin(np.flatnonzero(found.codes == code), images)) for code in range(4)]
        np.testing.assert_array_equal(level.incidence.toarray()[:, edge], np.array(shares) >= 0.4)


def test_labels_may_be_tensors_text_booleans_or_whole_floats(signals):
    numbers = np.arange(60) % 2
    expected = class_hypergraph(signals, numbers).class_jaccard
    for labels in (
        torch.tensor(numbers),
        numbers == 1,
        numbers.astype(float),
        ["a" if n == 0 else "b" for n in numbers],
    ):
        np.testing.assert_array_equal(class_hypergraph(torch.tensor(signals), labels).class_jaccard, expected)


def test_a_thousand_classes_are_measured():
    signals = np.random.default_rng(3).standard_normal((3000, 16))
    found = class_hypergraph(signals, np.arange(3000) % 1000)
    assert found.class_jaccard.shape == (1000, 1000)
    assert found.jaccard_ratio == pytest.approx(1.0, abs=0.05)
    assert 0 < found.entropy.min() <= found.entropy.max() < 1


def test_fewer_images_than_directions_are_measured_with_a_note(labels):
    found = class_hypergraph(np.random.default_rng(4).standard_normal((60, 80)), labels)
    assert "fewer images (60) than directions (80)" in found.notes[0]
    assert np.isfinite(found.jaccard_ratio)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": None}, r"`labels` is None.*predictions, outputs\.argmax\(dim=1\), will do"),
        ({"labels": np.zeros(60, int)}, r"all 60 images are of one class \(0\).*at least two"),
        ({"labels": np.arange(59) % 2}, r"`labels` has shape \(59,\) and `signals` 60 images; give one per image"),
        ({"labels": np.eye(60)}, r"`labels` has shape \(60, 60\)"),
        ({"labels": np.full(60, np.nan)}, "`labels` of type float64 must be whole numbers or text"),
        ({"labels": np.linspace(0, 1, 60)}, "not scores or one-hot rows"),
        ({"labels": [[1], [2, 3]]}, "`labels` are no plain list with one class per image"),
        ({"signals": np.zeros((60, 2, 3, 3))}, r"`signals` of shape \(60, 2, 3, 3\) must be \(images, directions\)"),
        ({"signals": np.full((60, 2), np.inf)}, "`signals` holds 120 NaN or infinite values"),
        ({"rule": "best"}, r"`rule` \(='best'\) must be one of 'quantile', 'influence'"),
        ({"quantile": -0.1}, r"`quantile` \(=-0\.1\) must be a share between 0 and 1"),
        ({"quantile": True}, r"`quantile` \(=True\) must be a share between 0 and 1"),
        ({"quantile": 0}, r"`quantile` \(=0\) of 60 images is less than one image per hyperedge"),
        ({"quantile": 0.001}, r"of 60 images is less than one image per hyperedge; raise it to at least 0\.017"),
        ({"rule": "influence", "tau": 1.5}, r"`tau` \(=1\.5\) must be a share between 0 and 1"),
    ],
)
def test_bad_input_is_named(signals, labels, change, message):
    given = {"signals": signals, "labels": labels} | change
    with pytest.raises(DynExplorerError, match=message):
        class_hypergraph(given.pop("signals"), given.pop("labels"), **given)


def test_bad_options_of_measures_are_named(signals, labels):
    found = class_hypergraph(signals, labels)
    with pytest.raises(DynExplorerError, match=r"`theta` \(=0\) must lie above 0 and be at most 1"):
        found.class_level(0)
    with pytest.raises(DynExplorerError, match=r"`majority` \(='most'\) must be one of 'linear', 'majority', 'strict'"):
        found.modularity("most")
    with pytest.raises(DynExplorerError, match=r"`kind` \(='flow'\) must be 'walk' or 'cut'"):
        found.conductance("flow")

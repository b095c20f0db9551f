"""The core of hypergraphs against XGI, networkx and slow versions written here."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import xgi

from dyn_explorer.analysis import Hypergraph
from dyn_explorer.errors import DynExplorerError


def random_edges(seed: int, n_vertices: int = 14, n_edges: int = 17) -> list[list[int]]:
    """Hyperedges of every size from 0 on; each vertex is also in one pair, because XGI knows only vertices in edges."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, 6, n_edges)
    edges = [sorted(rng.choice(n_vertices, size, replace=False).tolist()) for size in sizes]
    return [*edges, *([v, (v + 1) % n_vertices] for v in range(0, n_vertices, 5))]


def line_graph(edges, s: int) -> nx.Graph:
    """The definition, pair by pair."""
    graph = nx.Graph()
    graph.add_nodes_from(range(len(edges)))
    for i, first in enumerate(edges):
        for j, second in enumerate(edges[:i]):
            if len(set(first) & set(second)) >= s:
                graph.add_edge(i, j)
    return graph


@pytest.fixture(params=[0, 1, 2])
def edges(request):
    return random_edges(request.param)


@pytest.fixture
def hypergraph(edges):
    return Hypergraph.from_edges(edges, n_vertices=14)


@pytest.mark.parametrize("s", [1, 2, 3])
def test_the_s_line_graph_is_that_of_xgi(edges, hypergraph, s):
    filled = [number for number, edge in enumerate(edges) if edge]  # XGI drops links of empty edges only
    theirs = xgi.to_line_graph(xgi.Hypergraph({number: edges[number] for number in filled}), s=s, weights="absolute")
    ours = hypergraph.s_line_graph(s).tocoo()
    found = {(i, j): w for i, j, w in zip(ours.row.tolist(), ours.col.tolist(), ours.data.tolist(), strict=True)}
    expected = {pair: data["weight"] for i, j, data in theirs.edges(data=True) for pair in ((i, j), (j, i))}
    assert found == expected


@pytest.mark.parametrize("s", [1, 2, 3])
def test_components_and_distances_are_those_of_the_line_graph(edges, hypergraph, s):
    graph = line_graph(edges, s)
    labels = hypergraph.s_components(s)
    groups = {frozenset(np.flatnonzero(labels == label).tolist()) for label in set(labels.tolist())}
    assert groups == {frozenset(component) for component in nx.connected_components(graph)}
    assert [labels.tolist().index(k) for k in range(labels.max() + 1)] == sorted(
        labels.tolist().index(k) for k in range(labels.max() + 1)
    )
    steps = np.full((len(edges), len(edges)), np.inf)
    for source, lengths in nx.all_pairs_shortest_path_length(graph):
        for target, length in lengths.items():
            steps[source, target] = length
    np.testing.assert_array_equal(hypergraph.s_distance(s), steps)
    finite = steps[np.isfinite(steps) & (steps > 0)]
    assert hypergraph.s_diameter(s) == finite.max()
    np.testing.assert_array_equal(hypergraph.s_eccentricity(s), steps.max(axis=1))


@pytest.mark.parametrize("s", [1, 2, 3])
def test_centralities_are_those_of_networkx(edges, hypergraph, s):
    graph = line_graph(edges, s)
    nodes = range(len(edges))
    between = nx.betweenness_centrality(graph)
    np.testing.assert_allclose(hypergraph.s_betweenness(s), [between[n] for n in nodes], atol=1e-12)
    close = {}
    for component in nx.connected_components(graph):
        close |= nx.closeness_centrality(graph.subgraph(component))
    np.testing.assert_allclose(hypergraph.s_closeness(s), [close[n] for n in nodes], atol=1e-12)
    harmonic = nx.harmonic_centrality(graph)
    np.testing.assert_allclose(hypergraph.s_harmonic(s), [harmonic[n] / (len(edges) - 1) for n in nodes], atol=1e-12)


def test_large_hypergraphs_have_the_same_line_graphs(edges, hypergraph, monkeypatch):
    monkeypatch.setattr("dyn_explorer.analysis.hypergraph.MOST_DENSE", 0)
    large = Hypergraph(hypergraph.incidence)
    for s in (1, 2, 3):
        np.testing.assert_array_equal(large.s_line_graph(s).toarray(), hypergraph.s_line_graph(s).toarray())


def test_the_barcode_counts_the_components_of_every_s(edges, hypergraph):
    bars = hypergraph.barcode
    assert (bars.birth == hypergraph.sizes[bars.edge]).all()
    assert sorted(bars.edge.tolist()) == [number for number, edge in enumerate(edges) if edge]
    for s in range(1, 8):
        large = [number for number, edge in enumerate(edges) if len(edge) >= s]
        components = nx.number_connected_components(line_graph(edges, s).subgraph(large))
        assert bars.count(s) == components
    lengths = bars.birth - bars.death
    assert (np.diff(lengths) <= 0).all()


def test_the_dual_swaps_images_and_edges(hypergraph):
    dual = hypergraph.dual
    np.testing.assert_array_equal(dual.incidence.toarray(), hypergraph.incidence.toarray().T)
    np.testing.assert_array_equal(dual.dual.incidence.toarray(), hypergraph.incidence.toarray())
    both = hypergraph.incidence.toarray()
    shared = both @ both.T
    np.fill_diagonal(shared, 0)
    np.testing.assert_array_equal(dual.overlaps.toarray(), shared)
    np.testing.assert_array_equal(dual.sizes, hypergraph.degrees)


def test_edges_come_back_as_they_were_given(edges, hypergraph):
    assert [edge.tolist() for edge in hypergraph.edges()] == edges
    assert (hypergraph.n_vertices, hypergraph.n_edges) == (14, len(edges))


def test_hypergraphs_without_links_have_answers_too(capfd):
    lonely = Hypergraph.from_edges([[0], [1], []], n_vertices=3)
    assert lonely.s_components().tolist() == [0, 1, 2]
    assert np.isnan(lonely.s_diameter())
    assert lonely.s_betweenness().tolist() == lonely.s_closeness().tolist() == [0, 0, 0]
    assert lonely.barcode.death.tolist() == [0, 0]
    empty = Hypergraph.from_edges([], n_vertices=3)
    assert empty.s_distance().shape == (0, 0)
    assert empty.s_components().tolist() == empty.s_eccentricity().tolist() == []
    assert empty.dual.s_components().tolist() == [0, 1, 2]
    assert capfd.readouterr() == ("", "")  # the linear algebra library complains on its own


@pytest.mark.parametrize("s", [0, -1, 1.5, True, "2"])
def test_s_must_be_a_positive_whole_number(hypergraph, s):
    with pytest.raises(DynExplorerError, match=r"`s` \(=.*\) must be a whole number of at least 1"):
        hypergraph.s_components(s)


def test_vertices_must_exist():
    with pytest.raises(
        DynExplorerError, match=r"vertices from 0 to 5; with `n_vertices` \(=3\) they must lie in 0\.\.2"
    ):
        Hypergraph.from_edges([[0, 5]], n_vertices=3)

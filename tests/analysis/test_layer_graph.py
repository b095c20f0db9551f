"""Graphs of node layers: what chains, channels and shuffles must keep."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from dyn_explorer import DynExplorerError
from dyn_explorer.analysis import (
    AffineLayer,
    LayerGraph,
    Link,
    NodeLayer,
    channel_links,
    function_strength,
    link_weights,
    node_strength,
    strength_null,
)
from dyn_explorer.errors import Cancelled


def chain() -> list[AffineLayer]:
    return [
        AffineLayer(torch.randn(4, 1, 3, 3), torch.randn(4), (2, 7, 6), 2, 1, groups=2),
        AffineLayer(torch.randn(4, 3, 2, 2), torch.randn(3), (4, 4, 3), 2, transposed=True),
        AffineLayer(torch.randn(5, 3 * 8 * 6), torch.randn(5)),
        AffineLayer(torch.randn(2, 5)),
    ]


@pytest.mark.parametrize("sign", ["signed", "absolute", "squared"])
@pytest.mark.parametrize("options", [{}, {"padding": "repo"}, {"bias": False, "boundary_links": False}])
def test_a_chain_has_the_strengths_of_node_strength(sign, options):
    layers = chain()
    graph = LayerGraph.chain(layers)
    expected = node_strength(layers, sign=sign, **options)
    for found, wanted in zip(graph.strengths(sign=sign, **options), expected, strict=True):
        assert torch.allclose(found, wanted, rtol=0, atol=1e-12)


def test_channels_carry_the_strengths_of_their_nodes():
    graph = LayerGraph.chain(chain())
    for link in graph.links:
        table = channel_links(link, graph)
        into = link.layer.in_strength(bias=False).reshape(graph.nodes[link.target].shape)
        out = link.layer.out_strength().reshape(graph.nodes[link.source].shape)
        assert table.shape == (graph.nodes[link.target].channels, graph.nodes[link.source].channels)
        per_channel = into.flatten(1).mean(dim=1) if into.ndim > 1 else into
        assert torch.allclose(table.sum(dim=1), per_channel, rtol=0, atol=1e-9)
        out = out.flatten(1).sum(dim=1) if out.ndim > 1 else out
        target = graph.nodes[link.target]
        assert torch.allclose(table.sum(dim=0) * (target.size / target.channels), out, rtol=0, atol=1e-9)


def test_channels_of_positions_and_of_sums():
    nodes = [NodeLayer("a", (3, 4), channel_dim=-1), NodeLayer("b", (3, 4), channel_dim=-1), NodeLayer("c", (6,))]
    weight, flat = torch.randn(4, 4), torch.randn(6, 12)
    layers = AffineLayer(weight), AffineLayer(flat)
    links = [Link(0, 1, "b", layers[0]), Link(0, 1, "add"), Link(1, 2, "c", layers[1])]
    graph = LayerGraph(nodes, links)
    assert torch.equal(channel_links(links[0], graph), layers[0].weight)
    assert torch.equal(channel_links(links[1], graph), torch.eye(4, dtype=torch.float64))
    assert torch.allclose(channel_links(links[2], graph), flat.double().reshape(6, 3, 4).sum(dim=1))
    boundary = graph.strength(0)
    assert torch.allclose(boundary, weight.double().sum(dim=0).expand(3, 4) + 1)


@pytest.mark.parametrize("groups", [1, 2])
def test_a_transposed_convolution_is_a_convolution_turned_round(groups):
    module = nn.ConvTranspose2d(4, 6, (3, 2), stride=(2, 3), padding=1, output_padding=(1, 0), groups=groups).double()
    shape = (4, 5, 4)
    layer = AffineLayer(module.weight, module.bias, shape, (2, 3), 1, 1, groups, transposed=True, output_padding=(1, 0))
    into, out_of = function_strength(module, shape)
    assert layer.node_shape_out == tuple(into.shape)
    assert torch.allclose(layer.in_strength(), into, rtol=0, atol=1e-10)
    assert torch.allclose(layer.out_strength(), out_of, rtol=0, atol=1e-10)
    mirror = AffineLayer(module.weight, None, tuple(into.shape), (2, 3), 1, 1, groups)
    assert mirror.node_shape_out == shape
    assert torch.allclose(mirror.in_strength(), layer.out_strength(), rtol=0, atol=1e-10)


def test_a_shuffled_graph_keeps_every_weight_and_nothing_else():
    graph = LayerGraph.chain(chain())
    shuffled = graph.shuffled(3)
    for link, other in zip(graph.links, shuffled.links, strict=True):
        assert sorted(link_weights(link.layer.weight).values) == sorted(link_weights(other.layer.weight).values)
        assert not torch.equal(link.layer.weight, other.layer.weight)
    assert torch.equal(graph.shuffled(3).strength(1), shuffled.strength(1))
    assert not torch.equal(graph.strength(1), shuffled.strength(1))


def test_links_that_do_not_fit_are_refused():
    layer = AffineLayer(torch.ones(2, 3))
    with pytest.raises(DynExplorerError, match=r"layer 'x' has nodes of shape \(3,\), and node layer 'a' has \(4,\)"):
        LayerGraph([NodeLayer("a", (4,)), NodeLayer("b", (2,))], [Link(0, 1, "x", layer)])


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"groups": 3}, r"`groups` \(=3\) must divide the 4 input channels"),
        ({"input_shape": (3, 8, 8)}, r"`weight` takes 4 input channels, and `input_shape` \(=\(3, 8, 8\)\) has 3"),
        ({"bias": torch.ones(4)}, r"`bias` has shape \(4,\) and must have one entry per output: \(2,\)"),
        ({"padding": 9}, r"does not fit into inputs of size 8"),
    ],
)
def test_transposed_convolutions_that_make_no_sense(options, match):
    with pytest.raises(DynExplorerError, match=match):
        AffineLayer(**{"weight": torch.ones(4, 2, 3, 3), "input_shape": (4, 8, 8), "transposed": True, **options})


def test_the_null_of_one_node_layer_is_that_of_all():
    graph = LayerGraph.chain(chain())
    every = strength_null(graph, shuffles=3, seed=1, sign="absolute")
    one = strength_null(graph, place=2, shuffles=3, seed=1, sign="absolute")
    assert np.allclose(every.fluctuation[:, 2], one.fluctuation[:, 0], rtol=1e-12)
    assert np.allclose(one.strengths.std(axis=1), one.fluctuation[:, 0], rtol=1e-12)
    assert every.mean[2] == pytest.approx(one.mean[0])
    assert every.sd[2] == pytest.approx(np.std(one.fluctuation, ddof=1))


def test_the_null_tells_rows_from_noise():
    rows = torch.randn(40, 1).expand(40, 60) + 0.1 * torch.randn(40, 60)
    null = strength_null(LayerGraph.chain([AffineLayer(rows)]), place=1)
    found = LayerGraph.chain([AffineLayer(rows)]).strength(1).std(correction=0)
    assert found > null.mean[0] + 10 * null.sd[0]
    plain = LayerGraph.chain([AffineLayer(torch.randn(40, 60))])
    null = strength_null(plain, place=1, shuffles=20)
    assert abs(plain.strength(1).std(correction=0) - null.mean[0]) < 4 * null.sd[0]


def test_the_null_is_cancelled_and_checked():
    import threading

    graph, cancel = LayerGraph.chain([AffineLayer(torch.randn(2, 3))]), threading.Event()
    cancel.set()
    with pytest.raises(Cancelled, match="the shuffles were cancelled"):
        strength_null(graph, cancel=cancel)
    with pytest.raises(DynExplorerError, match=r"`shuffles` \(=1\) must be a whole number of at least 2"):
        strength_null(graph, shuffles=1)

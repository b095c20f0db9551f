"""The network as a graph: strengths against loops, against the identities of affine maps, and what must not change."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn

from dyn_explorer import DynExplorerError
from dyn_explorer.analysis import (
    AffineLayer,
    fluctuation_null,
    function_strength,
    jensen_shannon,
    layer_fluctuation,
    link_weights,
    node_strength,
    shuffled_weights,
    unrolled_moments,
)

# channels in and out, size, kernel, stride, padding, dilation, groups; sizes that the stride does not divide among them
CASES = [
    (2, 3, (6, 6), (3, 3), (1, 1), (0, 0), (1, 1), 1),
    (2, 4, (7, 5), (3, 2), (2, 1), (1, 0), (1, 1), 2),
    (3, 3, (8, 7), (3, 3), (3, 2), (2, 1), (1, 2), 3),
    (4, 8, (9, 9), (2, 3), (2, 3), (0, 2), (2, 1), 4),
    (1, 2, (5, 6), (5, 1), (1, 2), (2, 0), (1, 1), 1),
    (2, 2, (10, 4), (3, 3), (3, 1), (1, 2), (2, 1), 1),
]


def convolution(case) -> AffineLayer:
    c_in, c_out, size, kernel, stride, padding, dilation, groups = case
    weight = torch.randn(c_out, c_in // groups, *kernel, dtype=torch.float64)
    bias = torch.randn(c_out, dtype=torch.float64)
    return AffineLayer(weight, bias, (c_in, *size), stride, padding, dilation, groups)


def links(layer: AffineLayer):
    """Every link as (output node, input node or None on padding, kernel entry), one loop for each index."""
    c_out, per_group, *kernel = layer.weight.shape
    in_group = c_out // layer.groups
    _, height, width = layer.node_shape_in
    for o, i, j in itertools.product(*map(range, layer.node_shape_out)):
        for c, a, b in itertools.product(range(per_group), range(kernel[0]), range(kernel[1])):
            y = i * layer.stride[0] - layer.padding[0] + a * layer.dilation[0]
            x = j * layer.stride[1] - layer.padding[1] + b * layer.dilation[1]
            inside = 0 <= y < height and 0 <= x < width
            yield (o, i, j), ((o // in_group) * per_group + c, y, x) if inside else None, (o, c, a, b)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("sign", ["signed", "absolute", "squared"])
def test_strengths_equal_six_nested_loops(case, sign):
    layer = convolution(case)
    part = {"signed": lambda w: w, "absolute": abs, "squared": lambda w: w * w}[sign]
    real, repo = np.zeros(layer.node_shape_out), np.zeros(layer.node_shape_out)
    out = np.zeros(layer.node_shape_in)
    for target, source, entry in links(layer):
        weight = part(layer.weight[entry].item())
        repo[target] += weight
        if source is not None:
            real[target] += weight
            out[source] += weight
    bias = np.array([part(value) for value in layer.bias.tolist()])[:, None, None]
    assert np.allclose(layer.in_strength(sign=sign), real + bias, rtol=0, atol=1e-10)
    assert np.allclose(layer.in_strength(sign=sign, padding="repo"), repo + bias, rtol=0, atol=1e-10)
    assert np.allclose(layer.in_strength(sign=sign, bias=False), real, rtol=0, atol=1e-10)
    assert np.allclose(layer.out_strength(sign=sign), out, rtol=0, atol=1e-10)


@pytest.mark.parametrize("case", CASES)
def test_strengths_are_what_the_layer_makes_of_ones_and_its_gradient(case):
    layer = convolution(case)
    module = nn.Conv2d(
        layer.input_shape[0],
        len(layer.weight),
        layer.weight.shape[2:],
        layer.stride,
        layer.padding,
        layer.dilation,
        layer.groups,
        dtype=torch.float64,
    )
    module.load_state_dict({"weight": layer.weight, "bias": layer.bias})
    into, out_of = function_strength(module, layer.input_shape)
    assert torch.allclose(layer.in_strength(), into, rtol=0, atol=1e-10)
    assert torch.allclose(layer.out_strength(), out_of, rtol=0, atol=1e-10)


@pytest.mark.parametrize("spatial", [(9,), (5, 4, 6)])
def test_one_and_three_dimensions(spatial):
    kind = {1: nn.Conv1d, 3: nn.Conv3d}[len(spatial)]
    module = kind(2, 4, 3, stride=2, padding=1, groups=2, dtype=torch.float64)
    layer = AffineLayer(module.weight, module.bias, (2, *spatial), 2, 1, 1, 2)
    into, out_of = function_strength(module, (2, *spatial))
    assert torch.allclose(layer.in_strength(), into, rtol=0, atol=1e-10)
    assert torch.allclose(layer.out_strength(), out_of, rtol=0, atol=1e-10)


@pytest.mark.parametrize("case", CASES)
def test_what_leads_in_is_what_leads_out(case):
    layer = convolution(case)
    assert layer.in_strength(bias=False).sum().item() == pytest.approx(layer.out_strength().sum().item(), abs=1e-9)


@pytest.mark.parametrize(
    "module",
    [
        nn.AvgPool2d(2),
        nn.AvgPool2d(3, 2, 1),
        nn.ConvTranspose2d(3, 2, 3, stride=2, output_padding=1),
        nn.BatchNorm2d(3).eval(),
        nn.Conv2d(3, 2, 3, padding=1),
    ],
)
def test_any_affine_module_has_strengths_and_is_left_alone(module):
    before = {name: value.clone() for name, value in module.state_dict().items()}
    into, out_of = function_strength(module, (3, 8, 8))
    with torch.no_grad():
        assert torch.allclose(into.float(), module(torch.ones(1, 3, 8, 8))[0], atol=1e-6)
    basis = torch.eye(192).reshape(192, 3, 8, 8)
    with torch.no_grad():
        direct = (module(basis) - module(torch.zeros_like(basis))).flatten(1).sum(dim=1)
    assert torch.allclose(out_of.flatten().float(), direct, atol=1e-5)
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name])
    assert all(parameter.grad is None for parameter in module.parameters())


@pytest.mark.parametrize("module", [nn.ReLU(), nn.MaxPool2d(2), nn.Sequential(nn.Conv2d(3, 2, 3), nn.Tanh())])
def test_what_is_not_affine_is_refused(module):
    with pytest.raises(DynExplorerError, match="is not affine, so its nodes have no fixed links"):
        function_strength(module, (3, 8, 8))


def test_a_fully_connected_chain_by_hand():
    first = AffineLayer([[1.0, -2.0], [3.0, 4.0], [0.0, 1.0]], [0.5, 0.25, 0.125])
    second = AffineLayer([[1.0, 2.0, -3.0]], [2.0])
    strengths = [strength.tolist() for strength in node_strength([first, second])]
    assert strengths == [[5.0, 4.0], [-1 + 0.5 + 1, 7 + 0.25 + 2, 1 + 0.125 - 3], [0.0 + 2 + 1]]
    assert node_strength([first, second], boundary_links=False)[0].tolist() == [4.0, 3.0]
    assert node_strength([first, second], bias=False)[2].tolist() == [1.0]
    assert node_strength([first, second], sign="absolute")[1].tolist() == [3 + 0.5 + 1, 7 + 0.25 + 2, 1 + 0.125 + 3]


def test_a_matrix_reads_a_convolution_channels_first():
    layer = AffineLayer(torch.randn(2, 1, 3, 3), input_shape=(1, 5, 4))
    head = AffineLayer(torch.randn(3, 12))
    hidden = node_strength([layer, head])[1]
    assert hidden.shape == (2, 3, 2)
    flat = head.weight.sum(dim=0)
    assert hidden[1, 2, 0].item() == pytest.approx((layer.in_strength()[1, 2, 0] + flat[1 * 6 + 2 * 2]).item())


def test_renaming_hidden_neurons_changes_no_density_and_no_fluctuation():
    weight, bias, head = torch.randn(20, 8), torch.randn(20), torch.randn(5, 20)
    order = torch.randperm(20)
    one = node_strength([AffineLayer(weight, bias), AffineLayer(head)])
    other = node_strength([AffineLayer(weight[order], bias[order]), AffineLayer(head[:, order])])
    assert torch.allclose(one[1][order], other[1])
    assert np.allclose(layer_fluctuation(one), layer_fluctuation(other), rtol=1e-12)


def test_fluctuation_is_the_population_standard_deviation():
    values = [np.random.default_rng(0).normal(size=(3, 4, 5)), torch.randn(7)]
    assert layer_fluctuation(values) == pytest.approx([values[0].std(), values[1].double().std(correction=0).item()])


def test_link_weights_are_the_moments_of_weights_and_biases():
    weight, bias = torch.randn(4, 2, 3, 3), torch.randn(4)
    found = link_weights(weight, bias)
    everything = torch.cat([weight.flatten(), bias]).double()
    assert sorted(found.values) == pytest.approx(sorted(everything.tolist()))
    assert found.mean == pytest.approx(everything.mean().item())
    assert found.std == pytest.approx(everything.std(correction=0).item())


@pytest.mark.parametrize("case", CASES)
def test_moments_of_the_unrolled_graph(case):
    layer = convolution(case)
    unrolled = [layer.weight[entry].item() for _, source, entry in links(layer) if source is not None]
    assert unrolled_moments(layer) == pytest.approx((np.mean(unrolled), np.std(unrolled)), abs=1e-10)


# ---------------------------------------------------------------- nulls and divergences


def test_shuffling_keeps_the_link_weights_exactly():
    layer = AffineLayer(torch.randn(6, 3, 3, 3), torch.randn(6), (3, 8, 8), padding=1)
    shuffled = shuffled_weights(layer, seed=3)
    assert not torch.equal(shuffled.weight, layer.weight)
    assert sorted(link_weights(shuffled.weight).values) == sorted(link_weights(layer.weight).values)
    assert sorted(shuffled.bias.tolist()) == sorted(layer.bias.tolist())
    assert torch.equal(shuffled_weights(layer, seed=3).weight, shuffled.weight)
    assert shuffled.padding == layer.padding


def test_random_weights_lie_within_their_null_and_structured_ones_do_not():
    null = fluctuation_null([AffineLayer(torch.randn(40, 60)), AffineLayer(torch.randn(10, 40))])
    assert (np.abs(null.values - null.mean) < 4 * null.sd).all()
    rows = torch.randn(40, 1).expand(40, 60) + 0.1 * torch.randn(40, 60)
    structured = fluctuation_null([AffineLayer(rows)])
    assert structured.ratio[1] > 3
    assert structured.ratio[0] < 0.5


def test_the_null_is_the_same_for_the_same_seed():
    layers = [AffineLayer(torch.randn(5, 6))]
    assert np.array_equal(fluctuation_null(layers, seed=1).mean, fluctuation_null(layers, seed=1).mean)
    assert not np.array_equal(fluctuation_null(layers, seed=1).mean, fluctuation_null(layers, seed=2).mean)


def test_a_ratio_to_nothing_is_undefined():
    null = fluctuation_null([AffineLayer(torch.ones(3, 4))])
    assert np.isnan(null.ratio).all()


def test_jensen_shannon_divergence():
    from scipy.spatial.distance import jensenshannon

    generator = np.random.default_rng(0)
    samples = [generator.normal(size=500), generator.normal(1, 2, size=300), generator.uniform(9, 10, size=50)]
    found = jensen_shannon(samples, bins=32)
    edges = np.linspace(min(map(np.min, samples)), max(map(np.max, samples)), 33)
    shares = [np.histogram(sample, edges)[0] for sample in samples]
    for k, m in itertools.product(range(3), repeat=2):
        assert found[k, m] == pytest.approx(jensenshannon(shares[k], shares[m], base=2) ** 2, abs=1e-12)
    assert found[0, 2] == pytest.approx(1.0)
    assert jensen_shannon([[2.0, 2.0], [2.0]]).tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_plain_gradient_descent_conserves_what_leads_out_of_the_last_hidden_layer():
    """Softmax's gradient over the classes sums to zero, so part of what strengths show is forced by the loss."""
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 5)).double()
    head = model[2]
    before_out = AffineLayer(head.weight).out_strength()
    before, bias = head.weight.detach().clone(), head.bias.sum().item()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    inputs, labels = torch.randn(64, 8, dtype=torch.float64), torch.randint(5, (64,))
    for _ in range(100):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
    assert (head.weight - before).abs().max() > 0.5
    assert torch.allclose(AffineLayer(head.weight).out_strength(), before_out, rtol=0, atol=1e-12)
    assert head.bias.sum().item() == pytest.approx(bias, abs=1e-12)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"weight": torch.ones(2, 3, 3, 3)}, r"is no matrix; a convolution needs the shape of its inputs"),
        ({"weight": torch.tensor([[math.nan, 1.0]])}, r"`weight` holds 1 NaN or infinite values of 2"),
        ({"weight": torch.ones(0, 3)}, r"`weight` of shape \(0, 3\) is empty"),
        ({"weight": torch.ones(2, 3), "bias": torch.ones(3)}, r"`bias` has shape \(3,\) and must have one entry per"),
        ({"weight": torch.ones(2, 3, 3), "input_shape": (3, 8, 8)}, r"has 1 kernel axes, and `input_shape`"),
        ({"weight": torch.ones(2, 3, 3, 3), "input_shape": (4, 8, 8)}, r"takes 3 x 1 \(groups\) input channels"),
        (
            {"weight": torch.ones(3, 2, 3, 3), "input_shape": (4, 8, 8), "groups": 2},
            r"`groups` \(=2\) must divide the 3",
        ),
        (
            {"weight": torch.ones(2, 3, 9, 9), "input_shape": (3, 8, 8)},
            r"kernel of size 9 does not fit into inputs of size 8",
        ),
        ({"weight": torch.ones(2, 3, 3, 3), "input_shape": (3, 8, 8), "stride": 0}, r"`stride` \(=0\) must be 2 whole"),
        (
            {"weight": torch.ones(2, 3, 3, 3), "input_shape": (3, 8, 8), "padding": "same"},
            r"`padding` \(='same'\) must be 2",
        ),
    ],
)
def test_layers_that_make_no_sense(arguments, match):
    with pytest.raises(DynExplorerError, match=match):
        AffineLayer(**arguments)


def test_chains_and_options_that_make_no_sense():
    layer = AffineLayer(torch.ones(2, 3))
    with pytest.raises(DynExplorerError, match="`layers` is empty"):
        node_strength([])
    with pytest.raises(DynExplorerError, match=r"layer 0 ends in nodes of shape \(2,\) and layer 1 begins with \(3,\)"):
        node_strength([layer, layer])
    with pytest.raises(DynExplorerError, match=r"`sign` \(='positive'\) must be one of 'signed'"):
        node_strength([layer], sign="positive")
    with pytest.raises(DynExplorerError, match=r"`padding` \(='same'\) must be one of 'real', 'repo'"):
        node_strength([layer], padding="same")
    with pytest.raises(DynExplorerError, match=r"`shuffles` \(=1\) must be a whole number of at least 2"):
        fluctuation_null([layer], shuffles=1)
    with pytest.raises(DynExplorerError, match="layer 0 of `strengths` has no nodes"):
        layer_fluctuation([[]])
    with pytest.raises(DynExplorerError, match="sample 1 must hold at least one value, and only finite ones"):
        jensen_shannon([[1.0], [math.inf]])
    with pytest.raises(DynExplorerError, match=r"`bins` \(=1\) must be a whole number"):
        jensen_shannon([[1.0]], bins=1)

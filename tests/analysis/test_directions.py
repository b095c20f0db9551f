"""Directions of consecutive layers: signals are input patterns, links are projections with a known null."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import beta
from torch import nn

from dyn_explorer import DynExplorerError
from dyn_explorer.analysis import direction_signals, direction_synapses, filter_svd, strongest_first


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 2), groups=2),
        nn.Conv2d(3, 5, 3, dilation=2),
        nn.Conv1d(4, 8, 3, groups=4),
    ],
    ids=str,
)
def test_a_signal_is_the_convolution_with_the_pattern(conv):
    sizes = (9, 8)[: conv.weight.ndim - 2]
    inputs = torch.randn(3, conv.in_channels, *sizes)
    found = filter_svd(conv.weight, groups=conv.groups)
    order = strongest_first(found)
    assert (np.diff(found.singular_values[tuple(order.T)]) <= 0).all()
    convolve = nn.functional.conv2d if conv.weight.ndim == 4 else nn.functional.conv1d
    for direction, (group, place) in enumerate(order):
        signal = direction_signals(conv(inputs), found, direction, bias=conv.bias)
        pattern = torch.from_numpy(found.singular_values[group, place] * found.right[group, place])[None].float()
        mine = inputs.unflatten(1, (conv.groups, -1))[:, group]
        expected = convolve(mine, pattern, None, conv.stride, conv.padding, conv.dilation)[:, 0]
        assert torch.allclose(signal, expected, rtol=0, atol=1e-5)


def test_signals_of_tokens_have_their_channels_last():
    layer = nn.Linear(5, 4).double()
    tokens = torch.randn(2, 7, 5, dtype=torch.float64)
    found = filter_svd(layer.weight)
    signal = direction_signals(layer(tokens), found, 1, bias=layer.bias, channel_dim=2)
    expected = tokens @ torch.from_numpy(found.singular_values[0, 1] * found.right[0, 1])
    assert torch.allclose(signal, expected, rtol=0, atol=1e-12)


def slow_strength(u: np.ndarray, v: np.ndarray) -> float:
    """Channel by channel and position by position, as the definition says."""
    flat = v.reshape(len(v), -1)
    return sum(sum(flat[o, z] * u[o] for o in range(len(u))) ** 2 for z in range(flat.shape[1]))


def test_links_are_those_of_the_definition():
    source, target = filter_svd(torch.randn(5, 3, 3, 3)), filter_svd(torch.randn(4, 5, 2, 3))
    found = direction_synapses(source, target)
    assert found.taps == 6
    for i in range(4):
        for j in range(5):
            assert found.strengths[i, j] == pytest.approx(slow_strength(source.left[0, :, j], target.right[0, i]))
    # The source's directions are a basis of its channels, so a pattern is shared out among them.
    assert found.strengths.sum(axis=1) == pytest.approx(np.ones(4))
    assert found.null_mean == pytest.approx(np.full((4, 5), 1 / 5))


def test_random_layers_have_as_many_links_as_the_null_says():
    shares, strengths = [], []
    for _ in range(6):
        source, target = filter_svd(torch.randn(64, 20, 3, 3)), filter_svd(torch.randn(64, 64, 3, 3))
        found = direction_synapses(source, target, level=0.95)
        shares.append(found.edges.mean())
        strengths.append(found.strengths.mean())
    assert np.mean(strengths) == pytest.approx(1 / 64, rel=1e-6)
    assert np.mean(shares) == pytest.approx(beta.sf(found.threshold[0, 0], 4.5, 9 * 63 / 2), rel=0.1)
    assert 0.02 < np.mean(shares) <= 0.05


def test_a_planted_link_is_found():
    source = filter_svd(torch.randn(32, 10, 3, 3))
    weight = 0.05 * torch.randn(16, 32, 3, 3)
    kernel = torch.ones(3, 3) / 3
    weight[0] += 4 * torch.einsum("o,hw->ohw", torch.from_numpy(source.left[0, :, 7]).float(), kernel)
    found = direction_synapses(source, filter_svd(weight))
    assert found.edges[0, 7]
    assert found.strengths[0].argmax() == 7
    assert found.strengths[0, 7] > 0.9


def test_groups_meet_only_where_channels_do():
    source, target = filter_svd(torch.randn(6, 2, 3), groups=2), filter_svd(torch.randn(4, 3, 2), groups=2)
    found = direction_synapses(source, target)
    apart = strongest_first(target)[:, :1] != strongest_first(source)[None, :, 0]
    assert (found.strengths[apart] == 0).all()
    assert np.isinf(found.threshold[apart]).all()
    assert (found.strengths[~apart] > 0).all()
    assert found.null_mean[~apart] == pytest.approx(np.full((~apart).sum(), 1 / 3))


def test_a_linear_layer_behind_a_flattened_map_reads_positions():
    conv, linear = torch.randn(4, 2, 3, 3), torch.randn(3, 4 * 5 * 5)
    found = direction_synapses(filter_svd(conv), filter_svd(linear))
    unrolled = direction_synapses(filter_svd(conv), filter_svd(linear.reshape(3, 4, 5, 5)))
    assert found.taps == 25
    assert np.allclose(found.strengths, unrolled.strengths)


def test_bad_input_is_answered_in_words():
    found = filter_svd(torch.randn(4, 6))
    with pytest.raises(DynExplorerError, match="puts out 4 channels and the second takes 6; give two layers"):
        direction_synapses(found, found)
    with pytest.raises(DynExplorerError, match=r"`level` \(=1\) must lie strictly between 0 and 1"):
        direction_synapses(found, filter_svd(torch.randn(3, 4)), level=1)
    values = filter_svd(torch.randn(3, 4), compute="values")
    with pytest.raises(DynExplorerError, match='values only; make it with compute="vectors"'):
        direction_synapses(found, values)
    with pytest.raises(DynExplorerError, match=r"`direction` \(=4\) must lie in 0\.\.3"):
        direction_signals(torch.randn(2, 4), found, 4)
    with pytest.raises(DynExplorerError, match=r"`outputs` of shape \(2, 5\) must have 4 channels in dimension"):
        direction_signals(torch.randn(2, 5), found, 0)

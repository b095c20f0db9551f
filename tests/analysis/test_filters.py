"""Filters: the signal identity, the operator as a dense matrix, and the random-matrix fit against a slow reference."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

import dyn_explorer as dx
from dyn_explorer import DynExplorerError
from dyn_explorer.analysis import (
    filter_svd,
    marchenko_pastur_density,
    marchenko_pastur_median,
    operator_spectrum,
    random_matrix_fit,
)

CASES = [
    {"in_channels": 4, "out_channels": 6, "kernel_size": 3},
    {"in_channels": 4, "out_channels": 6, "kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 2), "groups": 2},
    {"in_channels": 6, "out_channels": 6, "kernel_size": 3, "dilation": 2, "padding": 2, "groups": 6},
    {"in_channels": 4, "out_channels": 40, "kernel_size": 2, "stride": 3, "groups": 4},
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_direction_of_the_outputs_is_a_pattern_of_the_inputs(case):
    conv = nn.Conv2d(**case, dtype=torch.float64)
    images = torch.randn(2, case["in_channels"], 9, 8, dtype=torch.float64)
    found = filter_svd(conv.weight, groups=conv.groups)
    with torch.no_grad():
        outputs = (conv(images) - conv.bias[:, None, None]).unflatten(1, (conv.groups, -1)).numpy()
    for group in range(conv.groups):
        signals = np.einsum("di,ndhw->nihw", found.left[group], outputs[:, group])
        patterns = torch.from_numpy(found.right[group] * found.singular_values[group][:, None, None, None])
        mine = images.unflatten(1, (conv.groups, -1))[:, group]
        expected = nn.functional.conv2d(mine, patterns, None, conv.stride, conv.padding, conv.dilation)
        assert np.allclose(signals, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("module", "transposed"),
    [
        (nn.Linear(7, 4), False),
        (nn.Conv1d(4, 6, 5, groups=2), False),
        (nn.Conv3d(2, 3, 2), False),
        (nn.ConvTranspose2d(4, 6, 3, groups=2), True),
    ],
)
def test_every_kind_of_weight_is_rebuilt_from_its_parts(module, transposed):
    groups = getattr(module, "groups", 1)
    found = filter_svd(module.weight, groups=groups, transposed=transposed)
    weight = module.weight.detach().double().numpy()
    blocks = weight.reshape(groups, -1, *weight.shape[1:])
    blocks = blocks.swapaxes(1, 2) if transposed else blocks
    rebuilt = np.einsum("gdr,gr,gr...->gd...", found.left, found.singular_values, found.right)
    assert np.allclose(rebuilt, blocks, rtol=0, atol=1e-12)
    assert (np.diff(found.singular_values, axis=1) <= 0).all()
    values = filter_svd(module.weight, groups=groups, transposed=transposed, compute="values")
    assert values.left is None
    assert np.allclose(values.singular_values, found.singular_values, rtol=0, atol=1e-7 * found.singular_values.max())


def test_groups_are_the_blocks_of_a_dense_matrix():
    weight = torch.randn(6, 2, 3, 3)
    found = filter_svd(weight, groups=3)
    dense = torch.block_diag(*weight.reshape(3, 2, 18)).double()
    expected = torch.linalg.svdvals(dense)
    assert np.allclose(np.sort(found.singular_values.ravel())[::-1], expected, rtol=0, atol=1e-12)


def test_signs_are_fixed_and_zero_directions_are_finite():
    weight = torch.randn(5, 8)
    for left in (filter_svd(weight).left[0], filter_svd(-weight).left[0]):
        assert (left[np.abs(left).argmax(axis=0), np.arange(5)] > 0).all()
    flat = filter_svd(torch.ones(4, 3, 2, 2))
    assert np.isfinite(flat.left).all()
    assert np.isfinite(flat.right).all()
    assert filter_svd(torch.zeros(3, 4)).singular_values.tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("strength", [0, 10])
@pytest.mark.parametrize("shape", [(128, 512), (600, 130), (200, 200), (130, 20, 3, 3)])
def test_values_alone_are_within_the_promised_distance(shape, strength):
    weight = torch.randn(shape)
    rows, rest = shape[0], math.prod(shape[1:])
    weight += strength * torch.outer(torch.randn(rows), torch.randn(rest)).reshape(shape)
    expected = torch.linalg.svdvals(weight.flatten(1).double()).numpy()
    found = filter_svd(weight, compute="values").singular_values[0]
    assert np.abs(found - expected).max() < 1e-5 * expected[0]
    exact = filter_svd(weight.double(), compute="values").singular_values[0]
    assert np.abs(exact - expected).max() < 1e-8 * expected[0]


def test_the_strongest_directions_are_those_of_the_whole_decomposition():
    for weight, groups in ((torch.randn(12, 4, 3, 3), 2), (torch.randn(40, 6), 1)):
        whole, some = filter_svd(weight, groups=groups), filter_svd(weight, groups=groups, keep=3)
        assert np.allclose(some.left, whole.left[:, :, :3], rtol=0, atol=1e-10)
        assert np.allclose(some.right, whole.right[:, :3], rtol=0, atol=1e-10)
        assert np.allclose(some.singular_values, whole.singular_values, rtol=0, atol=1e-10)
    assert np.isfinite(filter_svd(torch.zeros(4, 6), keep=9).right).all()


# ---------------------------------------------------------------- the operator


def dense_operator(weight: torch.Tensor, size: tuple[int, int], stride: int, groups: int) -> np.ndarray:
    """The circular convolution as a matrix, column by column."""
    inputs = weight.shape[1] * groups
    basis = torch.eye(inputs * math.prod(size), dtype=torch.float64).reshape(-1, inputs, *size)
    padded = nn.functional.pad(basis, (0, weight.shape[3] - 1, 0, weight.shape[2] - 1), mode="circular")
    return nn.functional.conv2d(padded, weight, None, stride, groups=groups).flatten(1).T.numpy()


@pytest.mark.parametrize(
    ("shape", "size", "stride", "groups"),
    [
        ((3, 2, 3, 3), (6, 6), 1, 1),
        ((2, 3, 2, 3), (4, 6), 2, 1),
        ((4, 2, 3, 3), (6, 9), 3, 2),
        ((4, 1, 3, 1), (4, 5), 1, 4),
        ((5, 1, 2, 2), (4, 4), 2, 1),
    ],
)
def test_the_spectrum_is_that_of_the_dense_operator(shape, size, stride, groups):
    weight = torch.randn(shape, dtype=torch.float64)
    found = operator_spectrum(weight, size, stride=stride, groups=groups)
    expected = np.linalg.svd(dense_operator(weight, size, stride, groups), compute_uv=False)
    rest = expected[len(found) :]
    assert np.allclose(found[: len(expected)], expected[: len(found)], rtol=0, atol=1e-10)
    assert np.allclose(rest, 0, atol=1e-10)
    assert np.allclose(found[len(expected) :], 0, atol=1e-10)


def test_the_gain_lies_between_the_bounds_of_the_unfolded_spectrum():
    weight = torch.randn(6, 4, 3, 3)
    unfolded = filter_svd(weight, compute="values").singular_values.max()
    gain = operator_spectrum(weight, (8, 8))[0]
    assert unfolded - 1e-9 <= gain <= 3 * unfolded + 1e-9


def test_one_and_three_dimensions_of_the_operator():
    kernel = torch.tensor([[[1.0, -1.0]]])
    values = operator_spectrum(kernel, (8,))
    assert values == pytest.approx(sorted(2 * np.abs(np.sin(np.pi * np.arange(8) / 8)), reverse=True), abs=1e-12)
    assert len(operator_spectrum(torch.randn(2, 3, 2, 2, 2), (4, 4, 2), stride=2)) == 2 * 2 * 1 * 2


# ---------------------------------------------------------------- random matrices


def slow_power_law(values: np.ndarray) -> tuple[float, float, int]:
    """Exponent, distance and length of the tail, candidate by candidate and point by point."""
    ordered = sorted(values.tolist())
    best = (math.inf, math.nan, 0)
    for x_min in sorted(set(ordered))[:-1]:
        tail = [x for x in ordered if x >= x_min]
        alpha = 1 + len(tail) / sum(math.log(x / x_min) for x in tail)
        distance = max(abs(1 - (x / x_min) ** (1 - alpha) - j / len(tail)) for j, x in enumerate(tail))
        if distance < best[0]:
            best = (distance, alpha, len(tail))
    return best[1], best[0], best[2]


@pytest.mark.parametrize("draw", ["gaussian", "heavy", "pareto"])
def test_the_exponent_is_that_of_the_slow_reference(draw):
    generator = np.random.default_rng(0)
    if draw == "pareto":
        singular = np.sqrt(1000 * (1 + generator.pareto(1.5, size=200)))
        shape = (200, 1000)
    else:
        shape = (80, 300)
        entries = generator.normal(size=shape) if draw == "gaussian" else generator.standard_t(2, size=shape)
        singular = np.linalg.svd(entries, compute_uv=False)
    fit = random_matrix_fit(singular, shape)
    alpha, distance, points = slow_power_law(fit.eigenvalues)
    assert fit.alpha == pytest.approx(alpha, rel=1e-10)
    assert fit.ks_distance == pytest.approx(distance, rel=1e-8)
    assert fit.tail_points == points
    assert (fit.eigenvalues >= fit.x_min * (1 - 1e-12)).sum() == points
    assert fit.alpha_weighted == pytest.approx(alpha * math.log10(fit.eigenvalues[0]))
    if draw == "pareto":
        assert fit.alpha == pytest.approx(2.5, abs=0.4)


def test_a_gaussian_matrix_has_no_spikes_and_a_large_exponent():
    entries = 0.3 * np.random.default_rng(0).normal(size=(256, 2304))
    fit = random_matrix_fit(np.linalg.svd(entries, compute_uv=False), entries.shape)
    assert fit.alpha == pytest.approx(10, abs=1.5)
    assert fit.variance == pytest.approx(0.09, rel=0.02)
    assert fit.edge == pytest.approx(0.09 * (1 + 1 / 3) ** 2, rel=0.02)
    assert fit.spikes <= 1


def test_planted_directions_stand_out():
    generator = np.random.default_rng(1)
    entries = generator.normal(size=(100, 400))
    for k in range(3):
        entries += (3 + k) * np.outer(generator.normal(size=100), generator.normal(size=400)) / 10
    assert random_matrix_fit(np.linalg.svd(entries, compute_uv=False), entries.shape).spikes == 3


def test_untrained_layers_have_less_than_one_spike_on_average_and_the_trained_demo_has_more():
    def spikes(model: nn.Module) -> list[int]:
        layers = [model.conv2, model.conv3]
        found = [filter_svd(layer.weight, compute="values") for layer in layers]
        return [random_matrix_fit(f.singular_values, f.shape).spikes for f in found]

    untrained = [spikes(dx.demo.small_cnn(seed)) for seed in range(20)]
    assert np.mean(untrained) < 1
    trained = spikes(dx.demo.load("trained"))
    assert min(trained) >= 1
    assert trained[-1] >= 2


@pytest.mark.parametrize("ratio", [1.0, 0.5, 0.1])
def test_the_law_is_a_density_with_its_median_in_the_middle(ratio):
    low, high = (1 - math.sqrt(ratio)) ** 2, (1 + math.sqrt(ratio)) ** 2
    roots = np.linspace(math.sqrt(low), math.sqrt(high), 200_001)  # in them the density is bounded, even at ratio 1
    mass = np.cumsum(marchenko_pastur_density(roots**2, 1.0, ratio) * 2 * roots) * (roots[1] - roots[0])
    assert mass[-1] == pytest.approx(1, abs=1e-4)
    assert roots[np.searchsorted(mass, 0.5)] ** 2 == pytest.approx(marchenko_pastur_median(ratio), rel=1e-3)
    assert marchenko_pastur_density([high + 1, -1.0], 1.0, ratio).tolist() == [0, 0]


def test_groups_are_pooled():
    weight = torch.randn(60, 4, 3, 3)
    found = filter_svd(weight, groups=3, compute="values")
    fit = random_matrix_fit(found.singular_values, found.shape)
    assert len(fit.eigenvalues) == 60
    assert fit.variance == pytest.approx(1, rel=0.15)


# ---------------------------------------------------------------- bad input


def test_what_has_no_exponent_says_why():
    few = random_matrix_fit(np.linspace(1, 2, 20), (20, 100))
    assert math.isnan(few.alpha)
    assert math.isnan(few.alpha_weighted)
    assert few.tail_points == 0
    assert few.reason == "20 positive eigenvalues; a power law wants at least 50"
    assert few.stable_rank > 1
    zero = random_matrix_fit(np.zeros(60), (60, 100))
    assert math.isnan(zero.stable_rank)
    assert math.isnan(zero.entropy)
    assert zero.spikes == 0
    constant = filter_svd(torch.ones(60, 100), compute="values")
    fit = random_matrix_fit(constant.singular_values, constant.shape)
    assert fit.spikes == 0
    assert fit.stable_rank == pytest.approx(1)
    equal = random_matrix_fit(np.ones(60), (60, 60))
    assert equal.reason == "all eigenvalues are equal, so there is no tail"
    assert equal.entropy == pytest.approx(1)


def test_bad_input_is_answered_in_words():
    with pytest.raises(DynExplorerError, match=r"`weight` of shape \(3,\) is no matrix and no kernel"):
        filter_svd(torch.ones(3))
    with pytest.raises(DynExplorerError, match="`weight` holds 1 NaN or infinite values of 4"):
        filter_svd(torch.tensor([[1.0, 2.0], [math.inf, 0.0]]))
    with pytest.raises(DynExplorerError, match=r"`groups` \(=4\) must divide the 6 output channels"):
        filter_svd(torch.ones(6, 2), groups=4)
    with pytest.raises(DynExplorerError, match=r"`compute` \(='all'\) must be one of 'vectors', 'values'"):
        filter_svd(torch.ones(6, 2), compute="all")
    with pytest.raises(DynExplorerError, match=r"`keep` \(=0\) must be a whole number of at least 1"):
        filter_svd(torch.ones(6, 2), keep=0)
    kernel = torch.ones(2, 2, 3, 3)
    with pytest.raises(DynExplorerError, match=r"smaller than the kernel \(3, 3\) along axis 1; give at least 3"):
        operator_spectrum(kernel, (4, 2))
    with pytest.raises(DynExplorerError, match=r"`stride` \(=2\) must divide the input size 5 along axis 0"):
        operator_spectrum(kernel, (5, 4), stride=2)
    with pytest.raises(DynExplorerError, match="must have one size per kernel axis, and the weight has 2"):
        operator_spectrum(kernel, (5,))
    with pytest.raises(DynExplorerError, match=r"holds 7 values; a matrix of shape \(5, 9\) has 5"):
        random_matrix_fit(np.ones(7), (5, 9))
    with pytest.raises(DynExplorerError, match="must be finite and not negative"):
        random_matrix_fit([-1.0, 1.0], (2, 2))
    with pytest.raises(DynExplorerError, match="must be rows and columns of the matrix"):
        random_matrix_fit([1.0], (1,))

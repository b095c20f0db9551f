"""Snapshots: what the columns are, and which of them are left out."""

import time

import pytest
import torch
from torch import nn
from torch.nn import functional

from dyn_explorer.capture import LayerInfo, Recording, record, snapshots
from dyn_explorer.capture.columns import find_idle_columns
from dyn_explorer.errors import DynExplorerError


def recording_of(channel_dims=None, labels=None, **activations):
    n_samples = len(next(iter(activations.values())))
    dims = dict.fromkeys(activations, 1) | (channel_dims or {})
    layers = tuple(LayerInfo(name, "Conv2d") for name in activations)
    return Recording(activations, torch.zeros(n_samples, 1), None, labels, layers, dims)


def rand(*shape, dtype=torch.float32):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(sum(shape))).to(dtype)


def test_channel_axis_has_one_column_per_channel():
    a = rand(3, 5, 4, 6)
    result = snapshots(recording_of(a=a), "a", sample=2)
    assert torch.equal(result.matrix, a[2].flatten(1).T)
    assert result.labels == tuple(f"a · channel {index}" for index in range(5))
    assert (result.axis, result.map_shape, result.feature_shape, result.dt) == ("channel", (4, 6), (4, 6), 1.0)
    assert result.layers == ("a",)
    assert result.sample == 2
    assert result.dropped == ()
    assert result.column_meaning == "each column is one channel of a, in natural order, for sample 2"


def test_channels_of_several_layers_come_on_one_grid_in_execution_order():
    a, b = rand(2, 3, 8, 8), rand(2, 2, 4, 4)
    result = snapshots(recording_of(a=a, b=b), ["b", "a"])
    wide = functional.interpolate(b[:1], size=(8, 8), mode="bilinear", align_corners=False)[0]
    assert torch.equal(result.matrix, torch.cat([a[0], wide]).flatten(1).T)
    assert result.layers == ("a", "b")
    assert result.labels[3:] == ("b · channel 0", "b · channel 1")
    assert "resized to 8 x 8" in result.column_meaning
    assert snapshots(recording_of(a=a, b=b), ["a", "b"], size=4).map_shape == (4, 4)
    assert snapshots(recording_of(a=a), "a", size=(2, 3)).matrix.shape == (6, 3)


@pytest.mark.parametrize(("grid", "n_dims"), [((9,), 1), ((4, 5), 2), ((3, 4, 5), 3)])
def test_maps_of_one_to_three_dimensions(grid, n_dims):
    a = rand(2, 4, *grid)
    result = snapshots(recording_of(a=a), "a")
    assert result.map_shape == grid
    assert torch.equal(result.matrix, a[0].flatten(1).T)
    assert snapshots(recording_of(a=a), "a", size=6).map_shape == (6,) * n_dims


def test_channels_last_maps():
    a = rand(2, 4, 5, 7)
    result = snapshots(recording_of({"a": 3}, a=a), "a")
    assert result.map_shape == (4, 5)
    assert torch.equal(result.matrix, a[0].reshape(20, 7))


@pytest.mark.parametrize(
    ("n_tokens", "shape", "left_out"), [(16, (4, 4), 0), (17, (4, 4), 1), (15, (15,), 0), (2, (2,), 0)]
)
def test_tokens_are_laid_out_as_a_square(n_tokens, shape, left_out):
    tokens = rand(2, n_tokens, 6)
    recording = recording_of({"a": 2}, a=tokens)
    result = snapshots(recording, "a")
    assert result.map_shape == shape
    assert torch.equal(result.matrix, tokens[0, left_out:])
    assert ("class token is left out" in result.column_meaning) is bool(left_out)
    assert snapshots(recording_of({"a": 2}, a=rand(3, n_tokens, 6)), "a", axis="sample").matrix.shape[0] == n_tokens * 6


def test_a_sequence_with_channels_first_is_no_token_grid():
    assert snapshots(recording_of(a=rand(2, 6, 16)), "a").map_shape == (16,)


def test_layer_axis_averages_channels_and_follows_depth():
    a, b, c = rand(2, 3, 8, 8), rand(2, 5, 8, 8), rand(2, 2, 4, 4)
    result = snapshots(recording_of(a=a, b=b, c=c), ["c", "a", "b"], axis="layer", sample=1)
    assert result.labels == result.layers == ("a", "b", "c")
    assert torch.equal(result.matrix[:, 0], a[1].mean(0).flatten())
    wide = functional.interpolate(c[1:].mean(1, keepdim=True), size=(8, 8), mode="bilinear", align_corners=False)
    torch.testing.assert_close(result.matrix[:, 2], wide.flatten())
    assert "each column is one of 3 layers in execution order" in result.column_meaning


def test_sample_axis_has_one_column_per_sample():
    a, b = rand(5, 3, 4, 4), rand(5, 7)
    labels = torch.tensor([7, 1, 1, 0, 2])
    result = snapshots(recording_of(a=a, b=b, labels=labels), "a", axis="sample", sample=99)
    assert torch.equal(result.matrix, a.flatten(1).T)
    assert result.labels[0] == "sample 0 (class 7)"
    assert (result.map_shape, result.feature_shape, result.sample) == (None, (3, 4, 4), None)
    both = snapshots(recording_of(a=a, b=b), ["a", "b"], axis="sample")
    assert torch.equal(both.matrix, torch.cat([a.flatten(1), b], 1).T)
    assert both.feature_shape == (55,)
    assert both.labels[4] == "sample 4"


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (torch.float64, torch.float64),
        (torch.float32, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float16, torch.float32),
    ],
)
def test_half_precision_is_widened(dtype, expected):
    recording = recording_of(a=rand(3, 4, 5, 5, dtype=dtype), b=rand(3, 4, 3, 3, dtype=dtype))
    assert snapshots(recording, ["a", "b"]).matrix.dtype == expected
    assert snapshots(recording, ["a", "b"], axis="sample").matrix.dtype == expected


def test_constant_and_repeated_columns_are_left_out_and_named():
    a = rand(1, 8, 5, 5)
    a[0, 1], a[0, 2] = 0.0, 3.0
    a[0, 5] = a[0, 3]
    a[0, 7] = a[0, 3]
    a[0, 6] *= 1e-12
    result = snapshots(recording_of(**{"x {1} %s": a}), "x {1} %s")
    name = "x {1} %s · channel "
    assert result.dropped == (
        (f"{name}1", "constant"),
        (f"{name}2", "constant"),
        (f"{name}5", f"the same as {name}3"),
        (f"{name}6", "constant"),
        (f"{name}7", f"the same as {name}3"),
    )
    assert torch.equal(result.matrix, a[0, [0, 3, 4]].flatten(1).T)
    assert result.labels == tuple(f"{name}{index}" for index in (0, 3, 4))
    assert "5 constant or repeated columns are left out" in result.column_meaning
    everything = snapshots(recording_of(a=a), "a", drop=False)
    assert everything.matrix.shape == (25, 8)
    assert everything.dropped == ()


def slow_idle_columns(matrix, tolerance):
    """The same by comparing all pairs, as the docstring says it."""
    largest = matrix.abs().amax(0)
    idle = {}
    for j in range(matrix.shape[1]):
        if matrix[:, j].max() - matrix[:, j].min() <= tolerance * max(largest[j], tolerance * largest.max()):
            idle[j] = "constant"
            continue
        for i in range(j):
            if i not in idle and (matrix[:, i] - matrix[:, j]).abs().max() <= tolerance * largest[i]:
                idle[j] = f"the same as {{{i}}}"
                break
    return idle


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-12)])
@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20])
def test_idle_columns_agree_with_comparing_all_pairs(dtype, tolerance, scale):
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(40, 60, generator=generator, dtype=dtype) * scale
    copies = torch.randint(0, 60, (2, 20), generator=generator)
    matrix[:, copies[0]] = matrix[:, copies[1]]
    matrix[:, 9] = matrix[:, 8] * (1 + 0.2 * tolerance)
    matrix[:, 11] = matrix[:, 10] * (1 + 50 * tolerance)
    matrix[:, 13] = -matrix[:, 12]
    matrix[:, [3, 30]] = 0
    idle = find_idle_columns(matrix)
    assert idle == slow_idle_columns(matrix, tolerance)
    assert idle[9] == "the same as {8}"
    assert 11 not in idle
    assert 13 not in idle


def test_finding_idle_columns_costs_less_than_the_factorisation():
    # Columns lie one after the other in memory, as `snapshots` lays them.
    matrix = torch.randn(64, 60_000, generator=torch.Generator().manual_seed(0)).T
    matrix[:, 1::4] = matrix[:, :1]

    def seconds(function):
        start = time.perf_counter()
        function()
        return time.perf_counter() - start

    assert len(find_idle_columns(matrix)) == 16
    pairs = [
        (seconds(lambda: find_idle_columns(matrix)), seconds(lambda: torch.linalg.qr(matrix, mode="r")))
        for _ in range(6)
    ]
    # Side by side, because other programs on the machine may slow one of them for a while.
    assert min(finding / factoring for finding, factoring in pairs) < 1


def test_random_generators_are_left_alone():
    before = torch.get_rng_state()
    snapshots(recording_of(a=rand(1, 4, 3, 3)), "a")
    assert torch.equal(torch.get_rng_state(), before)


def test_a_snapshot_does_not_share_memory_that_a_person_may_write():
    recording = recording_of(a=rand(1, 4, 3, 3))
    snapshots(recording, "a").matrix.zero_()
    assert bool(recording.activations["a"].any())


NAN = float("nan")


@pytest.mark.parametrize(
    ("activations", "call", "message"),
    [
        ({"a": rand(4, 4, 3, 3)}, {"layers": "a", "axis": "time"}, "unknown axis 'time'; .*: channel, layer, sample"),
        ({"abc": rand(4, 4, 3, 3)}, {"layers": "abd"}, "unknown layer 'abd'; the nearest names are: abc"),
        ({"a": rand(4, 4, 3, 3)}, {"layers": []}, "`layers` is empty"),
        ({"a": rand(4, 4, 3, 3)}, {"layers": "a", "sample": 4}, r"`sample` \(=4\) must lie in 0..3"),
        ({"a": rand(4, 4, 3, 3)}, {"layers": "a", "sample": -1}, r"`sample` \(=-1\) must lie in 0..3"),
        ({"a": rand(4, 4, 3, 3)}, {"layers": "a", "size": (3,)}, r"`size` \(=\(3,\)\) must be 2 positive integers"),
        ({"a": rand(4, 4, 3, 3)}, {"layers": "a", "size": 0}, "must be 2 positive integers"),
        ({"a": rand(4, 9)}, {"layers": "a"}, "one value per channel.*axis='sample'"),
        ({"a": rand(4, 9, 1, 1)}, {"layers": "a"}, "one value per channel.*axis='sample'"),
        ({"a": rand(4, 9, 2, 2, 2, 2)}, {"layers": "a"}, "has 4 dimensions beside its channels.*axis='sample'"),
        ({"a": rand(4, 2, 3, 3)}, {"layers": "a"}, "gives 2 columns; at least 3.*axis='sample'.* 4 samples"),
        ({"a": rand(2, 2, 3, 3)}, {"layers": "a"}, "name more layers, or record at least 3 samples"),
        ({"a": rand(2, 4, 3, 3)}, {"layers": "a", "axis": "sample"}, "record more samples, or use axis='channel'"),
        ({"a": torch.zeros(4, 8, 3, 3)}, {"layers": "a"}, r"0 columns \(8 of 8 are constant or repeat another\)"),
        ({"a": rand(4, 2, 3, 3)}, {"layers": "a", "axis": "layer"}, "needs at least 3 layers, got 1"),
        ({"a": rand(4, 2, 3, 3), "b": rand(4, 2, 9)}, {"layers": ["a", "b"]}, r"no common grid: 'a' \(3, 3\), 'b' \(9"),
        ({"a": torch.full((4, 5, 2, 2), NAN)}, {"layers": "a"}, "layer 'a' holds 20 NaN .* of 20 in sample 0"),
        ({"a": torch.full((4, 5), NAN)}, {"layers": "a", "axis": "sample"}, "holds 20 NaN .* of 20 in 4 samples"),
    ],
    ids=range(18),
)
def test_what_cannot_be_laid_out_is_explained(activations, call, message):
    with pytest.raises(DynExplorerError, match=message):
        snapshots(recording_of(**activations), **call)


def test_a_layer_that_was_not_recorded_says_why():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU())
    recording = record(model, torch.rand(1, 1, 8, 8), layers="0")
    with pytest.raises(DynExplorerError, match=r"'1' was not recorded: it was not asked for; name it in record"):
        snapshots(recording, "1")

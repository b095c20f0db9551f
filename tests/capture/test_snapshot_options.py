"""Which columns are taken, in which order, and how they are scaled: by identities."""

import math
import time
from itertools import pairwise

import pytest
import torch
from torch.nn import functional

from dyn_explorer.capture import LayerInfo, Recording, snapshots
from dyn_explorer.capture.jet import jet, jet_table
from dyn_explorer.capture.layout import check_finite
from dyn_explorer.capture.normalise import stretch
from dyn_explorer.capture.options import Options
from dyn_explorer.capture.ordering import choose_columns
from dyn_explorer.errors import DynExplorerError


def recording_of(**activations):
    layers = tuple(LayerInfo(name, "Conv2d") for name in activations)
    n_samples = len(next(iter(activations.values())))
    return Recording(activations, torch.zeros(n_samples, 1), None, None, layers, dict.fromkeys(activations, 1))


def randn(*shape, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=dtype)


@pytest.fixture
def recording():
    return recording_of(a=randn(4, 12, 6, 5), b=randn(4, 11, 3, 3))


AXES = [("channel", ["a", "b"]), ("position", ["a", "b"]), ("sample", ["a"])]


def test_what_rounding_leaves_in_a_constant_map_is_not_stretched_into_a_picture():
    constant = torch.full((1, 9), 7.0)
    rounded = constant.clone()
    rounded[0, ::2] = torch.nextafter(rounded[0, ::2], torch.tensor(8.0))
    assert torch.equal(stretch(rounded), torch.zeros(1, 9))
    faint = constant + 1e-4 * torch.arange(9)
    assert stretch(faint).amax() == 1


@pytest.mark.parametrize(("axis", "layers"), AXES)
def test_l2_columns_have_length_one(recording, axis, layers):
    norms = snapshots(recording, layers, axis, normalise="l2").matrix.norm(dim=0)
    torch.testing.assert_close(norms, torch.ones_like(norms))


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_l2_neither_overflows_nor_vanishes(scale):
    a = randn(1, 4, 5, 5)
    expected = snapshots(recording_of(a=a), "a", normalise="l2").matrix
    torch.testing.assert_close(snapshots(recording_of(a=a * scale), "a", normalise="l2").matrix, expected)


@pytest.mark.parametrize(("axis", "layers"), AXES)
def test_minmax_columns_reach_from_0_to_1(recording, axis, layers):
    matrix = snapshots(recording, layers, axis, normalise="minmax").matrix
    assert bool((matrix.amin(0) == 0).all())
    assert bool((matrix.amax(0) == 1).all())


@pytest.mark.parametrize(("axis", "layers"), [("channel", "a"), ("position", "a"), ("sample", "a")])
def test_softmax_columns_sum_to_one(recording, axis, layers):
    matrix = snapshots(recording, layers, axis, normalise="softmax").matrix
    torch.testing.assert_close(matrix.sum(0), torch.ones(matrix.shape[1]))
    assert bool((matrix > 0).all())


def test_softmax_is_taken_before_resizing(recording):
    a = recording.activations["a"][1]
    soft = torch.softmax(a.flatten(1), 1).reshape(a.shape)
    large = functional.interpolate(soft[None], size=(9, 9), mode="bilinear", align_corners=False)[0]
    matrix = snapshots(recording, "a", sample=1, size=9, normalise="softmax").matrix
    torch.testing.assert_close(matrix, large.flatten(1).T)


def test_columns_without_range_become_zero():
    a = randn(1, 5, 4, 4)
    a[0, 1], a[0, 3] = 0.0, 2.0
    recording = recording_of(a=a)
    for normalise, zero in (("minmax", [1, 3]), ("l2", [1])):
        matrix = snapshots(recording, "a", normalise=normalise, drop=False).matrix
        assert (matrix == 0).all(0).nonzero().flatten().tolist() == zero
        assert len(snapshots(recording, "a", normalise=normalise).dropped) == 2


def test_columns_that_become_equal_are_dropped():
    a = randn(1, 5, 4, 4)
    a[0, 2] = 2 * a[0, 0]
    recording = recording_of(a=a)
    assert snapshots(recording, "a").dropped == ()
    assert snapshots(recording, "a", normalise="l2").dropped == (("a · channel 2", "the same as a · channel 0"),)


@pytest.mark.parametrize(("axis", "layers"), AXES)
def test_centred_columns_sum_to_zero(recording, axis, layers):
    before = recording.activations["a"].clone()
    plain, centred = (snapshots(recording, layers, axis, centre=centre) for centre in (False, True))
    torch.testing.assert_close(centred.matrix.sum(1), torch.zeros(len(centred.matrix)), atol=1e-4, rtol=0)
    torch.testing.assert_close(centred.matrix + plain.matrix.mean(1, keepdim=True), plain.matrix, atol=1e-5, rtol=1e-5)
    assert torch.equal(recording.activations["a"], before)
    assert "the mean column is subtracted" in centred.column_meaning


@pytest.mark.parametrize(("axis", "layers"), AXES)
@pytest.mark.parametrize("order", ["lexicographic", "random"])
def test_an_order_is_a_permutation(recording, axis, layers, order):
    natural = snapshots(recording, layers, axis)
    other = snapshots(recording, layers, axis, order=order, seed=1)
    assert other.labels != natural.labels or axis != "channel"
    places = [natural.labels.index(label) for label in other.labels]
    assert sorted(places) == list(range(len(natural.labels)))
    torch.testing.assert_close(other.matrix, natural.matrix[:, places])
    assert order in other.column_meaning


def test_lexicographic_order_is_that_of_file_names():
    layers = {f"conv{index}": randn(1, 11, 3, 3) for index in range(11)}
    labels = snapshots(recording_of(**layers), list(layers), order="lexicographic", drop=False).labels
    names = {
        f"layer-{layer}-conv{layer}-{k}.png": f"conv{layer} · channel {k}" for layer in range(11) for k in range(11)
    }
    assert list(labels) == [names[name] for name in sorted(names)]
    assert labels.index("conv10 · channel 0") < labels.index("conv2 · channel 0")
    assert [int(label.split()[-1]) for label in labels[:4]] == [0, 1, 10, 2]


def test_random_order_shuffles_channels_within_their_layer(recording):
    one, again, other = (snapshots(recording, ["a", "b"], order="random", seed=seed).labels for seed in (3, 3, 4))
    assert one == again != other
    assert all(label.startswith("a") for label in one[:12])
    assert all(label.startswith("b") for label in one[12:])
    before = torch.get_rng_state()
    snapshots(recording, "a", order="random", max_columns=4, subsample="random")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("axis", "layers"), AXES)
@pytest.mark.parametrize("subsample", ["even", "random"])
def test_fewer_columns_are_a_part_of_all_columns(recording, axis, layers, subsample):
    natural = snapshots(recording, layers, axis)
    few = snapshots(recording, layers, axis, max_columns=3, subsample=subsample, seed=2)
    assert few.labels == snapshots(recording, layers, axis, max_columns=3, subsample=subsample, seed=2).labels
    places = [natural.labels.index(label) for label in few.labels]
    assert places == sorted(places)
    torch.testing.assert_close(few.matrix, natural.matrix[:, places])
    assert few.n_available == natural.n_available == len(natural.labels)
    assert (
        f"3 of {few.n_available} columns, chosen {'evenly' if subsample == 'even' else 'at random'}"
        in few.column_meaning
    )
    if subsample == "even":
        assert (places[0], places[-1]) == (0, few.n_available - 1)


@pytest.mark.parametrize("n_columns", [3, 4, 7, 100, 101])
@pytest.mark.parametrize("most", [3, 5, 99, 100, 1000])
def test_even_choice(n_columns, most):
    keys = [f"{index:03}" for index in range(n_columns)]
    chosen = choose_columns(keys, [n_columns], Options(max_columns=most))
    assert len(set(chosen)) == len(chosen) == min(n_columns, most)
    gaps = {later - earlier for earlier, later in pairwise(chosen)}
    assert max(gaps) - min(gaps) <= 1
    timed = choose_columns(keys, [n_columns], Options(max_columns=most), timed=True)
    assert len(timed) <= most
    assert len({later - earlier for earlier, later in pairwise(timed)}) <= 1


def test_the_options_give_the_same_snapshots_again(recording):
    choices = {"size": 4, "normalise": "minmax", "centre": True, "colour": "jet", "order": "random", "seed": 7}
    first = snapshots(recording, ["a", "b"], sample=2, max_columns=9, **choices)
    assert choices.items() <= first.options.items()
    again = snapshots(recording, first.layers, first.axis, first.sample, **first.options)
    assert torch.equal(again.matrix, first.matrix)
    assert again.column_meaning == first.column_meaning
    for words in ("stretched to 0..1", "jet colours", "random order within each layer (seed 7)", "9 of 23 columns"):
        assert words in first.column_meaning


def test_jet_is_the_published_one():
    from matplotlib import colormaps

    theirs = torch.from_numpy(colormaps["jet"](range(256))[:, :3]) * 255
    assert (jet_table() - theirs).abs().max() <= 1
    assert jet_table().min() == 0
    assert jet_table().max() == 255
    values = torch.linspace(0, 1, 999)[None]
    pictures = torch.from_numpy(colormaps["jet"](values[0].numpy(), bytes=True)[:, :3]).float()
    assert (jet(values).reshape(3, 999).T - pictures).abs().max() <= 1


def test_colours_make_columns_of_three_planes(recording):
    plain = snapshots(recording, "a", normalise="minmax").matrix
    coloured = snapshots(recording, "a", colour="jet")
    assert coloured.feature_shape == (3, 6, 5)
    assert coloured.map_shape is None
    assert torch.equal(coloured.matrix, jet(plain.T).T)


def test_building_costs_less_than_the_factorisation():
    recording = recording_of(a=randn(1, 64, 256, 256))
    matrix = snapshots(recording, "a").matrix

    def seconds(function):
        start = time.perf_counter()
        function()
        return time.perf_counter() - start

    pairs = [
        (
            seconds(lambda: snapshots(recording, "a", normalise="l2")),
            seconds(lambda: torch.linalg.qr(matrix.double(), "r")),
        )
        for _ in range(5)
    ]
    assert min(building / factoring for building, factoring in pairs) < 1


def test_only_the_chosen_columns_are_made(monkeypatch):
    made = []
    empty = torch.empty

    def watched(*shape, **options):
        made.append(math.prod(shape))
        return empty(*shape, **options)

    layers = {f"conv{index}": torch.rand(1, 512, 2, 2) for index in range(40)}
    monkeypatch.setattr(torch, "empty", watched)
    result = snapshots(recording_of(**layers), list(layers), size=64, max_columns=30, order="lexicographic")
    assert result.n_available == 20_480
    assert made == [30 * 64 * 64]
    assert "40 layers (conv0 to conv39)" in result.column_meaning


def test_sums_that_overflow_are_no_infinite_values():
    check_finite(torch.full((8,), 3e38), "a", "sample 0")
    with pytest.raises(DynExplorerError, match="layer 'a' holds 1 NaN or infinite values of 3 in sample 0"):
        check_finite(torch.tensor([3e38, 3e38, math.inf]), "a", "sample 0")


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"normalise": "l3"}, r"`normalise` \(='l3'\) is unknown; choose one of: none, l2, minmax, softmax"),
        ({"normalise": None}, r"`normalise` \(=None\) is unknown"),
        ({"colour": "viridis"}, r"`colour` \(='viridis'\) is unknown; choose one of: none, jet"),
        ({"order": "by size"}, r"`order` .* natural, lexicographic, random"),
        ({"subsample": "first"}, r"`subsample` .* even, random"),
        ({"centre": "yes"}, r"`centre` \(='yes'\) must be True or False"),
        ({"drop": 1}, r"`drop` \(=1\) must be True or False"),
        ({"seed": -1}, r"`seed` \(=-1\) must be an integer of at least 0"),
        ({"max_columns": 2}, r"`max_columns` \(=2\) must be an integer of at least 3, or None"),
        ({"max_columns": 2.5}, "`max_columns`"),
        ({"axis": "position", "colour": "jet"}, "colours maps, and a column of axis='position' is no map"),
        ({"axis": "sample", "size": 8}, r"`size` \(=8\) resizes maps.*axis='sample' holds all values.*axis='channel'"),
        ({"axis": "path"}, "axis='path' needs a recording of one image on its way: record_path"),
        ({"axis": "epoch"}, "axis='epoch' needs recordings of several checkpoints: record_epochs"),
    ],
)
def test_impossible_choices_are_explained(recording, choice, message):
    with pytest.raises(DynExplorerError, match=message):
        snapshots(recording, "a", **choice)


def test_dead_layers_are_called_dead():
    with pytest.raises(DynExplorerError, match=r"0 columns \(8 of 8 .*dead units\): look at another layer or sample"):
        snapshots(recording_of(a=torch.zeros(4, 8, 3, 3)), "a")
    a = torch.zeros(4, 8, 3, 3)
    a[:, :4] = randn(4, 4, 3, 3)
    with pytest.raises(DynExplorerError, match="raise `max_columns`, there are 8 columns"):
        snapshots(recording_of(a=a), "a", max_columns=3)


def test_something_else_than_a_recording():
    with pytest.raises(DynExplorerError, match=r"`recording` must come from record.*got Tensor"):
        snapshots(torch.zeros(3, 3), "a")

"""Weights as they act: folded, computed, joined, and the reason where they cannot be read."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn

from dyn_explorer import DynExplorerError
from dyn_explorer.analysis import direction_signals, filter_svd, strongest_first
from dyn_explorer.capture import layer_weight, layer_weights


def trained_norm(channels: int) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(channels)
    with torch.no_grad():
        norm.weight.uniform_(0.5, 2)
        norm.running_var.uniform_(0.5, 2)
        norm.running_mean.normal_()
    return norm.eval()


@pytest.mark.parametrize(
    "conv",
    [nn.Conv2d(4, 6, 3, groups=2), nn.ConvTranspose2d(4, 6, 3, groups=2), nn.Conv2d(4, 6, 1)],
    ids=["grouped", "transposed", "pointwise"],
)
def test_folding_is_the_convolution_with_its_normalisation(conv):
    model = nn.Sequential(conv, trained_norm(6), nn.ReLU())
    [found] = [weight for weight in layer_weights(model, fold_batchnorm=True) if weight.layer == "0"]
    assert found.folded == "1"
    images = torch.randn(2, 4, 8, 8)
    convolve = nn.functional.conv_transpose2d if found.transposed else nn.functional.conv2d
    steps = convolve(images, found.values, None, groups=found.groups)
    zero = model[:2](torch.zeros_like(images))  # what remains of biases and means
    assert torch.allclose(steps, model[:2](images) - zero, atol=1e-4)
    plain = layer_weight(model, "0")
    assert torch.equal(plain.values, conv.weight)
    assert plain.folded == ""
    assert torch.allclose(found.bias, conv.bias * found.scale)
    directions = filter_svd(found.values, groups=found.groups, transposed=found.transposed)
    signal = direction_signals(conv(images), directions, 0, bias=found.bias, scale=found.scale)
    group, place = strongest_first(directions)[0]
    mine = slice(group * directions.left.shape[1], (group + 1) * directions.left.shape[1])
    expected = torch.einsum("nchw,c->nhw", steps[:, mine], torch.from_numpy(directions.left[group, :, place]).float())
    assert torch.allclose(signal, expected, atol=1e-4)


def test_only_a_normalisation_of_these_outputs_is_folded():
    model = nn.Sequential(nn.Conv2d(4, 6, 3), nn.BatchNorm2d(5), nn.Conv2d(4, 5, 1), nn.ReLU(), nn.BatchNorm2d(5))
    untracked = nn.Sequential(nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6, track_running_stats=False))
    for each in (model, untracked):
        assert {weight.folded for weight in layer_weights(each, fold_batchnorm=True)} == {""}


def test_the_projections_of_an_attention_are_read_apart():
    joined, apart = nn.MultiheadAttention(8, 2), nn.MultiheadAttention(8, 2, kdim=6, vdim=4)
    found = layer_weights(nn.ModuleDict({"joined": joined, "apart": apart}))
    shapes = {(weight.layer, weight.part): tuple(weight.values.shape) for weight in found}
    assert shapes == {
        **{("joined", part): (8, 8) for part in "qkv"},
        ("joined.out_proj", ""): (8, 8),
        ("apart", "q"): (8, 8),
        ("apart", "k"): (8, 6),
        ("apart", "v"): (8, 4),
        ("apart.out_proj", ""): (8, 8),
    }
    assert torch.equal(layer_weight(nn.Sequential(joined), "0", part="k").values, joined.in_proj_weight[8:16])


def test_a_recurrent_layer_has_a_row_per_matrix():
    found = layer_weights(nn.Sequential(nn.LSTM(3, 5)))
    assert [weight.part for weight in found] == ["weight_ih_l0", "weight_hh_l0"]
    assert [tuple(weight.values.shape) for weight in found] == [(20, 3), (20, 5)]


def test_a_computed_weight_is_the_one_in_force_and_its_module_stays_as_it_was(fingerprint, changed):
    torch.manual_seed(0)
    model = nn.Sequential(nn.utils.parametrizations.spectral_norm(nn.Linear(6, 4))).train()
    before = fingerprint(model)
    found = layer_weight(model, "0")
    assert changed(before, fingerprint(model)) == []
    assert found.reason == "computed by a parametrisation (SpectralNorm); as it is now"
    assert found.values.shape == (4, 6)
    assert [weight.layer for weight in layer_weights(model)] == ["0"]


def test_a_weight_that_a_hook_computes_is_the_last_one():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        layer = nn.utils.weight_norm(nn.Linear(3, 2))
    found = layer_weight(nn.Sequential(layer), "0")
    assert torch.equal(found.values, layer.weight)
    assert found.reason == "computed by a hook before each run; as it was last"


class Broken(nn.Module):
    """A weight that raises when it is read."""

    @property
    def weight(self):
        raise RuntimeError("not today")


def test_what_cannot_be_read_is_a_reason_and_the_rest_is_there():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # quantisation is deprecated in favour of another package
        torch.backends.quantized.engine = torch.backends.quantized.supported_engines[-1]
        quantised = torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Linear(4, 4)), {nn.Linear})
        lazy = nn.LazyConv2d(4, 3)
    integers = nn.Linear(2, 2)
    integers.weight = nn.Parameter(torch.ones(2, 2, dtype=torch.int8), requires_grad=False)
    model = nn.Sequential(
        quantised[0], lazy, integers, Broken(), nn.Embedding(5, 3), nn.LayerNorm(3), nn.Linear(3, 3, device="meta")
    )
    model.append(nn.Linear(3, 2))
    reasons = {weight.layer: weight.reason for weight in layer_weights(model)}
    assert reasons["0"] == "this Linear is quantised; look at the model before it was"
    assert "not initialised; run one batch through the model first" in reasons["1"]
    assert "its weights are torch.int8" in reasons["2"]
    assert "has no weights" in reasons["3"] or "not today" in reasons["3"]
    assert reasons["4"] == "an Embedding looks rows up and is no linear map"
    assert reasons["5"] == "a LayerNorm has one weight per channel and no filters"
    assert "on the meta device, without values" in reasons["6"]
    assert reasons["7"] == ""


def test_bad_input_is_answered_in_words():
    model = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    with pytest.raises(DynExplorerError, match=r"`model` must be a torch\.nn\.Module, got list"):
        layer_weights([])
    with pytest.raises(
        DynExplorerError, match="layer '1' has no filters to decompose: a ReLU has no weights; layers w"
    ):
        layer_weight(model, "1")
    with pytest.raises(
        DynExplorerError, match="there is no weight of layer '0', part 'q'; layers with weights are '0'"
    ):
        layer_weight(model, "0", part="q")

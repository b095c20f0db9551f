"""The spectra of whole models: every architecture has its rows, every bad weight its reason."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest
import torch
from torch import nn

import dyn_explorer as dx
from dyn_explorer import DynExplorerError
from dyn_explorer.analysis import filter_svd, random_matrix_fit
from dyn_explorer.errors import Cancelled

transformers = pytest.importorskip("transformers")


def resnet():
    config = transformers.ResNetConfig(embedding_size=64, hidden_sizes=[64, 128], depths=[2, 2], layer_type="basic")
    return transformers.ResNetForImageClassification(config)


def mobilenet():
    return transformers.MobileNetV2ForImageClassification(transformers.MobileNetV2Config(depth_multiplier=0.35))


def convnext():
    config = transformers.ConvNextConfig(hidden_sizes=[32, 64], depths=[1, 1], num_stages=2, image_size=32)
    return transformers.ConvNextForImageClassification(config)


def vit():
    config = transformers.ViTConfig(
        image_size=32, patch_size=8, hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=128
    )
    return transformers.ViTForImageClassification(config)


class Dense(nn.Module):
    """Each layer takes what all layers before it put out."""

    def __init__(self) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.BatchNorm2d(16 + 12 * k) for k in range(3))
        self.convs = nn.ModuleList(nn.Conv2d(16 + 12 * k, 12, 3, padding=1) for k in range(3))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        for norm, conv in zip(self.norms, self.convs, strict=True):
            maps = torch.cat([maps, conv(norm(maps).relu_())], dim=1)
        return maps


def resnext():
    return nn.Sequential(nn.Conv2d(3, 128, 1), nn.BatchNorm2d(128), nn.Conv2d(128, 128, 3, groups=32), nn.ReLU(True))


@pytest.mark.parametrize("fold", [False, True])
@pytest.mark.parametrize("make", [resnet, mobilenet, convnext, vit, Dense, resnext])
def test_every_architecture_has_its_rows(make, fold):
    torch.manual_seed(0)
    model = make()
    table = dx.layer_table(model, fold_batchnorm=fold).set_index("layer")
    modules = dict(model.named_modules())
    weighted = [name for name, m in modules.items() if isinstance(m, nn.Conv2d | nn.Linear)]
    rows = table.loc[weighted]
    for name in weighted[:6]:
        if not rows.loc[name, "folded"]:
            expected = torch.linalg.svdvals(modules[name].weight.detach().flatten(1).double())[0]
            if getattr(modules[name], "groups", 1) == 1:
                assert rows.loc[name, "spectral_norm"] == pytest.approx(float(expected), rel=1e-5)
    measured = rows[rows["eigenvalues"] > 0]
    assert len(measured) > 0
    assert ((measured["entropy"] > 0) & (measured["entropy"] <= 1)).all()
    assert (rows["reason"].ne("") == rows["alpha"].isna()).all()
    assert measured["spikes"].mean() < 1  # untrained
    depthwise = [name for name in weighted if getattr(modules[name], "groups", 1) == modules[name].weight.shape[0] > 1]
    assert all(
        "one output, so its one direction is the filter itself" in rows.loc[name, "reason"] for name in depthwise
    )


def test_numbers_are_those_of_the_functions_and_shuffles_stand_beside_them():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(8, 64, 3), nn.ReLU())
    with torch.no_grad():
        model[0].weight += 0.1 * torch.outer(torch.randn(64).sign(), torch.randn(72).sign()).reshape(64, 8, 3, 3)
    row = dx.layer_table(model, shuffles=2).iloc[0]
    found = filter_svd(model[0].weight)
    fit = random_matrix_fit(found.singular_values, found.shape)
    assert row["shape"] == "64 × 72"
    for name in ("alpha", "ks_distance", "stable_rank", "entropy"):
        assert row[name] == pytest.approx(getattr(fit, name), rel=1e-5)
    assert row["spikes"] == fit.spikes >= 1
    assert row["spikes_shuffled"] < row["spikes"]
    assert row["stable_rank_shuffled"] > row["stable_rank"]
    assert row["verdict"] == "structured"


def test_untrained_layers_are_called_so_and_the_last_trained_convolution_is_not():
    verdicts = [v for seed in range(6) for v in dx.layer_table(dx.demo.small_cnn(seed), shuffles=10)["verdict"]]
    assert verdicts.count("unknown") == 6 * 7  # layers without weights
    assert verdicts.count("structured") <= 2  # of 24; at most 1 in 11 is expected
    trained = dx.layer_table(dx.demo.load("trained"), shuffles=10).set_index("layer")["verdict"]
    assert trained["conv3"] == trained["head"] == "structured"


def test_bad_weights_are_reasons_and_the_other_rows_are_computed():
    model = nn.Sequential(
        *(nn.Linear(60, 60) for _ in range(5)), nn.utils.parametrizations.orthogonal(nn.Linear(60, 60))
    )
    with torch.no_grad():
        model[0].weight.zero_()
        model[1].weight.fill_(0.5)
        model[2].weight[3, 4] = math.nan
        model[3].weight[0, 0] = math.inf
    table = dx.layer_table(model, shuffles=1)
    assert table["reason"].tolist() == [
        "all weights are zero",
        "all weights are equal, so there is one direction",
        "`weight` holds 1 NaN or infinite values of 3600; look at an earlier state of the model",
        "`weight` holds 1 NaN or infinite values of 3600; look at an earlier state of the model",
        "",
        table["reason"][5],
    ]
    assert table["reason"][5].startswith("computed by a parametrisation (Orthogonal); as it is now")
    assert table["stable_rank"].notna().tolist() == [False] * 4 + [True] * 2
    assert table["stable_rank"][5] == pytest.approx(60, rel=1e-4)
    assert table["spectral_norm"][:2].tolist() == pytest.approx([0, 30])
    assert np.isfinite(table["alpha"][4])


def test_it_reports_and_can_be_cancelled():
    model, seen, cancel = dx.demo.small_cnn(), [], threading.Event()
    dx.layer_table(model, progress=lambda done, text: seen.append((done, text)))
    assert seen[-1] == (1.0, "measured head")
    cancel.set()
    with pytest.raises(Cancelled, match="the layer table was cancelled"):
        dx.layer_table(model, cancel=cancel)
    with pytest.raises(DynExplorerError, match=r"`shuffles` \(=-1\) must be a whole number of at least 0"):
        dx.layer_table(model, shuffles=-1)
    with pytest.raises(DynExplorerError, match=r"`shuffle` \(=0\.5\) must be a whole number, the seed of the order"):
        dx.analysis.weight_spectrum(torch.ones(2, 2), shuffle=0.5)

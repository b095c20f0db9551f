"""Measures of the panels as families of a sweep: the same numbers as the functions give, each beside its null."""

from __future__ import annotations

import pytest
import torch

import dyn_explorer as dx


@pytest.fixture(scope="module")
def digits():
    images, labels = dx.demo.digits("test")
    return images[:80], labels[:80]


@pytest.fixture(scope="module")
def table(digits):
    models = {name: dx.demo.load(name) for name in ("trained", "untrained")}
    return dx.sweep(models, *digits, ["spectrum", "classes", "neurons", "basins"])


def one(table, model, measure, layer=""):
    (row,) = table.query("model == @model and measure == @measure and layer == @layer").itertuples()
    return row


def test_every_family_has_rows_and_no_errors_but_the_missing_exponents(table):
    assert set(table.measure) == {
        "alpha", "spikes", "spectral_norm", "spectral_entropy", "purity", "jaccard_ratio", "rank_alignment",
        "sample_half_width", "weight_half_width",
    }  # fmt: skip
    failed = table[table.error.notna()]
    assert set(failed.measure) == {"alpha"}
    assert failed.error.str.contains("eigenvalues").all()


def test_spectra_are_those_of_the_layer_table(table):
    layers = dx.layer_table(dx.demo.load("trained")).set_index("layer")
    for layer in ("conv1", "conv2", "conv3", "head"):
        assert one(table, "trained", "spikes", layer).value == layers.loc[layer, "spikes"]
        assert one(table, "trained", "spectral_norm", layer).value == pytest.approx(layers.loc[layer, "spectral_norm"])
    assert one(table, "trained", "spikes", "conv3").value > one(table, "trained", "spikes", "conv3").null


def test_training_separates_classes_and_aligns_neurons(table):
    assert one(table, "trained", "purity", "head").value > one(table, "untrained", "purity", "head").value
    assert one(table, "trained", "purity", "head").value > one(table, "trained", "purity", "head").null
    aligned = one(table, "trained", "rank_alignment", "conv3")
    assert aligned.value > aligned.null


def test_basins_are_those_of_the_answers(table, digits):
    row = one(table, "trained", "sample_half_width")
    direct = dx.analysis.sample_basin(dx.demo.load("trained"), digits[0], None, target="prediction", draws=16)
    assert row.value == pytest.approx(direct.half_width, rel=0.15)
    assert row.n == 80


def test_without_labels_the_families_that_need_them_say_so(digits):
    table = dx.sweep({"a": dx.demo.load("untrained")}, digits[0], None, ["classes", "neurons"])
    assert table.error.str.contains("needs `labels`").all()
    assert len(table) == 3


def test_models_of_other_shapes_get_rows_with_reasons():
    torch.manual_seed(0)
    model = torch.nn.TransformerEncoder(
        torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0), 1, enable_nested_tensor=False
    )
    table = dx.sweep({"tokens": model}, torch.randn(6, 5, 8), [0, 1] * 3, ["spectrum", "classes", "neurons", "basins"])
    assert {"alpha", "purity", "rank_alignment", "sample_half_width"} <= set(table.measure)
    assert table[table.value.isna()].error.notna().all()

"""A whole run measured at once equals each epoch measured alone, and never looks ahead."""

from __future__ import annotations

import importlib
import threading

import numpy as np
import pytest

from dyn_explorer import DynExplorerError
from dyn_explorer.analysis import integration, probe_signals, stability_index, synchrony, training_measures, volatility
from dyn_explorer.analysis.dfa import row_exponents
from dyn_explorer.errors import Cancelled

MEASURES = ("alpha", "integration", "metastability", "index", "volatility", "mean_order")


@pytest.fixture
def deep_run():
    return np.random.default_rng(0).standard_normal((9, 6, 64))


@pytest.fixture
def long_run():
    return np.cumsum(np.random.default_rng(1).standard_normal((80, 5, 4)), axis=0)


def test_depth_equals_each_epoch_alone(deep_run):
    run = training_measures(deep_run, axis="depth", preprocess="difference")
    for epoch, signals in enumerate(deep_run):
        alone = synchrony(signals, preprocess="difference")
        assert run.alpha[epoch] == pytest.approx(row_exponents(signals).mean(), abs=1e-12)
        assert run.metastability[epoch] == pytest.approx(alone.ratio, abs=1e-12)
        assert run.mean_order[epoch] == pytest.approx(alone.mean, abs=1e-12)
    np.testing.assert_allclose(run.integration, integration(run.alpha))
    np.testing.assert_allclose(run.index, stability_index(run.integration, run.metastability).values)
    np.testing.assert_array_equal(run.volatility, volatility(run.index))
    assert (run.steps, run.oscillators.tolist()) == (64, [6] * 9)


def test_epoch_follows_the_layers_over_the_last_epochs(long_run):
    run = training_measures(long_run, axis="epoch", window=58)
    assert np.isnan(run.alpha[:57]).all()
    for epoch in (57, 63, 79):
        signals = long_run[epoch - 57 : epoch + 1].mean(axis=1).T
        assert run.alpha[epoch] == pytest.approx(row_exponents(signals).mean(), abs=1e-12)
        assert run.metastability[epoch] == pytest.approx(synchrony(signals).ratio, abs=1e-12)
    assert run.oscillators.tolist() == [0] * 57 + [4] * 23
    assert run.reasons["window"] == "the first 57 epochs have no value: the window is not full"


@pytest.mark.parametrize("axis", ["depth", "epoch"])
def test_epochs_that_come_later_change_nothing_not_even_the_nulls(axis, deep_run, long_run):
    signals = deep_run if axis == "depth" else long_run
    options = {"axis": axis, "nulls": ["shuffle", "phase_randomised", "circular_shift"], "draws": 3}
    whole = training_measures(signals, **options)
    fewer = len(signals) - 3
    part = training_measures(signals[:fewer], **options)
    for name in MEASURES:
        np.testing.assert_allclose(getattr(part, name), getattr(whole, name)[:fewer], atol=1e-12)
        for kind in options["nulls"]:
            np.testing.assert_allclose(part.nulls[kind][name], whole.nulls[kind][name][:, :fewer], atol=1e-12)


def test_chunks_of_epochs_change_nothing(deep_run, monkeypatch):
    whole = training_measures(deep_run, axis="depth")
    # The function of the same name hides the module from a dotted path.
    module = importlib.import_module("dyn_explorer.analysis.training_measures")
    monkeypatch.setattr(module, "_ROWS_AT_ONCE", 13)
    parts = training_measures(deep_run, axis="depth")
    for name in MEASURES:
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))


def test_constant_oscillators_are_left_out_and_counted(deep_run):
    deep_run[2, 4] = 0.3
    deep_run[5, 1:] = 0.0
    run = training_measures(deep_run, axis="depth")
    assert run.oscillators.tolist() == [6, 6, 5, 6, 6, 1, 6, 6, 6]
    others = np.delete(deep_run[2], 4, axis=0)
    assert run.metastability[2] == pytest.approx(synchrony(others).ratio, abs=1e-12)
    assert run.alpha[2] == pytest.approx(row_exponents(others).mean(), abs=1e-12)
    assert np.isnan(run.metastability[5])
    assert np.isnan(run.index[5])


def test_noise_lies_in_the_band_of_its_shuffles():
    noise = np.random.default_rng(2).standard_normal((40, 8, 60))
    run = training_measures(noise, axis="depth", nulls=["shuffle", "layer_permutation"], draws=40)
    for kind in ("shuffle", "layer_permutation"):
        low, high = run.band("alpha", kind)
        assert 0.75 < np.mean((low <= run.alpha) & (run.alpha <= high)) <= 1


def test_long_memory_lies_above_the_band_of_its_shuffles():
    walks = np.cumsum(np.random.default_rng(3).standard_normal((20, 8, 60)), axis=2)
    run = training_measures(walks, axis="depth", nulls=["shuffle"])
    assert np.all(run.alpha > run.band("alpha", "shuffle")[1])


def test_oscillators_that_move_together_lie_above_the_band_of_turned_ones():
    common = np.random.default_rng(4).standard_normal((10, 1, 64))
    signals = common + 0.3 * np.random.default_rng(5).standard_normal((10, 12, 64))
    run = training_measures(signals, axis="depth", nulls=["circular_shift"])
    assert np.all(run.mean_order > run.band("mean_order", "circular_shift")[1])


def test_untrained_networks_are_a_band_of_their_own(deep_run):
    fresh = np.random.default_rng(6).standard_normal((7, 6, 64))
    run = training_measures(deep_run, axis="depth", untrained=fresh)
    expected = [row_exponents(each).mean() for each in fresh]
    assert run.nulls["untrained"]["alpha"].shape == (7, 9)
    np.testing.assert_allclose(run.nulls["untrained"]["alpha"][:, 4], expected)
    assert np.isnan(run.band("volatility", "untrained")).all()
    expanding = training_measures(deep_run, axis="depth", untrained=fresh, normalise="expanding")
    assert np.isnan(expanding.band("index", "untrained")).all()


def test_few_layers_have_no_alpha_and_say_so(deep_run):
    few = deep_run[:, :, :30]
    run = training_measures(few, axis="depth")
    for name in ("alpha", "integration", "index", "volatility"):
        assert np.isnan(getattr(run, name)).all()
        assert run.reasons[name] == "30 layers: below 50 alpha does not tell long memory from a trend"
    assert np.isfinite(run.metastability).all()
    forced = training_measures(few, axis="depth", force=True)
    assert np.isfinite(forced.index).all()
    assert forced.reasons == {"alpha": "30 layers: below 256 alpha is uncertain; look at the null bands"}
    assert "too few scales for a slope" in training_measures(few[:, :, :20], axis="depth", force=True).reasons["index"]


def test_probe_signals_are_log_mean_magnitudes():
    rng = np.random.default_rng(7)
    traces = [rng.standard_normal((4, 3, units)).astype(np.float16) for units in (5, 9)]
    signals = probe_signals(traces)
    assert signals.shape == (4, 3, 2)
    assert signals[2, 1, 1] == pytest.approx(np.log1p(np.abs(traces[1][2, 1].astype(float)).mean()), abs=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"axis": "time"}, r"`axis` \(='time'\) is unknown; choose depth or epoch"),
        ({"axis": "depth", "order": 0}, r"`order` \(=0\) must be 1 or 2"),
        ({"axis": "epoch", "window": 10}, r"`window` \(=10\) must be a whole number of epochs in 4\.\.9"),
        ({"axis": "epoch", "window": 9, "nulls": ["layer_permutation"]}, r"'layer_permutation', which does nothing"),
        ({"axis": "depth", "nulls": ["noise"]}, r"`kind` \(='noise'\) is unknown"),
        ({"axis": "depth", "nulls": ["shuffle"], "draws": 0}, r"`draws` \(=0\) must be"),
        ({"axis": "depth", "nulls": ["shuffle"], "seed": -2}, r"`seed` \(=-2\) must be"),
        ({"axis": "epoch", "window": 9, "untrained": np.zeros((1, 6, 64))}, r"`untrained` networks have no epochs"),
        ({"axis": "depth", "untrained": np.zeros((1, 6, 3))}, r"`untrained` of shape \(1, 6, 3\) must have the images"),
    ],
)
def test_bad_options_are_refused(options, message, deep_run):
    with pytest.raises(DynExplorerError, match=message):
        training_measures(deep_run, **options)


def test_bad_signals_are_refused(deep_run):
    with pytest.raises(DynExplorerError, match=r"`signals` of shape \(6, 64\) .* 3 dimensions"):
        training_measures(deep_run[0], axis="depth")
    with pytest.raises(DynExplorerError, match=r"each probe image is an oscillator, and 1 is too few"):
        training_measures(deep_run[:, :1], axis="depth")
    with pytest.raises(DynExplorerError, match=r"`traces` of shapes \[\(2, 3, 4\), \(2, 5, 4\)\] must be one array"):
        probe_signals([np.zeros((2, 3, 4)), np.zeros((2, 5, 4))])
    with pytest.raises(DynExplorerError, match=r"`traces` of shapes \[\] must be one array"):
        probe_signals([])


def test_nulls_can_be_cancelled(deep_run):
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled, match="nulls of the training measures were cancelled"):
        training_measures(deep_run, axis="depth", nulls=["shuffle"], cancel=cancel)

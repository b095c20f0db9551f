"""Oscillators that agree, that do not, and that have no phase."""

from __future__ import annotations

import numpy as np
import pytest

from dyn_explorer import DynExplorerError
from dyn_explorer.analysis import independent_metastability, metastability, order_parameter, phases, synchrony


def independent(oscillators, steps, seed=0):
    return np.random.default_rng(seed).standard_normal((oscillators, steps))


@pytest.mark.parametrize("oscillators", [8, 16, 64, 256])
def test_independent_oscillators_match_the_formula(oscillators):
    result = synchrony(independent(oscillators, 20_000))
    theory = np.sqrt((4 - np.pi) / (4 * oscillators))
    assert independent_metastability(oscillators) == pytest.approx(theory, rel=1e-12)
    assert result.metastability == pytest.approx(theory, rel=0.05)
    assert result.ratio == pytest.approx(1, rel=0.05)
    assert result.mean == pytest.approx(np.sqrt(np.pi / (4 * oscillators)), rel=0.05)


@pytest.mark.parametrize(
    ("oscillators", "known"), [(2, 0.302), (4, 0.215), (8, 0.157), (16, 0.112), (64, 0.056), (256, 0.029)]
)
def test_58_steps_match_the_simulated_table(oscillators, known):
    values = [metastability(independent(oscillators, 58, seed)) for seed in range(200)]
    assert np.mean(values) == pytest.approx(known, abs=0.0005 + 4 * np.sqrt(2) * np.std(values) / np.sqrt(200))


def test_equal_phases_give_one():
    np.testing.assert_allclose(order_parameter(np.tile(np.linspace(-3, 3, 50), (7, 1))), 1, atol=1e-12)
    wave = independent(1, 200)
    result = synchrony(np.repeat(wave, 5, axis=0) * np.arange(1, 6)[:, None] + 10)
    assert result.mean == pytest.approx(1, abs=1e-12)
    assert result.metastability == pytest.approx(0, abs=1e-12)


def test_the_order_parameter_lies_between_0_and_1_whatever_the_phases():
    angles = 100 * independent(9, 500)
    slow = [abs(sum(np.exp(1j * angle) for angle in column)) / 9 for column in angles.T]
    result = order_parameter(angles)
    np.testing.assert_allclose(result, slow, atol=1e-12)
    assert result.min() >= 0
    assert result.max() <= 1
    np.testing.assert_allclose(order_parameter(angles + 0.7), result, atol=1e-11)


def test_the_phase_of_a_wave_is_its_angle():
    angle = 2 * np.pi * 5 * np.arange(200) / 200
    difference = phases([3 * np.cos(angle) + 40])[0] - angle
    np.testing.assert_allclose(np.exp(1j * difference), 1, atol=1e-9)


def test_the_mean_is_taken_off_first():
    noise = independent(16, 2000)
    assert metastability(noise + 10) == pytest.approx(metastability(noise), abs=1e-12)


def saturating_curves():
    rng = np.random.default_rng(0)
    steps, times = np.arange(58), rng.uniform(5, 20, 16)
    return 1 - np.exp(-steps / times[:, None]) + 0.02 * rng.standard_normal((16, 58))


def test_preprocessing_decides_what_saturating_curves_give():
    curves = saturating_curves()
    agreement = {name: synchrony(curves, preprocess=name).mean for name in ("demean", "detrend", "difference")}
    assert agreement["demean"] > 0.9
    assert agreement["detrend"] > 0.9
    assert agreement["difference"] < 0.6


def test_a_detrended_signal_does_not_know_its_trend():
    noise = independent(4, 300)
    tilted = noise + np.outer([1, -2, 3, 0.5], np.arange(300))
    np.testing.assert_allclose(phases(tilted, preprocess="detrend"), phases(noise, preprocess="detrend"), atol=1e-8)


def test_differences_are_one_step_fewer():
    assert phases(independent(3, 50), preprocess="difference").shape == (3, 49)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e8])
def test_a_constant_signal_has_no_phase(constant):
    signals = independent(3, 100)
    signals[1] = constant
    angles = phases(signals)
    assert np.isnan(angles).all(axis=1).tolist() == [False, True, False]
    assert np.isnan(order_parameter(angles)).all()
    assert np.isnan(metastability(signals))


def test_a_straight_line_has_no_phase_once_detrended():
    assert np.isnan(phases([np.arange(50.0) * 0.1], preprocess="detrend")).all()


def test_the_ends_are_left_out():
    signals = independent(6, 100)
    result = synchrony(signals, trim=0.1)
    assert result.kept == (10, 90)
    assert result.metastability == pytest.approx(np.std(result.order_parameter[10:90]), abs=1e-15)
    assert metastability(signals) == pytest.approx(np.std(result.order_parameter[5:95]), abs=1e-15)


def test_bandwidth_tells_a_wave_from_noise():
    wave = np.cos(2 * np.pi * np.arange(200) / 20)
    narrow, wide = synchrony([wave, independent(1, 200)[0]]).bandwidth
    assert narrow < 1e-3
    assert wide == pytest.approx(1 / np.sqrt(3), abs=0.15)


@pytest.mark.parametrize("trim", [0.0, 0.04, 0.5, "a", True, np.nan])
def test_bad_trims_are_refused(trim):
    with pytest.raises(DynExplorerError, match=r"`trim` .* must lie in 0\.05\.\.0\.4"):
        metastability(independent(3, 100), trim=trim)


def test_bad_signals_are_refused():
    with pytest.raises(DynExplorerError, match=r"5 steps leave 3 after trimming 1 at each end, and 4 are needed"):
        metastability(independent(3, 5))
    with pytest.raises(DynExplorerError, match=r"has 3 steps and a phase needs at least 4"):
        phases(independent(3, 3))
    with pytest.raises(DynExplorerError, match=r"`signals` of shape \(9,\) .* real numbers in 2 dimensions"):
        phases(np.arange(9.0))
    with pytest.raises(DynExplorerError, match=r"`signals` has 1 of 30 entries that are not finite"):
        phases(np.r_[np.inf, np.arange(29.0)].reshape(3, 10))
    with pytest.raises(DynExplorerError, match=r"`preprocess` \(='none'\) is unknown"):
        phases(independent(3, 30), preprocess="none")
    with pytest.raises(DynExplorerError, match=r"`phases` of shape \(4,\) .* angles of shape"):
        order_parameter(np.zeros(4))
    with pytest.raises(DynExplorerError, match=r"`oscillators` \(=0\) must be a whole number of at least 1"):
        independent_metastability(0)

"""The index, its volatility, and when it comes to rest."""

from __future__ import annotations

import numpy as np
import pytest

from dyn_explorer import DynExplorerError
from dyn_explorer.analysis import convergence_epoch, integration, stability_index, volatility


@pytest.fixture
def course():
    return np.random.default_rng(0).random((2, 40))


def test_integration_is_one_at_its_optimum_and_falls_off_evenly():
    alphas = np.linspace(-1, 3, 101)
    np.testing.assert_allclose(integration(alphas), np.exp(-((alphas - 0.7) ** 2) / (2 * 0.15**2)))
    np.testing.assert_allclose(integration(0.5 + alphas, optimum=0.5), integration(0.5 - alphas, optimum=0.5))
    assert integration(0.35, kind="triangle") == 1
    assert integration(0.525, kind="triangle") == pytest.approx(0.5)
    assert integration(2.0, kind="triangle") == 0
    assert np.isnan(integration(np.nan))
    assert np.isnan(integration(np.nan, kind="triangle"))
    assert isinstance(integration(0.7), float)


def test_the_index_is_the_weighted_sum_and_says_of_what(course):
    result = stability_index(*course, weights=(0.3, 0.7), sign=-1)
    np.testing.assert_allclose(result.values, 0.3 * course[0] - 0.7 * course[1])
    np.testing.assert_array_equal(np.asarray(result), result.values)
    np.testing.assert_array_equal(result.integration, course[0])
    np.testing.assert_array_equal(result.metastability, -course[1])
    assert (result.weights, result.sign, result.normalise) == ((0.3, 0.7), -1, "none")
    assert float(stability_index(0.2, 0.6).values) == pytest.approx(0.4)


@pytest.mark.parametrize("normalise", ["none", "expanding"])
def test_epochs_that_come_later_change_nothing(normalise, course):
    whole = stability_index(*course, normalise=normalise).values
    for stop in (1, 2, 7, 39):
        np.testing.assert_array_equal(stability_index(*course[:, :stop], normalise=normalise).values, whole[:stop])


def test_expanding_looks_at_the_past_only(course):
    result = stability_index(*course, normalise="expanding")
    assert np.isnan(result.values[0])
    for epoch in range(1, 40):
        past = course[0, : epoch + 1]
        expected = (past[-1] - past.min()) / (past.max() - past.min())
        assert result.integration[epoch] == pytest.approx(expected, abs=1e-12)


def test_volatility_is_the_spread_of_the_last_epochs(course):
    result = volatility(course[0], window=7)
    assert np.isnan(result[:6]).all()
    np.testing.assert_allclose(result[6:], [course[0, e - 6 : e + 1].std() for e in range(6, 40)], atol=1e-14)
    assert np.isnan(volatility([1.0, 2.0], window=5)).all()
    assert np.isnan(volatility([1, 2, np.nan, 3, 4, 5], window=3)).tolist() == [True] * 5 + [False]
    np.testing.assert_array_equal(volatility(stability_index(*course)), volatility(stability_index(*course).values))


def slow_convergence(values, tau, q):
    for start in range(len(values) - q + 1):
        run = range(start, start + q)
        if all(values[e] < tau * np.nanmax(values[: e + 1]) for e in run):
            return float(start)
    return float("nan")


@pytest.mark.parametrize("q", [1, 3, 8])
@pytest.mark.parametrize("tau", [0.2, 0.5])
def test_convergence_equals_the_slow_one(q, tau):
    found = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        values = np.exp(-np.arange(60) / 15) * rng.random(60)
        values[0] = 1
        expected = slow_convergence(values, tau, q)
        found += np.isfinite(expected)
        np.testing.assert_equal(convergence_epoch(values, tau=tau, q=q), expected)
    assert found > 10


def test_convergence_names_the_epoch_it_is_given():
    values = [np.nan, 1.0, 0.1, 0.1, np.nan, 0.1, 0.1, 0.1]
    assert convergence_epoch(values, q=3) == 5
    assert convergence_epoch(values, q=2, epochs=[0, 10, 20, 30, 40, 50, 60, 70]) == 20
    assert np.isnan(convergence_epoch(np.ones(30)))
    assert np.isnan(convergence_epoch([1.0, 0.0]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: integration(0.5, kind="square"), r"`kind` \(='square'\) is unknown; choose one of gaussian, triangle"),
        (lambda: integration(0.5, width=0), r"`width` \(=0\) must be positive"),
        (lambda: integration(0.5, optimum=np.nan), r"`optimum` \(=nan\) must be a finite number"),
        (lambda: stability_index([1.0], [1.0, 2.0]), r"of shape \(1,\) and `metastability` of shape \(2,\)"),
        (lambda: stability_index([1.0], [1.0], sign=0), r"`sign` \(=0\) must be 1 or -1"),
        (lambda: stability_index([1.0], [1.0], normalise="z"), r"`normalise` \(='z'\) is unknown"),
        (lambda: stability_index([1.0], [1.0], weights=1), r"`weights` \(=1\) must be a pair of numbers"),
        (lambda: stability_index([1.0], [1.0], weights=(1, "a")), r"`weights` \(='a'\) must be a finite number"),
        (lambda: volatility([1.0, 2.0], window=1), r"`window` \(=1\) must be a whole number of at least 2"),
        (lambda: volatility([[1.0]]), r"`series` of shape \(1, 1\) .* one number an epoch"),
        (lambda: convergence_epoch([1.0], tau=1.5), r"`tau` \(=1.5\) must lie between 0 and 1"),
        (lambda: convergence_epoch([1.0], q=0), r"`q` \(=0\) must be a whole number of at least 1"),
        (lambda: convergence_epoch([1.0], epochs=[1, 2]), r"`epochs` of shape \(2,\) must name the 1 epochs"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(DynExplorerError, match=message):
        call()

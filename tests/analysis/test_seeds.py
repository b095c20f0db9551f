"""Intervals over seeds hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from dyn_explorer import DynExplorerError
from dyn_explorer.analysis import seed_interval


def test_the_t_interval_is_that_of_scipy():
    runs = np.random.default_rng(0).standard_normal((6, 4))
    result = seed_interval(runs, level=0.9)
    low, high = scipy.stats.t.interval(0.9, 5, loc=runs.mean(axis=0), scale=scipy.stats.sem(runs, axis=0))
    np.testing.assert_allclose(result.low, low)
    np.testing.assert_allclose(result.high, high)
    np.testing.assert_allclose(result.mean, runs.mean(axis=0))
    assert (result.seeds, result.warning) == (6, None)


def test_the_t_interval_covers_the_truth_as_often_as_it_says():
    runs = np.random.default_rng(1).standard_normal((5, 4000))
    result = seed_interval(runs)
    assert np.mean((result.low < 0) & (result.high > 0)) == pytest.approx(0.95, abs=0.015)


def test_the_bootstrap_is_near_the_normal_interval_for_many_seeds():
    runs = np.random.default_rng(2).standard_normal(400)
    result = seed_interval(runs, kind="bootstrap")
    half = 1.96 * runs.std() / np.sqrt(400)
    assert float(result.low) == pytest.approx(runs.mean() - half, abs=0.015)
    assert float(result.high) == pytest.approx(runs.mean() + half, abs=0.015)
    again = seed_interval(runs, kind="bootstrap")
    assert float(again.low) == float(result.low)


def test_undefined_epochs_stay_undefined():
    runs = np.array([[np.nan, 1.0], [0.5, 2.0], [0.7, 4.0]])
    for kind in ("t", "bootstrap"):
        assert np.isnan(seed_interval(runs, kind=kind).low).tolist() == [True, False]


def test_few_seeds_are_said_to_be_few():
    alone = seed_interval([[1.0, 2.0]])
    assert np.isnan(alone.low).all()
    assert alone.warning == "a mean over 1 of the possible seeds is uncertain; train at least 5"
    assert "a mean over 4 of the possible seeds" in seed_interval(np.arange(4.0)).warning


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": 1.0}, r"`level` \(=1.0\) must lie between 0 and 1"),
        ({"kind": "z"}, r"`kind` \(='z'\) is unknown; choose t or bootstrap"),
        ({"seed": -1}, r"`seed` \(=-1\) must be a whole number of at least 0"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(DynExplorerError, match=message):
        seed_interval(np.arange(6.0), **options)


def test_bad_runs_are_refused():
    with pytest.raises(DynExplorerError, match=r"`runs` of shape \(0,\) .* must hold one run a row"):
        seed_interval([])

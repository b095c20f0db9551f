"""Rank correlations are SciPy's; intervals cover, p-values are uniform, and what is explained is left out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dyn_explorer import DynExplorerError, analysis
from dyn_explorer.analysis.rank_coefficients import kendall, partial_spearman, spearman

FEW = {"resamples": 20, "permutations": 20}


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(4, 30), st.integers(2, 8))
def test_coefficients_are_those_of_scipy_ties_included(seed, n, levels):
    table = np.random.default_rng(seed).integers(levels, size=(2, 3, n)).astype(float)
    ours = spearman(table), kendall(table)
    for sample in range(3):
        x, y = table[:, sample]
        if np.ptp(x) and np.ptp(y):
            assert ours[0][sample] == pytest.approx(stats.spearmanr(x, y).statistic)
            assert ours[1][sample] == pytest.approx(stats.kendalltau(x, y).statistic)
        else:
            assert np.isnan([ours[0][sample], ours[1][sample]]).all()


def test_the_partial_coefficient_is_the_textbook_formula_for_one_control():
    x, y, z = np.random.default_rng(0).standard_normal((3, 40)) + np.linspace(0, 2, 40)
    xy, xz, yz = (stats.spearmanr(*pair).statistic for pair in ((x, y), (x, z), (y, z)))
    expected = (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))
    assert analysis.correlation(x, y, controls={"z": z}, **FEW).partial.value == pytest.approx(expected)
    twice = {"z": z, "again": 3 * z, "constant": np.ones(40)}
    found = analysis.correlation(x, y, controls=twice, **FEW)
    assert found.partial.value == pytest.approx(expected)
    assert found.controls == ("z", "again")


def test_a_common_cause_is_a_correlation_that_its_control_takes_away():
    generator = np.random.default_rng(2)
    cause = generator.standard_normal(200)
    x, y = cause + 0.3 * generator.standard_normal((2, 200))
    found = analysis.correlation(x, y, controls={"cause": cause}, resamples=300, permutations=300)
    assert found.spearman.low > 0.7
    assert found.spearman.p_value == pytest.approx(1 / 301)
    assert found.partial.low < 0 < found.partial.high
    assert found.partial.p_value > 0.05


@pytest.mark.parametrize("change", [np.exp, lambda v: v**3, lambda v: 5 * v - 2])
def test_rising_functions_change_nothing(change):
    x, y = np.random.default_rng(2).standard_normal((2, 15))
    one, other = analysis.correlation(x, y, **FEW), analysis.correlation(change(x), y, **FEW)
    for name in ("value", "low", "high", "p_value", "null"):
        assert getattr(one.kendall, name) == getattr(other.kendall, name)
        assert getattr(one.spearman, name) == pytest.approx(getattr(other.spearman, name))
    assert analysis.correlation(-x, y, **FEW).spearman.value == pytest.approx(-one.spearman.value)


def test_the_p_value_is_that_of_scipys_permutation_test():
    x, y = np.random.default_rng(3).standard_normal((2, 12)) + np.linspace(0, 2.5, 12)
    ours = analysis.correlation(x, y, resamples=10, permutations=9999)
    theirs = stats.permutation_test(
        (x,), lambda each: stats.spearmanr(each, y).statistic, permutation_type="pairings", n_resamples=2000, rng=0
    )
    assert ours.spearman.p_value == pytest.approx(theirs.pvalue, abs=0.025)


@pytest.mark.slow
def test_intervals_cover_and_null_p_values_are_uniform():
    generator = np.random.default_rng(4)
    truth, covered, p_values, partial_p_values = 6 / np.pi * np.arcsin(0.6 / 2), 0, [], []
    for _ in range(200):
        x, noise, control = generator.standard_normal((3, 40))
        y = 0.6 * x + 0.8 * noise
        found = analysis.correlation(x, y, resamples=200, permutations=1)
        covered += found.spearman.low < truth < found.spearman.high
        independent = analysis.correlation(x, noise, controls={"c": control}, resamples=1, permutations=99)
        p_values.append(independent.kendall.p_value)
        partial_p_values.append(independent.partial.p_value)
    assert 0.88 < covered / 200 < 0.99
    assert stats.kstest(p_values, "uniform").pvalue > 0.01
    assert stats.kstest(partial_p_values, "uniform").pvalue > 0.01


def test_what_is_undefined_is_nan_with_the_reason():
    rising = np.arange(8.0)
    constant = analysis.correlation(rising, np.ones(8))
    assert np.isnan(constant.spearman.value)
    assert constant.kendall.reason == "`y` is the same for all 8 models"
    some = np.where(rising < 3, rising, np.nan)
    few = analysis.correlation(some, rising)
    assert (few.n, few.kept.sum()) == (3, 3)
    assert few.spearman.reason == "3 models with finite numbers are too few; at least 4 are needed"
    explained = analysis.correlation(rising, rising[::-1] ** 2, controls={"same": rising})
    assert explained.partial.reason == "nothing is left of `x` or `y` once the controls are held fixed"
    assert analysis.correlation(rising, rising).partial is None
    fixed = analysis.correlation(rising, rising, controls={"width": np.ones(8)})
    assert fixed.partial.reason == "each control is the same for all models"
    assert np.isnan(partial_spearman(np.stack([rising] * 3)[:, None])).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"y": [1.0, 2.0]}, r"`y` has shape \(2,\) .* for each of the 5 models"),
        ({"y": ["a"] * 5}, "`y` has shape .* one real number"),
        ({"controls": {"rank": [[1.0] * 5]}}, r"`control rank` has shape \(1, 5\)"),
        ({"level": 95}, r"`level` \(=95\) must lie between 0 and 1"),
        ({"resamples": 0}, r"`resamples` \(=0\) must be a whole number of at least 1"),
        ({"permutations": 1.5}, r"`permutations` \(=1.5\) must be"),
        ({"seed": -1}, r"`seed` \(=-1\) must be a whole number of at least 0"),
    ],
)
def test_what_cannot_be_correlated_is_said(options, message):
    with pytest.raises(DynExplorerError, match=message):
        analysis.correlation(**{"x": np.arange(5.0), "y": np.arange(5.0), **options})

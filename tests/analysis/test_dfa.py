"""Exponents of series whose correlations are known, and the same numbers from elsewhere."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.linalg
import scipy.signal

from dyn_explorer import DynExplorerError
from dyn_explorer.analysis import dfa
from dyn_explorer.analysis.dfa import default_scales, row_exponents


def slow_fluctuation(series, scale, order, ends, aggregate):
    """One polynomial fit a segment, as a textbook writes it."""
    profile = np.cumsum(series - np.mean(series))
    count = len(profile) // scale
    starts = [index * scale for index in range(count)]
    if ends == "both":
        starts += [len(profile) - (index + 1) * scale for index in range(count)]
    squares = []
    for start in starts:
        segment = profile[start : start + scale]
        fit = np.polyval(np.polyfit(np.arange(scale), segment, order), np.arange(scale))
        squares.append(np.mean((segment - fit) ** 2))
    return np.sqrt(np.mean(squares)) if aggregate == "rms" else np.mean(np.sqrt(squares))


def fractional_noise(hurst, count, length, seed=0):
    lag = np.arange(length)
    covariance = ((lag + 1.0) ** (2 * hurst) - 2 * lag ** (2.0 * hurst) + np.abs(lag - 1.0) ** (2 * hurst)) / 2
    root = np.linalg.cholesky(scipy.linalg.toeplitz(covariance))
    return np.random.default_rng(seed).standard_normal((count, length)) @ root.T


def autoregressive(count, length):
    noise = np.random.default_rng(1).standard_normal((count, length + 200))
    return scipy.signal.lfilter([1], [1, -0.8], noise, axis=1)[:, 200:]


def white_with_trend(count, length):
    return fractional_noise(0.5, count, length, seed=2) + 4 * np.linspace(0, 1, length)


# Means of the table that this measure was specified by; 1,000 series for fewer than 100 points, 200 above.
KNOWN_MEANS = {
    25: (0.68, 0.85, 1.02, 1.31, 0.82),
    40: (0.63, 0.80, 0.99, 1.29, 0.72),
    58: (0.59, 0.78, 0.96, 1.23, 0.68),
    256: (0.54, 0.72, 0.92, 1.10, 0.66),
    1024: (0.52, 0.71, 0.91, 0.93, 0.68),
}


@pytest.mark.parametrize("length", KNOWN_MEANS)
def test_known_processes_have_their_known_means(length):
    count = 1000 if length < 100 else 200
    processes = [
        *(fractional_noise(hurst, count, length) for hurst in (0.5, 0.7, 0.9)),
        autoregressive(count, length),
        white_with_trend(count, length),
    ]
    for rows, mean in zip(processes, KNOWN_MEANS[length], strict=True):
        exponents = row_exponents(rows, force=True)
        # The table's digits, and four standard errors of both means.
        tolerance = 0.005 + 4 * np.sqrt(2) * exponents.std() / np.sqrt(count)
        assert exponents.mean() == pytest.approx(mean, abs=tolerance)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("ends", ["both", "forward"])
@pytest.mark.parametrize("aggregate", ["rms", "mean"])
@pytest.mark.parametrize("length", [257, 1000])
def test_fluctuations_equal_the_slow_ones(order, ends, aggregate, length):
    series = np.cumsum(fractional_noise(0.7, 1, length)[0]) + 50
    result = dfa(series, order=order, ends=ends, aggregate=aggregate)
    slow = [slow_fluctuation(series, scale, order, ends, aggregate) for scale in result.scales]
    np.testing.assert_allclose(result.fluctuations, slow, rtol=1e-7)


def test_the_line_is_that_of_scipy():
    import scipy.stats

    result = dfa(fractional_noise(0.9, 1, 600)[0])
    line = scipy.stats.linregress(np.log(result.scales), np.log(result.fluctuations))
    assert result.alpha == pytest.approx(line.slope, abs=1e-12)
    assert result.standard_error == pytest.approx(line.stderr, abs=1e-12)
    assert result.r2 == pytest.approx(line.rvalue**2, abs=1e-12)
    assert result.intercept == pytest.approx(line.intercept, abs=1e-12)


@pytest.mark.parametrize("hurst", [0.5, 0.7, 0.9])
@pytest.mark.parametrize("length", [256, 1023])
def test_alpha_equals_that_of_mfdfa(hurst, length):
    from MFDFA import MFDFA

    series = fractional_noise(hurst, 1, length, seed=5)[0]
    result = dfa(series)
    scales, theirs = MFDFA(series, lag=result.scales, q=np.array([2]), order=1)
    np.testing.assert_array_equal(scales, result.scales)
    slope = np.polyfit(np.log(scales), np.log(theirs[:, 0]), 1)[0]
    assert result.alpha == pytest.approx(slope, abs=1e-3)


def test_a_random_walk_is_near_three_halves():
    walks = np.cumsum(fractional_noise(0.5, 200, 1024), axis=1)
    assert row_exponents(walks).mean() == pytest.approx(1.5, abs=0.04)


def test_a_profile_of_stages_alone_looks_like_long_memory():
    stages = ((1, 0.4, 6), (1.2, 0.3, 12), (1.1, 0.2, 24), (0.9, 0.3, 16))
    profile = np.concatenate([np.linspace(*stage) for stage in stages])
    assert len(profile) == 58
    with pytest.warns(UserWarning, match="alpha of 58 points is uncertain"):
        assert dfa(profile).alpha == pytest.approx(1.25, abs=0.01)


@pytest.mark.parametrize("length", [24, 25, 40, 58, 256, 1024, 4096])
def test_default_scales_are_different_and_fit(length):
    scales = default_scales(length)
    assert len(np.unique(scales)) == len(scales) >= 3
    assert scales[0] == 4
    assert scales[-1] == length // 4


@pytest.mark.parametrize("factor", [-3.0, 1e-6, 1e6])
def test_neither_scale_nor_offset_nor_sign_changes_alpha(factor):
    series = fractional_noise(0.7, 1, 400)[0]
    assert dfa(factor * series + 2 * factor).alpha == pytest.approx(dfa(series).alpha, abs=1e-6)


def test_short_series_are_refused_unless_forced():
    series = fractional_noise(0.5, 1, 49)[0]
    with pytest.warns(UserWarning, match=r"alpha of 49 points is refused: below 50 .*force=True"):
        refused = dfa(series)
    assert np.isnan(refused.alpha)
    assert np.isnan(refused.fluctuations).all()
    assert "refused" in refused.warning
    with pytest.warns(UserWarning, match=r"alpha of 49 points is uncertain .*fewer than 256"):
        assert np.isfinite(dfa(series, force=True).alpha)
    with pytest.warns(UserWarning, match=r"alpha of 20 points is undefined: 2 scales .*longer series"):
        assert np.isnan(dfa(series[:20], force=True).alpha)


def test_long_series_carry_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert dfa(fractional_noise(0.5, 1, 256)[0]).warning is None


def test_constant_series_have_no_alpha():
    with pytest.warns(UserWarning, match="constant series is undefined: it does not fluctuate"):
        assert np.isnan(dfa(np.full(300, 0.1)).alpha)
    rows = np.stack([np.full(300, 0.1), fractional_noise(0.5, 1, 300)[0]])
    assert np.isnan(row_exponents(rows)).tolist() == [True, False]


@pytest.mark.parametrize("scales", [[4, 5], [4, 4, 8], [3, 5, 9], [4, 8, 151], [4.0, 8.0, 16.0], [[4, 8, 16]], 7, []])
def test_bad_scales_are_refused(scales):
    with pytest.raises(DynExplorerError, match=r"at least 3 different whole numbers in 4\.\.150 for 300 points"):
        dfa(np.arange(300.0), scales=scales)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"order": 3}, r"`order` \(=3\) must be 1 or 2"),
        ({"order": True}, r"`order` \(=True\) must be 1 or 2"),
        ({"ends": "back"}, r"`ends` \(='back'\) is unknown; choose both or forward"),
        ({"aggregate": "max"}, r"`aggregate` \(='max'\) is unknown; choose rms or mean"),
        ({"min_n": -1}, r"`min_n` \(=-1\) must be a whole number of points"),
        ({"warn_n": 2.5}, r"`warn_n` \(=2.5\) must be a whole number of points"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(DynExplorerError, match=message):
        dfa(np.arange(300.0), **options)


def test_bad_series_are_refused():
    with pytest.raises(DynExplorerError, match=r"`series` has 1 of 300 entries that are not finite"):
        dfa(np.r_[np.arange(299.0), np.nan])
    with pytest.raises(DynExplorerError, match=r"`series` of shape \(2, 300\) .* real numbers in 1 dimension"):
        dfa(np.zeros((2, 300)))

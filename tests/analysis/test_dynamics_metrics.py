"""All metrics of one decomposition, and their null."""

from __future__ import annotations

import math
import threading
import time

import numpy as np
import pytest

from dyn_explorer.analysis import compress, dmd, dynamics_metrics, shuffled_columns_null, zero_amplitude_modes
from dyn_explorer.errors import Cancelled, DynExplorerError


def test_metrics_of_a_planted_system_have_their_closed_forms(planted, known_eigenvalues):
    metrics = dynamics_metrics(dmd(planted()), stable_tol=0.06)
    squares = np.abs(known_eigenvalues) ** 2
    shares = squares / squares.sum()
    assert metrics.entropy_share == pytest.approx(-(shares * np.log2(shares)).sum(), abs=1e-7)
    assert metrics.entropy_share_normalised == pytest.approx(metrics.entropy_share / 2)
    assert metrics.entropy_hist256 == pytest.approx(1.5)
    assert metrics.entropy_histogram == pytest.approx(1.5)
    assert metrics.gap_leading == pytest.approx(0.15, abs=1e-8)
    assert metrics.gap_second_to_unit == pytest.approx(0.2, abs=1e-8)
    assert metrics.stable_fraction == pytest.approx(1 / 3)
    assert metrics.mean_square_modulus == pytest.approx(squares.mean(), abs=1e-8)
    assert metrics.reconstruction_error < 1e-10
    assert (metrics.rank, metrics.modes, metrics.zero_amplitude_modes) == (4, 3, 0)
    assert 1 < metrics.condition < 1e3
    assert next(iter(metrics.as_dict())) == "entropy_share"


def test_a_single_mode_has_no_gap_and_no_normalised_entropy(planted):
    metrics = dynamics_metrics(dmd(planted(np.array([0.9]))))
    assert math.isnan(metrics.gap_leading)
    assert math.isnan(metrics.entropy_share_normalised)
    assert metrics.entropy_share == 0.0


def test_modes_that_hardly_take_part_are_counted(noise):
    directions = np.linalg.qr(noise(300, 4))[0]
    strengths = np.array([1.0, 0.5, 1e-4, 1e-5])
    eigenvalues = np.array([0.9, 0.7, 1.02, -0.95])
    result = dmd((directions * strengths) @ np.vander(eigenvalues, 20, increasing=True))
    assert result.rank == 4
    assert zero_amplitude_modes(result) == 2
    assert zero_amplitude_modes(result, tol=5e-5) == 1
    assert zero_amplitude_modes(result, tol=0) == 0
    assert zero_amplitude_modes(result, tol=1) == 4
    assert dynamics_metrics(result).zero_amplitude_fraction == 0.5


@pytest.mark.parametrize("tol", [-1e-3, 1.5, float("nan")])
def test_thresholds_that_are_no_share_are_refused(tol, planted):
    with pytest.raises(DynExplorerError, match="must lie between 0 and 1"):
        zero_amplitude_modes(dmd(planted()), tol=tol)


def test_metrics_follow_a_slider(noise):
    compressed = compress(noise(2000, 128))
    times = []
    for _ in range(9):
        result = dmd(compressed)
        # This thread's own time: a busy machine does not count against it.
        start = time.thread_time()
        dynamics_metrics(result)
        times.append(time.thread_time() - start)
    assert np.median(times) < 0.005


def test_the_null_is_the_decomposition_of_shuffled_snapshots(planted):
    matrix = planted() + 0.1 * np.random.default_rng(7).standard_normal((4000, 40))
    null = shuffled_columns_null(compress(matrix), shuffles=3, seed=5, rank=6, window=(4, 36))
    for index in range(3):
        order = 4 + np.random.default_rng([5, index]).permutation(32)
        direct = dynamics_metrics(dmd(matrix[:, order], rank=6)).as_dict()
        for name, values in null.values.items():
            assert values[index] == pytest.approx(direct[name], rel=1e-6, abs=1e-9), name
    assert null.failed == 0
    assert null.residuals.shape == (18,)


def test_true_order_stands_out_of_the_null(planted):
    compressed = compress(planted())
    metrics = dynamics_metrics(dmd(compressed))
    null = shuffled_columns_null(compressed, rank=4)
    assert metrics.reconstruction_error < null.quantiles()["reconstruction_error"][0]
    low, middle, high = null.quantiles()["mean_square_modulus"]
    assert low <= middle <= high
    assert null.sd["mean_square_modulus"] >= 0
    assert low <= null.mean["mean_square_modulus"] <= high


def test_the_null_of_independent_columns_holds_their_own_metrics(noise):
    compressed = compress(noise(1000, 30, mean=2.0))
    metrics = dynamics_metrics(dmd(compressed, rank=10)).as_dict()
    null = shuffled_columns_null(compressed, rank=10, shuffles=60).quantiles((0.0, 1.0))
    for name in ("entropy_share", "mean_square_modulus", "reconstruction_error"):
        assert null[name][0] <= metrics[name] <= null[name][1], name


def test_the_null_repeats(noise):
    compressed = compress(noise())
    first, again = (shuffled_columns_null(compressed, rank=5, shuffles=4) for _ in range(2))
    other = shuffled_columns_null(compressed, rank=5, shuffles=4, seed=1)
    np.testing.assert_array_equal(first.values["entropy_share"], again.values["entropy_share"])
    assert not np.array_equal(first.values["entropy_share"], other.values["entropy_share"])
    longer = shuffled_columns_null(compressed, rank=5, shuffles=6)
    np.testing.assert_array_equal(longer.values["entropy_share"][:4], first.values["entropy_share"])


def test_undefined_metrics_stay_undefined(planted):
    null = shuffled_columns_null(compress(planted(np.array([0.9]))), shuffles=2)
    assert np.isnan(null.values["gap_leading"]).all()
    assert math.isnan(null.mean["gap_leading"])
    assert np.isnan(null.quantiles()["gap_leading"]).all()


def test_shuffles_that_cannot_be_decomposed_are_counted():
    matrix = np.zeros((6, 4))
    matrix[:, 0] = 1.0
    null = shuffled_columns_null(compress(matrix), shuffles=20)
    assert 0 < null.failed < 20
    assert np.isnan(null.values["entropy_hist256"]).sum() == null.failed


def test_bad_options_are_refused(noise):
    compressed = compress(noise())
    for shuffles in (0, 2.5, True):
        with pytest.raises(DynExplorerError, match=r"`shuffles` .* whole number of at least 1"):
            shuffled_columns_null(compressed, shuffles=shuffles)
    with pytest.raises(DynExplorerError, match=r"`seed` .* whole number of at least 0"):
        shuffled_columns_null(compressed, seed=-1)
    with pytest.raises(DynExplorerError, match=r"no shuffle of the window \(0, 20\) could be decomposed: `rank`"):
        shuffled_columns_null(compressed, rank=50)
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled, match="shuffled-column null was cancelled"):
        shuffled_columns_null(compressed, cancel=cancel)

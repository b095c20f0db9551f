"""Detrended fluctuation analysis against MFDFA, known processes and oscillators, and 1,000 epochs at once.

python benchmarks/synchrony.py    # about a minute on one core
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np
import scipy.linalg
import scipy.signal
from MFDFA import MFDFA

from dyn_explorer.analysis import dfa, independent_metastability, metastability, training_measures
from dyn_explorer.analysis.dfa import row_exponents


def median_seconds(work: Callable[[], object], repeats: int) -> float:
    """Median wall time of one call, after one that is not counted."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def fractional_noise(rng: np.random.Generator, hurst: float, count: int, length: int) -> np.ndarray:
    """Exact fractional Gaussian noise, one series a row."""
    lag = np.arange(length)
    covariance = ((lag + 1.0) ** (2 * hurst) - 2 * lag ** (2.0 * hurst) + np.abs(lag - 1.0) ** (2 * hurst)) / 2
    return rng.standard_normal((count, length)) @ np.linalg.cholesky(scipy.linalg.toeplitz(covariance)).T


def compare_with_mfdfa() -> None:
    """Print the largest difference of alpha and the time of one series."""
    rng = np.random.default_rng(0)
    print("alpha against MFDFA, same scales, 50 series each")
    for length in (58, 256, 1024, 4096):
        differences = []
        for series in fractional_noise(rng, 0.7, 50, length):
            ours = dfa(series, force=True)
            scales, theirs = MFDFA(series, lag=ours.scales, q=np.array([2]), order=1)
            differences.append(abs(ours.alpha - np.polyfit(np.log(scales), np.log(theirs[:, 0]), 1)[0]))
        fast = median_seconds(lambda series=series: dfa(series, force=True), 50)
        slow = median_seconds(lambda s=series, lag=scales: MFDFA(s, lag=lag, q=np.array([2]), order=1), 50)
        print(
            f"  n = {length:5d}   largest difference {max(differences):.1e}   dfa {1e3 * fast:6.3f} ms   "
            f"MFDFA {1e3 * slow:6.3f} ms   ratio {slow / fast:5.2f}"
        )


def print_known_processes() -> None:
    """Print mean and standard deviation of alpha of processes whose correlations are known."""
    rng = np.random.default_rng(1)
    print("alpha, mean ± sd           white       fGn .7       fGn .9     AR(1) .8  white+trend")
    for length in (25, 40, 58, 256, 1024):
        count = 1000 if length < 100 else 200
        noise = rng.standard_normal((count, length + 200))
        white = rng.standard_normal((count, length))
        processes = (
            white,
            fractional_noise(rng, 0.7, count, length),
            fractional_noise(rng, 0.9, count, length),
            scipy.signal.lfilter([1], [1, -0.8], noise, axis=1)[:, 200:],
            white + 4 * np.linspace(0, 1, length),
        )
        exponents = [row_exponents(rows, force=True) for rows in processes]
        print(
            f"  n = {length:5d}          " + "  ".join(f"{each.mean():5.2f} ± {each.std():.2f}" for each in exponents)
        )


def print_independent_oscillators() -> None:
    """Print the metastability of independent oscillators beside the formula."""
    print("metastability of independent oscillators, mean of 200 runs of 58 steps, and one of 20,000")
    for oscillators in (2, 4, 8, 16, 64, 256):
        rng = np.random.default_rng(oscillators)
        short = np.mean([metastability(rng.standard_normal((oscillators, 58))) for _ in range(200)])
        long = metastability(rng.standard_normal((oscillators, 20_000)))
        print(
            f"  C = {oscillators:3d}   58 steps {short:.3f}   20,000 steps {long:.3f}   "
            f"sqrt((4 - pi) / 4C) {independent_metastability(oscillators):.3f}"
        )


def print_whole_runs() -> None:
    """Print the time for all measures of 1,000 epochs, without and with one null of 20 draws."""
    signals = np.random.default_rng(2).standard_normal((1000, 64, 58))
    print("1,000 epochs, 64 images, 58 layers")
    for axis in ("depth", "epoch"):
        plain = median_seconds(lambda axis=axis: training_measures(signals, axis=axis), 3)
        start = time.perf_counter()
        training_measures(signals, axis=axis, nulls=["shuffle"], draws=20)
        print(f"  axis {axis:5s}   measures {plain:6.2f} s   with 20 shuffles {time.perf_counter() - start:6.2f} s")


if __name__ == "__main__":
    # Short series are the point here.
    warnings.simplefilter("ignore", UserWarning)
    compare_with_mfdfa()
    print_known_processes()
    print_independent_oscillators()
    print_whole_runs()

"""Spectra of a whole ResNet-50 against torch's svdvals, and its layer table against WeightWatcher.

python benchmarks/filters.py    # about a minute on one core, several with WeightWatcher installed
"""

from __future__ import annotations

import importlib.util
import logging
import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np
import torch
import transformers
from torch import nn

import dyn_explorer as dx
from dyn_explorer.analysis import filter_svd, operator_spectrum, random_matrix_fit, weight_spectrum

REPEATS = 3


def median_seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Median wall time of one call, after one that is not counted."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def resnet50() -> nn.Module:
    """The shapes of ResNet-50, with their initial weights."""
    torch.manual_seed(0)
    return transformers.ResNetForImageClassification(transformers.ResNetConfig()).eval()


def weights_of(model: nn.Module) -> list[torch.Tensor]:
    """Weights of every convolution and linear layer."""
    return [m.weight.detach() for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]


def ill_conditioned(weights: list[torch.Tensor]) -> list[torch.Tensor]:
    """The same shapes with a tenth of the outputs nearly dead, so that nothing may stay in single precision."""
    made = [weight.clone() for weight in weights]
    for weight in made:
        weight[: max(1, len(weight) // 10)] *= 1e-4
    return made


def compare_values() -> None:
    """Print times of all unfolded spectra of the model, and the largest error."""
    initial = weights_of(resnet50())
    print(f"all unfolded spectra of a ResNet-50, {len(initial)} weights, float32, median of {REPEATS}")
    for name, weights in (("initial weights", initial), ("ill-conditioned", ill_conditioned(initial))):
        fast = median_seconds(lambda w=weights: [filter_svd(each, compute="values") for each in w])
        double = median_seconds(lambda w=weights: [filter_svd(each.double(), compute="values") for each in w])
        slow = median_seconds(lambda w=weights: [torch.linalg.svdvals(each.flatten(1)) for each in w])
        print(
            f"  {name:16s} svdvals {slow:6.2f} s   float64 Gram {double:5.2f} s, ratio {slow / double:4.1f}   "
            f"filter_svd {fast:5.2f} s, ratio {slow / fast:4.1f}   largest error {largest_error(weights):.1e} sigma_1"
        )


def largest_error(weights: list[torch.Tensor]) -> float:
    """Of the values alone against a float64 decomposition, relative to the largest value."""
    worst = 0.0
    for weight in weights:
        exact = torch.linalg.svdvals(weight.double().flatten(1)).numpy()
        found = filter_svd(weight, compute="values").singular_values[0]
        worst = max(worst, float(np.abs(found - exact).max() / exact[0]))
    return worst


def compare_tables() -> None:
    """Print times of the layer table and of WeightWatcher's analyze, and how far their exponents differ."""
    model = resnet50()
    ours = median_seconds(lambda: dx.layer_table(model))
    with_null = median_seconds(lambda: dx.layer_table(model, shuffles=1), 1)
    print(f"layer table of a ResNet-50: {ours:.2f} s, with one shuffle per layer as a null {with_null:.2f} s")
    if importlib.util.find_spec("weightwatcher") is None:
        print("  WeightWatcher is not installed; `pip install weightwatcher` adds its side")
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import weightwatcher
        from weightwatcher.WW_powerlaw import WWFit

    logging.getLogger("weightwatcher").setLevel(logging.ERROR)
    watcher = weightwatcher.WeightWatcher(model=model)
    for options, mine, what in (
        ({}, ours, "without spikes"),
        ({"mp_fit": True}, ours, "with spikes, as the layer table has them"),
    ):
        start = time.perf_counter()
        details = watcher.analyze(**options)
        theirs = time.perf_counter() - start
        called = ", ".join(f"{name}={value}" for name, value in options.items())
        print(
            f"  WeightWatcher {weightwatcher.__version__} analyze({called}), {len(details)} layers, once, {what}: "
            f"{theirs:.1f} s, ratio {theirs / mine:.1f}"
        )
    differences = []
    for weight in weights_of(model):
        fit = weight_spectrum(weight).fit
        if fit is not None and fit.tail_points:
            differences.append(abs(fit.alpha - WWFit(fit.eigenvalues).alpha))
    print(
        f"  alpha on the same eigenvalues, {len(differences)} layers: largest difference {max(differences):.1e}, "
        f"median {statistics.median(differences):.1e}"
    )


def print_spikes() -> None:
    """Print what training does to the demo network, beside its nulls."""
    print("demo network on digits: spikes (mean over 10 shuffles) and stable rank (mean over 10 shuffles)")
    for name in ("untrained", "trained"):
        table = dx.layer_table(dx.demo.load(name), shuffles=10)
        for row in table[table["eigenvalues"] > 0].itertuples():
            print(
                f"  {name:10s} {row.layer:6s} {row.shape:10s} {row.spikes:3.0f} ({row.spikes_shuffled:.1f})   "
                f"{row.stable_rank:5.1f} ({row.stable_rank_shuffled:5.1f})   {row.verdict}"
            )
    counts = [dx.layer_table(dx.demo.small_cnn(seed))["spikes"].mean() for seed in range(50)]
    print(f"  spikes per layer over 50 untrained networks: mean {np.mean(counts):.2f}")


def print_gaussian_exponents() -> None:
    """Print the exponent that random weights have."""
    print("alpha of random matrices, mean ± sd of 5")
    for shape in ((64, 576), (256, 2304), (512, 4608)):
        rng = np.random.default_rng(0)
        draws = {"gaussian": rng.standard_normal, "Student-t(3)": lambda size, rng=rng: rng.standard_t(3, size)}
        for name, draw in draws.items():
            found = [filter_svd(torch.from_numpy(draw(shape)), compute="values") for _ in range(5)]
            alphas = [random_matrix_fit(each.singular_values, each.shape).alpha for each in found]
            print(f"  {shape[0]:4d} x {shape[1]:4d}   {name:12s} {np.mean(alphas):5.1f} ± {np.std(alphas):.1f}")


def print_operator() -> None:
    """Print the time of an exact operator spectrum and its bounds."""
    weight = torch.randn(64, 64, 3, 3, generator=torch.Generator().manual_seed(0))
    seconds = median_seconds(lambda: operator_spectrum(weight, (32, 32)))
    gain, unfolded = operator_spectrum(weight, (32, 32))[0], filter_svd(weight, compute="values").singular_values.max()
    print(
        f"operator spectrum of 64 x 64 x 3 x 3 on 32 x 32: {seconds:.2f} s; "
        f"{unfolded:.1f} <= gain {gain:.1f} <= {3 * unfolded:.1f}"
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    compare_values()
    compare_tables()
    print_operator()
    print_gaussian_exponents()
    print_spikes()

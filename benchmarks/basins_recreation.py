"""Basins of small networks on the digits against width, depth, class and, with --grokking, training time.

python benchmarks/basins_recreation.py              # half a minute on one thread
python benchmarks/basins_recreation.py --grokking   # a minute and a half

Set-up: the recipes of `demo.recipe`, 1,297 training and 500 test digits. Basins over the training samples, 4 draws of
inputs and 8 of weights. The set-up is ours: the paper's is not known to us.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from scipy.stats import spearmanr

from dyn_explorer import analysis, demo

SEEDS = (0, 1)
WIDTHS = (16, 32, 64, 128, 256)
DEPTHS = (0, 1, 2, 4, 6, 8, 12)


def measured(name: str, size: int, seed: int) -> tuple[float, float, float, float, analysis.Basin]:
    """Test accuracy, S50, W50, and the S50 of the untrained network's own answers, of one training."""
    made = demo.recipe(name, size=size, seed=seed)
    for mark in made.run():
        if mark == 0:
            own = analysis.sample_basin(made.model, made.inputs, None, target="prediction", draws=4, search="bisection")
    samples = analysis.sample_basin(made.model, made.inputs, made.labels, draws=4)
    weights = analysis.weight_basin(made.model, made.inputs, made.labels, draws=8, search="bisection")
    score = demo.accuracy(made.model, made.test_inputs, made.test_labels)
    return score, samples.half_width, weights.half_width, own.half_width, samples


def table(name: str, values: tuple[int, ...]) -> None:
    """Print one sweep, mean over seeds, with the rank correlations."""
    rows = []
    for value in values:
        runs = np.array([measured(name, value, seed)[:4] for seed in SEEDS])
        rows.append(runs.mean(axis=0))
        print(
            f"  {name} {value:4d}: test accuracy {rows[-1][0]:.3f}, S50 {rows[-1][1]:.3f}, W50 {rows[-1][2]:.3f}, "
            f"S50 untrained, own answers {rows[-1][3]:.3f}",
            flush=True,
        )
    for label, column in (("S50", 1), ("W50", 2)):
        rho = spearmanr(values, [row[column] for row in rows]).statistic
        print(f"  Spearman of {label} with {name}: {rho:+.2f} over {len(values)} points")


def classes() -> None:
    """Print S50 by digit for the widest network."""
    for seed in SEEDS:
        basin = measured("width", 256, seed)[4]
        order = np.argsort(basin.class_half_widths)[::-1]
        print(f"  seed {seed}: " + ", ".join(f"{digit} {basin.class_half_widths[digit]:.2f}" for digit in order))


def grokking() -> None:
    """Print accuracy and S50 along one run from large weights on 150 digits."""
    made = demo.recipe("grokking")
    mismatch = analysis.input_mismatch(made.test_inputs, made.test_labels, made.inputs, made.labels)
    print(f"  mismatch, mean pixel RMS to the nearest training digit of the class: {mismatch:.3f}")
    sigmas = np.geomspace(10**-3.5, 16, 33)
    for step in made.run():
        basin = analysis.sample_basin(made.model, made.inputs, made.labels, sigmas=sigmas, draws=4)
        pairs = (made.inputs, made.labels), (made.test_inputs, made.test_labels)
        scores = [demo.accuracy(made.model, *pair) for pair in pairs]
        print(f"  step {step:6d}: train {scores[0]:.3f}, test {scores[1]:.3f}, S50 {basin.half_width:.3f}", flush=True)


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grokking", action="store_true", help="one long run instead")
    began = time.perf_counter()
    if parser.parse_args().grokking:
        print("grokking, one seed:")
        grokking()
    else:
        print(f"width of 2 hidden layers, {len(SEEDS)} seeds:")
        table("width", WIDTHS)
        print(f"hidden layers of 64, gain sqrt(6), {len(SEEDS)} seeds:")
        table("depth", DEPTHS)
        print("S50 by digit, 2 hidden layers of 256:")
        classes()
    print(f"{time.perf_counter() - began:.0f} s on {torch.get_num_threads()} thread(s)")


if __name__ == "__main__":
    main()

"""Basins of small networks on the digits against width, depth, class and, with --grokking, training time.

python benchmarks/basins_recreation.py              # half a minute on one thread
python benchmarks/basins_recreation.py --grokking   # a minute and a half

Set-up: 1,297 training and 500 test digits, `demo.digits_mlp` and `demo.train`: Adam from 1e-3, falling evenly to 0,
batches of 128, 60 epochs. Basins over the training samples, 4 draws of inputs and 8 of weights. The set-up is ours: the
paper's is not known to us.
"""

from __future__ import annotations

import argparse
import math
import time

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import nn

from dyn_explorer import analysis, demo

SEEDS = (0, 1)
WIDTHS = (16, 32, 64, 128, 256)
DEPTHS = (0, 1, 2, 4, 6, 8, 12)
GROK_STEPS = 20_000


def split() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """1,297 digits to train on and 500 others, flat."""
    parts = [demo.digits(name) for name in ("train", "test")]
    images = torch.cat([images for images, _ in parts]).flatten(1)
    labels = torch.cat([labels for _, labels in parts])
    return images[:1297], labels[:1297], images[1297:], labels[1297:]


def measured(hidden: int, width: int, gain: float, seed: int) -> tuple[float, float, float, float, analysis.Basin]:
    """Test accuracy, S50, W50, and the S50 of an untrained copy's own answers, of one training."""
    train_x, train_y, test_x, test_y = split()
    model = demo.digits_mlp(hidden, width, gain=gain, seed=seed)
    own = analysis.sample_basin(model, train_x, None, target="prediction", draws=4, search="bisection")
    demo.train(model, train_x, train_y, epochs=60, batch_size=128, learning_rate=1e-3, seed=seed)
    samples = analysis.sample_basin(model, train_x, train_y, draws=4)
    weights = analysis.weight_basin(model, train_x, train_y, draws=8, search="bisection")
    return demo.accuracy(model, test_x, test_y), samples.half_width, weights.half_width, own.half_width, samples


def table(name: str, values: tuple[int, ...], make) -> None:
    """Print one sweep, mean over seeds, with the rank correlations."""
    rows = []
    for value in values:
        runs = np.array([make(value, seed)[:4] for seed in SEEDS])
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
        basin = measured(2, 256, 1.0, seed)[4]
        order = np.argsort(basin.class_half_widths)[::-1]
        print(f"  seed {seed}: " + ", ".join(f"{digit} {basin.class_half_widths[digit]:.2f}" for digit in order))


def grokking() -> None:
    """Print accuracy and S50 along one run from large weights on 150 digits."""
    train_x, train_y, test_x, test_y = split()
    some_x, some_y = train_x[:150], train_y[:150]
    mismatch = analysis.input_mismatch(test_x, test_y, some_x, some_y)
    print(f"  mismatch, mean pixel RMS to the nearest training digit of the class: {mismatch:.3f}")
    model = demo.digits_mlp(2, 200, gain=8.0)
    target = nn.functional.one_hot(some_y, 10).float()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.1)
    sigmas = np.geomspace(10**-3.5, 16, 33)
    for step in range(GROK_STEPS + 1):
        if step in (1426, 5000, 10_000, GROK_STEPS):
            basin = analysis.sample_basin(model, some_x, some_y, sigmas=sigmas, draws=4)
            scores = [demo.accuracy(model, *pair) for pair in ((some_x, some_y), (test_x, test_y))]
            print(
                f"  step {step:6d}: train {scores[0]:.3f}, test {scores[1]:.3f}, S50 {basin.half_width:.3f}", flush=True
            )
        optimizer.zero_grad()
        nn.functional.mse_loss(model(some_x), target).backward()
        optimizer.step()


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
        table("width", WIDTHS, lambda width, seed: measured(2, width, 1.0, seed))
        print(f"hidden layers of 64, gain sqrt(6), {len(SEEDS)} seeds:")
        table("depth", DEPTHS, lambda depth, seed: measured(depth, 64, math.sqrt(6), seed))
        print("S50 by digit, 2 hidden layers of 256:")
        classes()
    print(f"{time.perf_counter() - began:.0f} s on {torch.get_num_threads()} thread(s)")


if __name__ == "__main__":
    main()

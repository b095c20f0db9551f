"""Whether the entropy of DMD eigenvalues tells training from no training, measured again for every way to compute it.

python benchmarks/dmd_recreation.py             # 4 seeds, some minutes
python benchmarks/dmd_recreation.py --quick     # 2 seeds, 2 images, 2 epochs: does it run at all

Small networks are trained on digits, each seed once with the true labels and once with shuffled ones. The table is
printed as it comes out, beside the one of an earlier prototype, which left the place of the pooling, the order of the
columns outside the published pipeline, and the fate of dead maps open. Here: one pooling, after the last convolution;
the published order; dead maps kept.
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from dyn_explorer import DynExplorerError, demo
from dyn_explorer.analysis import CompressedSnapshots, compress, dmd, eigenvalue_entropy, shuffled_columns_null
from dyn_explorer.capture import Recording, record, snapshots

N_TRAIN = 1400
SIZE = 24
MAPS = (48, 48)
RELUS = ("1", "3", "5", "7")
PICTURES = {
    "jet": {"normalise": "softmax", "colour": "jet"},
    "soft": {"normalise": "softmax"},
    "minmax": {"normalise": "softmax"},
    "raw": {},
}
# Reference prototype: E at init, E true, E shuffled after 15 epochs, and rho.
ROWS = {
    ("jet", "full"): (2.70, 2.63, 4.23, 0.14),
    ("jet", "tol 1e-10"): (3.86, 4.29, 3.49, 0.60),
    ("jet", "tol 1e-2"): (4.63, 4.81, 4.08, 0.71),
    ("jet", "99 %"): (4.41, 4.22, 4.06, -0.47),
    ("soft", "tol 1e-2"): (1.45, 3.08, 1.70, 0.96),
    ("minmax", "99 %"): (3.60, 3.02, 3.16, -0.73),
    ("raw", "full"): (3.69, 3.56, 3.56, -0.16),
}


@dataclass(frozen=True)
class Reading:
    """One network at one epoch: per row of the table (E, rank, E of shuffled columns), means over the images."""

    accuracy: float
    rows: dict[tuple[str, str], tuple[float, float, float]]


def network(seed: int) -> nn.Sequential:
    """The 32-16-16-8 network with Glorot's weights, untrained."""
    torch.manual_seed(seed)
    widths = (1, 32, 16, 16, 8)
    convolutions = [nn.Conv2d(a, b, 3) for a, b in pairwise(widths)]
    layers = [layer for convolution in convolutions for layer in (convolution, nn.ReLU())]
    side = (SIZE - 2 * len(convolutions)) // 2
    model = nn.Sequential(*layers, nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.5), nn.Linear(8 * side**2, 10))
    for module in (*convolutions, model[-1]):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
    return model


def data() -> tuple[Tensor, Tensor]:
    """All digits, enlarged."""
    (first, first_labels), (second, second_labels) = demo.digits("train"), demo.digits("test")
    images = nn.functional.interpolate(torch.cat([first, second]), size=(SIZE, SIZE), mode="bilinear")
    return images, torch.cat([first_labels, second_labels])


def train(model: nn.Module, images: Tensor, labels: Tensor, epochs: tuple[int, ...], seed: int) -> Iterator[int]:
    """Train with Adam, and stop over at each of `epochs`."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(epochs[-1] + 1):
        if epoch in epochs:
            yield epoch
        model.train()
        for chosen in torch.randperm(len(images), generator=generator).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images[chosen]), labels[chosen]).backward()
            optimizer.step()


def factored(recording: Recording, picture: str, image: int) -> CompressedSnapshots:
    """One image's maps as the columns of a compressed matrix."""
    options = {"size": MAPS, "order": "lexicographic", "drop": False, **PICTURES[picture]}
    matrix = snapshots(recording, RELUS, "channel", image, **options).matrix
    if picture == "minmax":
        lowest, highest = matrix.amin(dim=0), matrix.amax(dim=0)
        matrix = (matrix - lowest) / torch.where(highest > lowest, highest - lowest, 1)
    return compress(matrix)


def rank_of(compressed: CompressedSnapshots, rule: str) -> int | float:
    """What `dmd` takes as its rank for one row of the table."""
    if rule == "99 %":
        return 0.99
    values = compressed.svd(0, compressed.n_snapshots - 1).singular_values
    least = 0.0 if rule == "full" else float(rule.removeprefix("tol ")) * values[0]
    return int(np.count_nonzero(values > least))


def measure(compressed: CompressedSnapshots, rule: str, shuffles: int) -> tuple[float, float, float]:
    """E, rank and the E of shuffled columns of one image; nan where there is none."""
    rank = rank_of(compressed, rule)
    null = math.nan
    try:
        result = dmd(compressed, rank=rank)
        entropy = eigenvalue_entropy(result.eigenvalues, kind="hist256")
        if shuffles:
            shuffled = shuffled_columns_null(compressed, rank=result.rank, shuffles=shuffles)
            null = shuffled.mean["entropy_hist256"]
    except DynExplorerError as error:
        print(f"  ({rule}, rank {rank}: {error})")
        return math.nan, math.nan, math.nan
    return entropy, result.rank, null


def read(model: nn.Module, images: Tensor, labels: Tensor, n_images: int, shuffles: int) -> Reading:
    """Look at one network as it stands."""
    model.eval()
    accuracy = demo.accuracy(model, images, labels)
    # In float64, so that what is small is not rounding noise.
    recording = record(copy.deepcopy(model).double(), images[:n_images].double(), RELUS)
    per_image = {row: [] for row in ROWS}
    for image, picture in product(range(n_images), PICTURES):
        compressed = factored(recording, picture, image)
        for row in ROWS:
            if row[0] == picture:
                per_image[row].append(measure(compressed, row[1], shuffles))
    return Reading(accuracy, {row: tuple(map(mean, zip(*values, strict=True))) for row, values in per_image.items()})


def mean(values: tuple[float, ...]) -> float:
    """Mean of what is defined; nan if nothing is."""
    defined = [value for value in values if not math.isnan(value)]
    return sum(defined) / len(defined) if defined else math.nan


def experiment(seed: int, options: argparse.Namespace) -> dict[tuple[str, int], Reading]:
    """Train one seed with true and with shuffled labels: readings by kind of labels and epoch."""
    images, labels = data()
    held_out = images[N_TRAIN:], labels[N_TRAIN:]
    kinds = {"true": labels[:N_TRAIN], "shuffled": demo.shuffled(labels[:N_TRAIN], seed=seed)}
    readings = {}
    for kind, targets in kinds.items():
        model = network(seed)
        for epoch in train(model, images[:N_TRAIN], targets, options.epochs, seed):
            # The null is shown for the first and last epoch only, and costs most of the time.
            shuffles = options.shuffles if epoch in (options.epochs[0], options.epochs[-1]) else 0
            readings[kind, epoch] = read(model, *held_out, options.images, shuffles)
    return readings


def correlation(left: list[float], right: list[float]) -> float:
    """Spearman's coefficient; nan where one side does not vary."""
    return math.nan if len(set(left)) < 2 or len(set(right)) < 2 else float(spearmanr(left, right).statistic)


def separation(high: list[float], low: list[float]) -> str:
    """In how many pairs the first is higher."""
    return f"{sum(a > b for a, b in product(high, low))}/{len(high) * len(low)}"


def print_row(row: tuple[str, str], runs: list[dict[tuple[str, int], Reading]], epochs: tuple[int, ...]) -> None:
    """Print one row of the table."""
    last = epochs[-1]
    values = {key: [run[key].rows[row] for run in runs] for key in (("true", 0), ("true", last), ("shuffled", last))}
    entropies = {key: [value[0] for value in each] for key, each in values.items()}
    trends = [
        correlation([run["true", at].rows[row][0] for at in epochs], [run["true", at].accuracy for at in epochs])
        for run in runs
    ]
    everywhere = [reading.rows[row] for run in runs for reading in run.values()]
    confound = correlation([value[0] for value in everywhere], [value[1] for value in everywhere])
    in_words = "one rank" if math.isnan(confound) else f"{confound:+.2f}"
    shown = " | ".join(
        f"{np.mean(entropies[key]):.2f} ({np.mean([value[2] for value in each]):.2f})" for key, each in values.items()
    )
    init, true, shuffled = entropies.values()
    reference = " / ".join(f"{number:.2f}" for number in ROWS[row][:3])
    print(
        f"| {row[0]}, {row[1]} | {shown} | {np.mean(trends):+.2f} | {separation(true, shuffled)} | "
        f"{separation(true, init)} | {in_words} | {reference}; {ROWS[row][3]:+.2f} |"
    )


def print_table(runs: list[dict[tuple[str, int], Reading]], options: argparse.Namespace) -> None:
    """Print the accuracies and the table."""
    last = options.epochs[-1]
    accuracy = {
        key: np.mean([run[key].accuracy for run in runs]) for key in (("true", 0), ("true", last), ("shuffled", last))
    }
    print(f"\nE is the entropy `hist256` in bits, mean over {len(runs)} seeds and {options.images} held-out images;")
    print(f"in brackets that of shuffled columns at the same rank ({options.shuffles} shuffles).")
    print("Test accuracy: " + ", ".join(f"{kind}@{epoch} {value:.3f}" for (kind, epoch), value in accuracy.items()))
    print("(reference prototype: init 0.094, true 0.977, shuffled 0.099).\n")
    print(
        f"| snapshot, rank | E at init | E true@{last} | E shuffled@{last} | rho(E, accuracy) | true > shuffled | "
        "true > init | rho(E, rank) | reference prototype |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for row in ROWS:
        print_row(row, runs, options.epochs)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--images", type=int, default=8, help="held-out images per network (default 8)")
    parser.add_argument("--shuffles", type=int, default=5, help="shuffles of the columns per image (default 5)")
    parser.add_argument("--quick", action="store_true", help="does it run: 2 seeds, 2 images, 2 epochs")
    options = parser.parse_args()
    options.epochs = (0, 1, 2, 4, 8, 15)
    if options.quick:
        options.seeds, options.images, options.shuffles, options.epochs = 2, 2, 1, (0, 1, 2)
    # One thread: these matrices are small, and sums over threads would depend on their number.
    torch.set_num_threads(1)
    start, runs = time.perf_counter(), []
    for seed in range(options.seeds):
        runs.append(experiment(seed, options))
        print(f"seed {seed}: {time.perf_counter() - start:.0f} s", flush=True)
    print_table(runs, options)


if __name__ == "__main__":
    main()

"""Thirty-six small networks: every measure against test accuracy, and what a sweep costs beside its measures.

python benchmarks/sweep.py                  # trains once, about two minutes; the networks are kept in a folder
python benchmarks/sweep.py --skip-cluster   # without the pool and the Dask workers
"""

from __future__ import annotations

import argparse
import itertools
import math
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pandas as pd
import torch
from safetensors.torch import save_file
from scipy.stats import false_discovery_control
from torch import nn

import dyn_explorer as dx
from dyn_explorer.analysis import correlation
from dyn_explorer.sweeps.content import digest
from dyn_explorer.sweeps.look import Look
from dyn_explorer.sweeps.measures import asked_measures, found_by
from dyn_explorer.sweeps.options import SweepOptions
from dyn_explorer.views.correlation_of import of_models

WIDTHS, DEPTHS, OPTIMISERS, NOISES = (8, 16), (2, 3, 4), ("adam", "sgd"), (0.0, 0.3, 0.6)
EPOCHS = 6


def network(width: int, depth: int) -> nn.Sequential:
    """Convolutions of one width over digits enlarged to 16 x 16, the average of each map, and a linear head."""
    layers: list[nn.Module] = [nn.Upsample(scale_factor=2)]
    for place in range(depth):
        layers += [nn.Conv2d(1 if place == 0 else width, width, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.AvgPool2d(4), nn.Flatten(), nn.Linear(16 * width, 10))


def trained(width: int, depth: int, optimiser: str, noise: float, folder: Path) -> Path:
    """Train one network and save its weights."""
    path = folder / f"{width}_{depth}_{optimiser}_{noise}.safetensors"
    if path.exists():
        return path
    torch.manual_seed(0)
    model = network(width, depth)
    images, labels = dx.demo.digits("train")
    wrong = torch.rand(len(labels)) < noise
    labels = torch.where(wrong, dx.demo.shuffled(labels), labels)
    steps = {"adam": partial(torch.optim.Adam, lr=5e-3), "sgd": partial(torch.optim.SGD, lr=0.05, momentum=0.9)}
    optimizer = steps[optimiser](model.parameters())
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(labels)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images[chosen]), labels[chosen]).backward()
            optimizer.step()
    save_file(model.state_dict(), path)
    return path


def population(folder: Path) -> dict[str, tuple[Path, partial]]:
    """Every combination, as checkpoints with their builders."""
    return {
        f"{width} wide, {depth} deep, {optimiser}, noise {noise}": (
            trained(width, depth, optimiser, noise, folder),
            partial(network, width, depth),
        )
        for width, depth, optimiser, noise in itertools.product(WIDTHS, DEPTHS, OPTIMISERS, NOISES)
    }


def shown(found) -> str:
    """A coefficient with its interval."""
    return "undefined" if math.isnan(found.value) else f"{found.value:+.2f} ({found.low:+.2f} to {found.high:+.2f})"


def report(table: pd.DataFrame) -> None:
    """Each measure against test accuracy over the networks, in the order in which the sweep has them."""
    accuracy = of_models(table, "accuracy")
    print(f"test accuracy of {len(accuracy)} networks: {accuracy.min():.3f} to {accuracy.max():.3f}")
    controls = {name: of_models(table, name) for name in ("rank", "width", "depth")}
    rows, p_values = [], []
    for measure in table["measure"].unique():
        if measure == "accuracy":
            continue
        held = {name: values for name, values in controls.items() if name != measure}
        found = correlation(of_models(table, measure), accuracy, controls=held)
        chance = correlation(of_models(table, measure, column="null"), accuracy).spearman
        rows.append((measure, found, chance))
        p_values.append(found.spearman.p_value)
    defined = [p for p in p_values if not math.isnan(p)]
    adjusted = iter(false_discovery_control(defined))
    print("| measure | Spearman | its null's | Kendall | p | p, adjusted | rank, width, depth held fixed | p |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for measure, found, chance in rows:
        p = found.spearman.p_value
        q = "" if math.isnan(p) else f"{next(adjusted):.3f}"
        partial_p = "" if math.isnan(found.partial.p_value) else f"{found.partial.p_value:.4f}"
        print(
            f"| {measure} | {shown(found.spearman)} | {shown(chance)} | {shown(found.kendall)} | "
            f"{'' if math.isnan(p) else f'{p:.4f}'} | {q} | {shown(found.partial)} | {partial_p} |"
        )


def alone(models: dict, images: torch.Tensor, labels: torch.Tensor) -> None:
    """The same measures in a plain loop: build, load, measure."""
    torch.set_num_threads(1)
    for path, build in models.values():
        model = build()
        dx.capture.checkpoints.load_into(model, str(path), "weights")
        look = Look(model, images, labels, SweepOptions(), "loop")
        for asked in asked_measures(None, labels=True):
            if asked.name != "run":
                found_by(asked.family, look)


def seconds(work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """Processor time of a call, which a busy machine does not stretch."""
    began = clock()
    work()
    return clock() - began


def overhead(models: dict, images: torch.Tensor, labels: torch.Tensor, repeats: int) -> None:
    """What a sweep costs beside its own measures, and beside the loop: four networks at a time, in turn, the least."""
    names = list(models)
    groups = [{name: models[name] for name in names[start : start + 4]} for start in range(0, len(names), 4)]
    with tempfile.TemporaryDirectory() as cache:
        dx.sweep(models, images, labels, cache=cache)
        works = {
            "plain loop": lambda some: alone(some, images, labels),
            "sweep": lambda some: dx.sweep(some, images, labels),
            "sweep read from its cache": lambda some: dx.sweep(some, images, labels, cache=cache),
        }
        least = dict.fromkeys(works, 0.0)
        for some in groups:
            times = {kind: [] for kind in works}
            for _ in range(repeats):
                for kind, work in works.items():
                    times[kind].append(seconds(partial(work, some)))
            for kind, each in times.items():
                least[kind] += min(each)
    shares = []
    for _ in range(repeats):
        began = time.perf_counter()
        table = dx.sweep(models, images, labels)
        shares.append((time.perf_counter() - began) / table["seconds"].sum() - 1)
    print(f"\n{len(models)} networks; claim: at most 3 % over the measures' own time")
    share = 100 * statistics.median(shares)
    print(f"  wall time of a sweep over its column `seconds`: {share:+.1f} %, median of {repeats}")
    print(f"  processor time, least of {repeats}:")
    for kind, total in least.items():
        print(f"    {kind}: {total:.2f} s ({100 * (total / least['plain loop'] - 1):+.1f} %)")


def same_bits(models: dict, images: torch.Tensor, labels: torch.Tensor) -> None:
    """The table of a pool and of a Dask cluster beside that of this process."""
    from distributed import Client, LocalCluster

    expected = dx.sweep(models, images, labels).drop(columns="seconds")
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn) as pool:
        list(pool.map(abs, range(8)))
        began = time.perf_counter()
        found = dx.sweep(models, images, labels, executor=pool).drop(columns="seconds")
        print(f"pool of 2 processes: {time.perf_counter() - began:.1f} s, same bits: {found.equals(expected)}")
    with LocalCluster(n_workers=4, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        began = time.perf_counter()
        found = dx.sweep(models, images, labels, executor=client.get_executor()).drop(columns="seconds")
        print(f"4 Dask workers: {time.perf_counter() - began:.1f} s, same bits: {found.equals(expected)}")


def memory(images: torch.Tensor) -> None:
    """The peak of this process over 200 models of 4 MiB."""
    peaks = []

    def build(seed: int) -> nn.Module:
        torch.manual_seed(seed)
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return nn.Sequential(nn.Conv2d(1, 8, 3), nn.Flatten(), nn.Linear(288, 3600), nn.Linear(3600, 10))

    models = {str(seed): partial(build, seed) for seed in range(200)}
    dx.sweep(models, images[:32], measures=["size", "dynamics", "link_std"], samples=2)
    print(f"peak memory before model 20, 100 and 200: {peaks[19]:.0f}, {peaks[99]:.0f}, {peaks[199]:.0f} MiB")


def main() -> None:
    """Read the command line, train what is not there, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "dyn_explorer_sweep")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--skip-cluster", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    print(f"training took {seconds(lambda: population(options.folder)):.0f} s of processor time")
    models = population(options.folder)
    images, labels = dx.demo.digits("test")
    table = dx.sweep(models, images, labels, progress=True)
    table.to_csv(options.folder / "table.csv", index=False)
    print(f"{len(table)} rows, {table['error'].notna().sum()} with an error; inputs {digest(images)[:12]}")
    report(table)
    overhead(dict(list(models.items())[::3]), images, labels, options.repeats)
    memory(images)
    if not options.skip_cluster:
        same_bits(models, images, labels)


if __name__ == "__main__":
    main()

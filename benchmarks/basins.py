"""What basins cost beside the bare forward passes they need, live basins, vmap against a loop, and memory.

python benchmarks/basins.py            # about a minute on one thread
python benchmarks/basins.py --memory   # only the memory of a network of ResNet-18's size, in this process
"""

from __future__ import annotations

import argparse
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.func import functional_call, vmap

from dyn_explorer import analysis, demo

AMPLITUDES, DRAWS, SAMPLES = 33, 16, 1297


def digits_mlp() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """Nine hidden layers of 64 with BatchNorm, trained for a few epochs, with 1,297 digits."""
    images, labels = demo.digits("train")
    images, labels = images[:SAMPLES].flatten(1), labels[:SAMPLES]
    torch.manual_seed(0)
    hidden = [part for _ in range(9) for part in (nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU())]
    model = nn.Sequential(*hidden, nn.Linear(64, 10))
    demo.train(model, images, labels, epochs=5, batch_size=128, learning_rate=1e-3)
    return model, images, labels


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Wall time and processor time of one call."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def bare(model: nn.Module, images: torch.Tensor, rows: int) -> None:
    """The forward passes alone: as many inputs, in batches of `rows`."""
    batch = images.repeat(DRAWS, 1)
    with torch.no_grad():
        for _ in range(AMPLITUDES):
            for part in batch.split(rows):
                model(part)


def compare_with_bare(repeats: int) -> None:
    """Print both basins against the bare forward passes, interleaved."""
    model, images, labels = digits_mlp()
    works = {
        "bare, batches of 2,048": lambda: bare(model, images, 2048),
        "bare, batches of 1,297": lambda: bare(model, images, SAMPLES),
        "sample_basin": lambda: analysis.sample_basin(model, images, labels, draws=DRAWS),
        "weight_basin": lambda: analysis.weight_basin(model, images, labels, draws=DRAWS),
    }
    for work in works.values():
        work()
    times = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            times[name].append(seconds(work))
    medians = {name: np.median(values, axis=0) for name, values in times.items()}
    base = np.minimum(*(medians[name] for name in list(works)[:2]))
    print(f"{AMPLITUDES} amplitudes x {DRAWS} draws x {SAMPLES} samples, MLP of 9 x 64 with BatchNorm, {repeats} runs:")
    for name, (wall, processor) in medians.items():
        ratios = f"{wall / base[0]:.2f} (wall), {processor / base[1]:.2f} (processor)"
        print(f"  {name:24s} {wall:6.3f} s wall {processor:6.3f} s processor   over the faster bare: {ratios}")


def compare_vmap(repeats: int) -> None:
    """Print vmap over the draws against the loop over them, at several numbers of samples."""
    model, images, _ = digits_mlp()
    model.eval()
    weights = {name: value.detach() for name, value in model.named_parameters() if value.ndim > 1}
    noise = {name: torch.randn(DRAWS, *value.shape) for name, value in weights.items()}

    def moved(draw) -> dict[str, torch.Tensor]:
        return {name: value + 0.1 * noise[name][draw] for name, value in weights.items()}

    for count in (64, 256, SAMPLES):
        some = images[:count]
        mapped = vmap(lambda parameters, some=some: functional_call(model, parameters, (some,)))

        def loop(some=some) -> None:
            for draw in range(DRAWS):
                functional_call(model, moved(draw), (some,), tie_weights=False)

        def at_once(mapped=mapped) -> None:
            mapped(moved(slice(None)))

        times = {"loop": [], "vmap": []}
        with torch.no_grad():
            for _ in range(5 * repeats):
                times["loop"].append(seconds(loop)[0])
                times["vmap"].append(seconds(at_once)[0])
        slow, fast = (statistics.median(times[name]) for name in ("loop", "vmap"))
        print(f"  {count:5d} samples: loop {1e3 * slow:6.1f} ms, vmap {1e3 * fast:6.1f} ms, ratio {fast / slow:.2f}")


def live(repeats: int) -> None:
    """Print a basin by bisection on the demo network."""
    model, (images, labels) = demo.load("trained"), demo.digits("test")
    for count, draws in ((128, 4), (256, 4), (256, 8)):
        for run in (analysis.sample_basin, analysis.weight_basin):

            def work(search: str, run=run, count=count, draws=draws):
                return run(model, images[:count], labels[:count], draws=draws, search=search)

            wall, processor = np.median([seconds(lambda: work("bisection")) for _ in range(repeats)], axis=0)
            print(
                f"  {run.__name__}, {count} inputs x {draws} draws, bisection of 33: {wall:.2f} s wall, "
                f"{processor:.2f} s processor, half width {work('bisection').half_width:.3f}"
            )


class Block(nn.Module):
    """A basic residual block."""

    def __init__(self, low: int, high: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(low, high, 3, stride, 1, bias=False), nn.BatchNorm2d(high), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(high, high, 3, 1, 1, bias=False), nn.BatchNorm2d(high))
        same = low == high and stride == 1
        self.skip = nn.Identity() if same else nn.Sequential(nn.Conv2d(low, high, 1, stride, bias=False))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Two convolutions beside a skip connection."""
        return torch.relu(self.second(self.first(x)) + self.skip(x))


def resnet18() -> nn.Module:
    """ResNet-18 for 32 x 32 images, about 11.2 million parameters."""
    parts: list[nn.Module] = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    low = 64
    for high, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        parts += [Block(low, high, stride), Block(high, high, 1)]
        low = high
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


def memory() -> None:
    """Print the peak memory of this process over both basins of a network of ResNet-18's size."""
    torch.manual_seed(0)
    model, images = resnet18(), torch.randn(256, 3, 32, 32)
    before = peak()
    options = {"sigmas": [0.1, 1.0], "draws": 2, "target": "prediction"}
    wall = [seconds(lambda run=run: run(model, images, None, **options))[0] for run in
            (analysis.sample_basin, analysis.weight_basin)]  # fmt: skip
    parameters = sum(parameter.numel() for parameter in model.parameters())
    print(
        f"  {parameters / 1e6:.1f} million parameters, 256 inputs of 3 x 32 x 32, 2 amplitudes x 2 draws: peak of the "
        f"process {peak():.0f} MiB, of which {before:.0f} before; {wall[0]:.0f} s and {wall[1]:.0f} s"
    )


def peak() -> float:
    """Largest memory of this process so far, MiB; the rusage of Linux would begin with that of the parent."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memory", action="store_true", help="only the memory, in this process")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    if arguments.memory:
        memory()
        return
    print(f"{torch.get_num_threads()} thread(s) of torch {torch.__version__}")
    compare_with_bare(arguments.repeats)
    print("draws of weights at once (vmap) or one after the other, the same network:")
    compare_vmap(arguments.repeats)
    print("live, on the demo network:")
    live(arguments.repeats)
    print("memory, in a process of its own:", flush=True)
    subprocess.run([sys.executable, __file__, "--memory"], check=True)


if __name__ == "__main__":
    main()

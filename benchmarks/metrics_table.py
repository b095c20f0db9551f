"""What the table of metrics costs beyond the forward passes and the factorisations that it cannot do without.

python benchmarks/metrics_table.py                 # 32 images of 64 x 64, 10 layers of a ResNet-18
python benchmarks/metrics_table.py --images 100    # the size of the claim: at most 1.5 times
python benchmarks/metrics_table.py --size 224
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import nn
from transformers import ResNetConfig, ResNetModel

import dyn_explorer as dx
from dyn_explorer.analysis import compress, dmd

LAYERS = (
    "embedder.embedder.activation",
    *(f"encoder.stages.{stage}.layers.{block}" for stage in range(4) for block in range(2)),
    "encoder.stages.3.layers.1.layer.1",
)
BATCH = 32
RANK = 0.99


def resnet18() -> nn.Module:
    """A network of ResNet-18's size with weights of its own, and nothing fetched."""
    torch.manual_seed(0)
    widths = [64, 128, 256, 512]
    return ResNetModel(
        ResNetConfig(embedding_size=64, hidden_sizes=widths, depths=[2, 2, 2, 2], layer_type="basic")
    ).eval()


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Wall time and processor time of one call; the second says more where the machine is busy."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def forward(model: nn.Module, images: torch.Tensor) -> None:
    """Run the bare model, batch by batch."""
    with torch.no_grad():
        for batch in images.split(BATCH):
            model(batch)


def matrices(model: nn.Module, images: torch.Tensor) -> list[torch.Tensor]:
    """Every layer's snapshot matrix for every image."""
    recording = dx.record(model, images, LAYERS, batch_size=BATCH)
    return [dx.snapshots(recording, layer, sample=image).matrix for image in range(len(images)) for layer in LAYERS]


def factorise(all_matrices: list[torch.Tensor]) -> None:
    """One after the other: the factor of each matrix, its singular values and its eigenvalues."""
    for matrix in all_matrices:
        dmd(compress(matrix), rank=RANK)


def main() -> None:
    """Read the command line, measure in turn, and print medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--size", type=int, default=64, help="side of an image in pixels (default 64)")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    model, images = resnet18(), torch.randn(options.images, 3, options.size, options.size)
    prepared = matrices(model, images)
    works = {
        "forward passes": lambda: forward(model, images),
        "factorisations": lambda: factorise(prepared),
        "metrics table": lambda: dx.metrics_table(model, images, LAYERS, rank=RANK, batch_size=BATCH),
    }
    for work in works.values():
        work()
    times = {name: [] for name in works}
    for _ in range(options.repeats):
        for name, work in works.items():
            times[name].append(seconds(work))
    size = f"{options.images} images of {options.size} x {options.size}"
    print(f"{size}, {len(LAYERS)} layers, medians of {options.repeats}")
    for index, clock in enumerate(("wall", "processor")):
        medians = {name: statistics.median(each[index] for each in pairs) for name, pairs in times.items()}
        ratio = medians["metrics table"] / (medians["forward passes"] + medians["factorisations"])
        shown = ", ".join(f"{name} {median:.2f} s" for name, median in medians.items())
        print(f"  {clock:9s}  {shown}: ratio {ratio:.2f} (claim: at most 1.5)")


if __name__ == "__main__":
    main()

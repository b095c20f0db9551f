"""What node strengths cost: the closed form beside nested loops, and a whole ResNet-50 beside one forward pass.

python benchmarks/network.py             # about half a minute: the loops are slow
python benchmarks/network.py --size 16   # smaller maps, for a look
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from transformers import ResNetConfig, ResNetModel

from dyn_explorer.analysis import AffineLayer

CHANNELS, KERNEL = 64, 3


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Median wall time of a call."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def by_loops(weight: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Strengths of a padded convolution of stride 1, link by link for each kernel entry and position."""
    weights = weight.tolist()
    into = [[[0.0] * size for _ in range(size)] for _ in range(CHANNELS)]
    out_of = [[[0.0] * size for _ in range(size)] for _ in range(CHANNELS)]
    for o in range(CHANNELS):
        for i in range(size):
            for j in range(size):
                for c in range(CHANNELS):
                    for a in range(KERNEL):
                        for b in range(KERNEL):
                            y, x = i + a - 1, j + b - 1
                            if 0 <= y < size and 0 <= x < size:
                                into[o][i][j] += weights[o][c][a][b]
                                out_of[c][y][x] += weights[o][c][a][b]
    return np.array(into), np.array(out_of)


def convolutions(model: nn.Module, image: torch.Tensor) -> list[tuple[nn.Conv2d, tuple[int, ...]]]:
    """Every convolution with the shape of its inputs."""
    found, handles = [], []
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            note = lambda conv, inputs: found.append((conv, tuple(inputs[0].shape[1:])))  # noqa: E731 - a hook
            handles.append(module.register_forward_pre_hook(note))
    with torch.no_grad():
        model(image)
    for handle in handles:
        handle.remove()
    return found


def strengths(layers: list[tuple[nn.Conv2d, tuple[int, ...]]]) -> None:
    """In- and out-strengths of every convolution."""
    for conv, shape in layers:
        layer = AffineLayer(conv.weight, conv.bias, shape, conv.stride, conv.padding, conv.dilation, conv.groups)
        layer.in_strength()
        layer.out_strength()


def main() -> None:
    """Measure both claims and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=32, help="side of the maps of the loops (default 32)")
    options = parser.parse_args()
    torch.manual_seed(0)
    weight = torch.randn(CHANNELS, CHANNELS, KERNEL, KERNEL, dtype=torch.float64)

    def closed_form() -> tuple[torch.Tensor, torch.Tensor]:
        layer = AffineLayer(weight, input_shape=(CHANNELS, options.size, options.size), padding=1)
        return layer.in_strength(), layer.out_strength()

    began = time.perf_counter()
    looped = by_loops(weight.numpy(), options.size)
    slow = time.perf_counter() - began
    quick = seconds(closed_form, 20)
    apart = max(float(np.abs(a - b.numpy()).max()) for a, b in zip(looped, closed_form(), strict=True))
    print(f"{CHANNELS} to {CHANNELS} channels, 3 x 3, {options.size} x {options.size}:")
    print(f"  nested loops {slow:.1f} s, closed form {1e3 * quick:.2f} ms: {slow / quick:,.0f} times (claim: 500)")
    print(f"  largest difference {apart:.1e}")

    model, image = ResNetModel(ResNetConfig()).eval(), torch.randn(1, 3, 224, 224)
    layers = convolutions(model, image)

    def forward() -> None:
        with torch.no_grad():
            model(image)

    forward(), strengths(layers)
    pairs = [(seconds(forward, 1), seconds(lambda: strengths(layers), 1)) for _ in range(9)]
    passes, measured = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"ResNet-50 at 224 x 224, {len(layers)} convolutions, medians of 9:")
    print(
        f"  forward {passes:.3f} s, strengths {measured:.3f} s: {measured / passes:.2f} of a forward (claim: under 3)"
    )


if __name__ == "__main__":
    main()

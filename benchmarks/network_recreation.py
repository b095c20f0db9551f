"""Strengths and weights of small networks from chance to high accuracy, on the digits, beside shuffled weights.

(a) 64-32-32-10, learning rate 0.05, 60 seeds x 30 epochs: fluctuation of each node layer by accuracy.
(b) 64-512-512-10, learning rate 0.01, 16 seeds x 8 epochs: how far weights and strengths move.

All seeds of a set train side by side in one batched multiplication; each has its own weights and its own order. One
snapshot per seed and bin of accuracy, the first that falls into it; one initialiser, one optimiser.

python benchmarks/network_recreation.py           # both, half a minute on a quiet machine
python benchmarks/network_recreation.py --quick   # a few seeds, for a look
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

import numpy as np
import torch
from scipy.stats import rankdata

from dyn_explorer.analysis import (
    AffineLayer,
    jensen_shannon,
    layer_fluctuation,
    link_weights,
    node_strength,
    shuffled_weights,
)

BATCH, SPREAD, TESTS = 16, 0.05, 0.3
BINS = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 1.0 + 1e-9)
SHUFFLES = 10
JS_BINS = 64
Layers = list[AffineLayer]


def data() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Digits / 16, a stratified 70/30 split."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, labels = load_digits(return_X_y=True)
    parts = train_test_split(pixels / 16, labels, test_size=TESTS, stratify=labels, random_state=0)
    x, x_test, y, y_test = (torch.from_numpy(part) for part in parts)
    return x.float(), y, x_test.float(), y_test


def trained(widths: list[int], rate: float, seeds: int, epochs: int) -> Iterator[tuple[list, np.ndarray]]:
    """Weights and biases of all seeds, and their test accuracies, at the start and after every epoch."""
    x, y, x_test, y_test = data()
    generator = torch.Generator().manual_seed(0)
    shapes = list(zip(widths[1:], widths, strict=False))
    weights = [SPREAD * torch.randn(seeds, out, into, generator=generator) for out, into in shapes]
    biases = [SPREAD * torch.randn(seeds, out, 1, generator=generator) for out, _ in shapes]
    yield [weights, biases], accuracy(weights, biases, x_test, y_test)
    for _ in range(epochs):
        order = torch.stack([torch.randperm(len(x), generator=generator) for _ in range(seeds)])
        for batch in order.split(BATCH, dim=1):
            step(weights, biases, x[batch], y[batch], rate)
        yield [weights, biases], accuracy(weights, biases, x_test, y_test)


def forward(weights: list, biases: list, inputs: torch.Tensor) -> list[torch.Tensor]:
    """Activations of every neuron layer, each (seeds, neurons, images); the last without an activation."""
    activations = [inputs]
    for place, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        made = torch.baddbmm(bias, weight, activations[-1])
        activations.append(made if place == len(weights) - 1 else made.relu_())
    return activations


def step(weights: list, biases: list, inputs: torch.Tensor, labels: torch.Tensor, rate: float) -> None:
    """One step of plain gradient descent on the mean softmax cross-entropy of a batch, in place."""
    activations = forward(weights, biases, inputs.transpose(1, 2))
    error = activations[-1].softmax(dim=1)
    error.scatter_add_(1, labels[:, None], torch.full_like(labels[:, None], -1, dtype=error.dtype))
    error /= inputs.shape[1]
    for place in reversed(range(len(weights))):
        below = activations[place]
        passed = weights[place].transpose(1, 2) @ error * (below > 0) if place else None
        weights[place].baddbmm_(error, below.transpose(1, 2), alpha=-rate)
        biases[place] -= rate * error.sum(dim=2, keepdim=True)
        error = passed


def accuracy(weights: list, biases: list, inputs: torch.Tensor, labels: torch.Tensor) -> np.ndarray:
    """Share of right answers of each seed."""
    scores = forward(weights, biases, inputs.T.expand(len(weights[0]), -1, -1))[-1]
    return (scores.argmax(dim=1) == labels).double().mean(dim=1).numpy()


def layers_of(state: list, seed: int) -> Layers:
    """One network as layers."""
    return [AffineLayer(w[seed], b[seed, :, 0]) for w, b in zip(*state, strict=True)]


def snapshots(widths: list[int], rate: float, seeds: int, epochs: int) -> list[dict[int, Layers]]:
    """Of each bin of accuracy: seed to network, the first snapshot of that seed that falls into it."""
    bins: list[dict[int, Layers]] = [{} for _ in BINS[1:]]
    for state, scores in trained(widths, rate, seeds, epochs):
        for seed, place in enumerate(np.digitize(scores, BINS) - 1):
            bins[place].setdefault(seed, layers_of(state, seed))
    return bins


def fluctuation(layers: Layers) -> np.ndarray:
    """Of every neuron layer."""
    return layer_fluctuation(node_strength(layers))


def shuffled(layers: Layers) -> np.ndarray:
    """Mean fluctuation under shuffled weights."""
    drawn = [
        fluctuation([shuffled_weights(layer, 7919 * draw + place) for place, layer in enumerate(layers)])
        for draw in range(SHUFFLES)
    ]
    return np.mean(drawn, axis=0)


def small(seeds: int, epochs: int) -> None:
    """Re-creation (a)."""
    began = time.perf_counter()
    bins = snapshots([64, 32, 32, 10], 0.05, seeds, epochs)
    print(f"(a) 64-32-32-10, {seeds} seeds x {epochs} epochs, one snapshot per seed and bin; means over seeds")
    print("| accuracy | seeds | Y input / hidden 1 / hidden 2 / output | Y / Y shuffled | weight sd per layer |")
    print("| --- | --- | --- | --- | --- |")
    for low, high, found in zip(BINS, BINS[1:], bins, strict=False):
        if not found:
            print(f"| {low:g} to {high:g} | 0 | | | |")
            continue
        values = np.array([fluctuation(layers) for layers in found.values()])
        null = np.array([shuffled(layers) for layers in found.values()])
        spread = np.array([[link_weights(x.weight, x.bias).std for x in layers] for layers in found.values()])
        rows = (values.mean(axis=0), (values / null).mean(axis=0), spread.mean(axis=0))
        print(f"| {low:g} to {high:g} | {len(found)} | " + " | ".join(map(joined, rows)) + " |")
    print(f"    {time.perf_counter() - began:.0f} s")


def wide(seeds: int, epochs: int) -> None:
    """Re-creation (b)."""
    began = time.perf_counter()
    first: dict[int, Layers] = {}
    last: dict[int, Layers] = {}
    for state, scores in trained([64, 512, 512, 10], 0.01, seeds, epochs):
        for seed, score in enumerate(scores):
            first.setdefault(seed, layers_of(state, seed))
            if score >= 0.9:
                last.setdefault(seed, layers_of(state, seed))
    print(f"(b) 64-512-512-10, {seeds} seeds x {epochs} epochs: epoch 0 against the first snapshot at accuracy >= 0.9")
    print(f"    {len(last)} of {seeds} seeds get there")
    if not last:
        return
    pairs = list(first.values()), list(last.values())
    weights = [pooled([[values_of(x) for x in layers] for layers in group]) for group in pairs]
    strengths = [pooled([[s.numpy() for s in node_strength(layers)] for layers in group]) for group in pairs]
    mixed = [pooled([[s.numpy() for s in node_strength(mix(layers))] for layers in group]) for group in pairs]
    for name, (before, after) in (("weights", weights), ("strengths", strengths), ("strengths, shuffled", mixed)):
        apart = [jensen_shannon([a, b], bins=JS_BINS)[0, 1] for a, b in zip(before, after, strict=True)]
        bias = [(JS_BINS - 1) / (4 * np.sqrt(len(a) * len(b)) * np.log(2)) for a, b in zip(before, after, strict=True)]
        print(f"    JS of pooled {name}, bits: {joined(apart)} (bias about {joined(bias)})")
    for place, (before, after) in enumerate(zip(*weights, strict=True)):
        told = [f"mean {values.mean():+.5f}, sd {values.std():.4f}" for values in (before, after)]
        print(f"    weights of layer {place + 1}: {told[0]}; then {told[1]}")
    for place in range(len(weights[0])):
        spreads = [[values_of(layers[place]).std() for layers in group] for group in pairs]
        print(f"    AUC of the weight sd of layer {place + 1} alone: {auc(*spreads):.2f}")
    print(f"    {time.perf_counter() - began:.0f} s")


def values_of(layer: AffineLayer) -> np.ndarray:
    """Weights and biases."""
    return link_weights(layer.weight, layer.bias).values


def mix(layers: Layers) -> Layers:
    """The same weights elsewhere."""
    return [shuffled_weights(layer, place) for place, layer in enumerate(layers)]


def pooled(groups: list[list[np.ndarray]]) -> list[np.ndarray]:
    """All networks' values of each layer together."""
    return [np.concatenate(parts) for parts in zip(*groups, strict=True)]


def auc(before: list[float], after: list[float]) -> float:
    """How often a value after exceeds one before."""
    ranks = rankdata([*before, *after])
    rest = len(after) * (len(after) + 1) / 2
    return (ranks[len(before) :].sum() - rest) / (len(before) * len(after))


def joined(values) -> str:
    """Numbers in two or three digits."""
    return " / ".join(f"{value:.3f}" if abs(value) < 0.1 else f"{value:.2f}" for value in values)


def main() -> None:
    """Run both re-creations and print them as they come out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few seeds")
    quick = parser.parse_args().quick
    small(*((6, 10) if quick else (60, 30)))
    wide(*((2, 3) if quick else (16, 8)))


if __name__ == "__main__":
    main()

"""Rank alignment, linear maps and truncation: what they cost, what chance gives, and what re-creates on the digits.

python benchmarks/neurons.py               # about a minute on one core
python benchmarks/neurons.py --grokking    # another two minutes
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score
from torch import nn
from transformers import ResNetConfig, ResNetForImageClassification

from dyn_explorer import demo
from dyn_explorer.analysis import hidden_activations, layer_fields, linear_map, linear_maps, rank_alignment, truncation

WIDTHS = (64, *[64] * 9, 10)


def median_seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """Median wall time of one call, after one that is not counted."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def digits() -> tuple[tuple[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]:
    """1,297 flattened digits to train on, and 500 to test."""
    images, labels, *test = demo.flat_digits()
    return (images, labels), tuple(test)


def hidden_layers(model: nn.Sequential) -> list[str]:
    """Layers that feed an activation."""
    kinds = (nn.ReLU, nn.Tanh, nn.Identity)
    return [str(place - 1) for place, layer in enumerate(model) if isinstance(layer, kinds)]


def alignments(model: nn.Sequential, data: tuple[torch.Tensor, torch.Tensor], **options) -> list:
    """Rank alignment of each hidden layer."""
    names = hidden_layers(model)
    maps = linear_maps(model, names, (64,), inputs=data[0], **options)
    fields = layer_fields(model, data[0], names, **options)
    return [rank_alignment(fields[name][0], maps[name], data[1]) for name in names]


def print_costs() -> None:
    """Print times beside the obvious ways."""
    (images, labels), _ = digits()
    model = demo.mlp(WIDTHS)
    names = hidden_layers(model)
    together = median_seconds(lambda: linear_maps(model, names, (64,)))
    apart = median_seconds(lambda: [linear_map(model, name, (64,)) for name in names])
    print(f"linear maps of 9 layers: one pass {1e3 * together:.1f} ms, one by one {1e3 * apart:.1f} ms, ratio "
          f"{apart / together:.1f}")  # fmt: skip
    fields, readout = layer_fields(model, images, ["0"])["0"][0], linear_map(model, "0", (64,))
    ours = median_seconds(lambda: rank_alignment(fields, readout, labels))
    start = time.perf_counter()
    signed = np.sign(readout.numpy())[:, None, :] * fields.numpy()
    expected = [[2 * roc_auc_score(labels == k, signed[k, :, i]) - 1 for i in range(64)] for k in range(10)]
    theirs = time.perf_counter() - start
    apart = np.abs(rank_alignment(fields, readout, labels).gradient - expected).max()
    print(f"rank alignment, 1,297 samples x 64 neurons x 10 classes: {1e3 * ours:.0f} ms, scikit-learn pair by pair "
          f"{1e3 * theirs:.0f} ms, ratio {theirs / ours:.0f}, largest difference {apart:.1e}")  # fmt: skip


def print_convolutions() -> None:
    """Print time and memory of a network of ResNet-18's size."""
    model = ResNetForImageClassification(
        ResNetConfig(depths=[2, 2, 2, 2], hidden_sizes=[64, 128, 256, 512], layer_type="basic", num_labels=10)
    ).eval()
    images, labels = torch.randn(256, 3, 32, 32), torch.arange(256) % 10
    start = time.perf_counter()
    names = [one.layer for one in hidden_activations(model, images)]
    maps = linear_maps(model, names, (3, 32, 32))
    at_maps = time.perf_counter()
    for name, (fields, places) in layer_fields(model, images, names, most=2000).items():
        rank_alignment(fields, maps[name][:, places], labels)
    at_ranks = time.perf_counter()
    truncation(model, images, labels)
    ended = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"ResNet-18 size, 256 images of 32 x 32, {len(names)} layers; peak memory of the process {peak:.2f} GiB")
    times = at_maps - start, at_ranks - at_maps, ended - at_ranks
    print("  maps {:.1f} s, fields and ranks {:.1f} s, truncation {:.1f} s".format(*times))


def print_chance() -> None:
    """Print how many pairs of class and neuron lie within three null deviations without training."""
    (images, labels), _ = digits()
    rng = torch.Generator().manual_seed(0)
    sets = {
        "noise": (torch.randn(images.shape, generator=rng), labels),
        "digits, labels permuted": (images, labels[torch.randperm(len(labels), generator=rng)]),
        "digits": (images, labels),
    }
    print("untrained 9 x 64 ReLU networks, 5 seeds: pairs within 3 null deviations; layers within 3 of the larger null")
    for name, data in sets.items():
        found = [one for seed in range(5) for one in alignments(demo.mlp(WIDTHS, seed=seed), data)]
        pairs = np.mean([np.abs(one.gradient) <= 3 * one.null_sd[:, None] for one in found])
        signs = np.mean([np.abs(one.gradient) <= 3 * one.sign_sd[:, None] for one in found])
        layers = np.mean([abs(one.layer_gradient) <= 3 * max(one.layer_null_sd, one.sign_null_sd) for one in found])
        print(f"  {name:24s} permuted labels {pairs:6.1%}   random signs {signs:6.1%}   layers {layers:6.1%}")


def parity_runs() -> None:
    """Print accuracies of tanh, linear and L-map networks on the parity of the digit, and G over training."""
    (images, labels), (test_images, test_labels) = digits()
    odd, test_odd = labels % 2, test_labels % 2
    print("parity, 64-128-2, full batch, Adam 3e-3, 300 steps, mean of 2 seeds: test accuracy tanh / linear / L-map")
    for count in (60, 120, 300, 600, 1297):
        rows = []
        for seed in range(2):
            scores = []
            for activation in ("tanh", "identity"):
                model = demo.mlp((64, 128, 2), activation=activation, seed=seed)
                demo.train_steps(model, images[:count], odd[:count], steps=300, learning_rate=3e-3, seed=seed)
                found = truncation(model, test_images, test_odd)
                scores += [found.full_accuracy, *(found.accuracy[:1] if activation == "tanh" else [])]
            rows.append(scores)
        tanh, lmap, linear = np.mean(rows, axis=0)
        print(f"  n = {count:5d}   {tanh:.3f} / {linear:.3f} / {lmap:.3f}")
    marks = (1, 30, 100, 300, 1000, 3000)
    print(f"G of the hidden layer at steps {marks}, Adam 2e-3, batch 128, one seed")
    for activation in ("tanh", "identity"):
        model, course = demo.mlp((64, 128, 2), activation=activation), []

        def note(step: int, _loss: float, model=model, course=course) -> None:
            if step in marks:
                course.append(alignments(model, (images, odd))[0].layer_gradient)

        demo.train_steps(model, images, odd, steps=marks[-1], batch_size=128, learning_rate=2e-3, after_step=note)
        print(f"  {activation:9s} {' '.join(f'{value:+.3f}' for value in course)}")


def deep_runs() -> None:
    """Print the slope of G over depth, the truncation and the lag of BatchNorm in 9 x 64 networks."""
    train, test = digits()
    for batch_norm, gain in ((True, 1.0), (False, 6**0.5)):
        model = demo.mlp(WIDTHS, batch_norm=batch_norm, gain=gain)
        print(f"9 x 64 ReLU, {'BatchNorm' if batch_norm else 'no BatchNorm, gain sqrt 6'}, Adam 1e-3, batch 128")

        def note(step: int, _loss: float, model=model, batch_norm=batch_norm) -> None:
            if step in (10, 300, 2000):
                values = [one.layer_gradient for one in alignments(model, train)]
                slope = spearmanr(range(len(values)), values).statistic
                print(f"  step {step:5d}   G first {values[0]:.2f}, last {values[-1]:.2f}, rho with depth {slope:+.2f}")
            if batch_norm and step in (10, 20, 40, 60, 100):
                running, batch = (truncation(model, *test, bn_stats=s).full_accuracy for s in ("running", "batch"))
                print(
                    f"  step {step:5d}   accuracy with running statistics {running:.2f}, of the test batch {batch:.2f}"
                )

        demo.train_steps(model, *train, steps=2000, batch_size=128, after_step=note)
        found = truncation(model, *test)
        print(f"  step  2000   whole {found.full_accuracy:.3f}, truncated from layer 1 to 9: "
              f"{' '.join(f'{value:.3f}' for value in found.accuracy)}")  # fmt: skip
        print(f"               relative error of the scores: {' '.join(f'{v:.2f}' for v in found.relative_error)}")


def learning_rate_runs() -> None:
    """Print accuracy and first-layer G at two learning rates."""
    train, test = digits()
    print("9 x 64 with BatchNorm, SGD, batch 128, 800 steps, 3 seeds: test accuracy and G of the first layer")
    for rate in (0.03, 0.37):
        rows = []
        for seed in range(3):
            model = demo.mlp(WIDTHS, batch_norm=True, seed=seed)
            demo.train_steps(model, *train, steps=800, batch_size=128, learning_rate=rate, optimizer="sgd", seed=seed)
            rows.append((demo.accuracy(model, *test), alignments(model, train)[0].layer_gradient))
        score, first = np.mean(rows, axis=0)
        print(f"  learning rate {rate:.2f}   accuracy {score:.3f}   G {first:.3f}")


def grokking_run() -> None:
    """Print accuracy and G along one run from large weights on 150 digits, trained on squares of errors."""
    made = demo.recipe("grokking")
    print(f"grokking, one seed: {made.about}")
    for step in made.run():
        values = " ".join(f"{one.layer_gradient:+.3f}" for one in alignments(made.model, (made.inputs, made.labels)))
        pairs = (made.inputs, made.labels), (made.test_inputs, made.test_labels)
        scores = [demo.accuracy(made.model, *pair) for pair in pairs]
        print(f"  step {step:6d}   train {scores[0]:.3f}, test {scores[1]:.3f}   G {values}", flush=True)


def main() -> None:
    """Run all, on one thread."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grokking", action="store_true", help="one long run instead")
    torch.set_num_threads(1)
    everything = (print_costs, print_convolutions, print_chance, parity_runs, deep_runs, learning_rate_runs)
    for work in (grokking_run,) if parser.parse_args().grokking else everything:
        start = time.perf_counter()
        work()
        print(f"({time.perf_counter() - start:.0f} s)\n")


if __name__ == "__main__":
    main()

"""Fully connected networks on the flattened digits, and training that counts steps: for what early training does."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from ..errors import DynExplorerError

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "identity": nn.Identity}


def mlp(
    widths: Sequence[int],
    *,
    activation: str = "relu",
    batch_norm: bool = False,
    gain: float = 1.0,
    zero_bias: bool = False,
    seed: int = 0,
) -> nn.Sequential:
    """A fully connected network; the caller's random numbers are not touched.

    Parameters
    ----------
    widths : sequence of int
        Inputs, hidden layers and outputs, such as (64, 128, 10).
    activation : {"relu", "tanh", "identity"}, default "relu"
        "identity" makes a linear network.
    batch_norm : bool, default False
        Before each activation.
    gain : float, default 1.0
        Weights and biases are uniform within ± gain / √(inputs of the layer): with √6 the signal of a ReLU network
        keeps its size through any depth.
    zero_bias : bool, default False
        Biases begin at 0 instead.
    seed : int, default 0
        Decides them.

    Returns
    -------
    torch.nn.Sequential
        Linear, BatchNorm1d if asked for, activation, ..., Linear.

    Raises
    ------
    DynExplorerError
        Fewer than two widths, a width that is not positive, or an unknown activation.

    Example
    -------
    >>> from dyn_explorer import demo
    >>> [type(layer).__name__ for layer in demo.mlp((64, 32, 10), activation="tanh", batch_norm=True)]
    ['Linear', 'BatchNorm1d', 'Tanh', 'Linear']
    """
    if len(widths) < 2 or min(widths) < 1:
        raise DynExplorerError(
            f"`widths` (={widths!r}) needs at least the inputs and the outputs, each 1 or more, as in (64, 10)"
        )
    if activation not in ACTIVATIONS:
        raise DynExplorerError(f"`activation` (={activation!r}) must be one of {', '.join(map(repr, ACTIVATIONS))}")
    layers: list[nn.Module] = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for into, out in pairwise(widths):
            linear = nn.Linear(into, out)
            for values in (linear.weight, linear.bias):
                nn.init.uniform_(values, -gain / math.sqrt(into), gain / math.sqrt(into))
            if zero_bias:
                nn.init.zeros_(linear.bias)
            layers += [linear, *([nn.BatchNorm1d(out)] if batch_norm else []), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers[: -1 - batch_norm])  # the outputs have neither norm nor activation


def train_steps(
    model: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    *,
    steps: int,
    batch_size: int | None = None,
    learning_rate: float = 1e-3,
    optimizer: str = "adam",
    seed: int = 0,
    after_step: Callable[[int, float], None] | None = None,
) -> None:
    """Train `model` where it stands for so many steps of one size, and leave it in eval mode.

    Parameters
    ----------
    model : torch.nn.Module
        Maps `inputs` to scores (n, n_classes). Changed in place.
    inputs : Tensor, (n, ...)
    labels : Tensor, (n,), int64
    steps : int
    batch_size : int, optional
        Default all inputs in one batch. What is left over at the end of an epoch is left out.
    learning_rate : float, default 1e-3
    optimizer : {"adam", "sgd"}, default "adam"
    seed : int, default 0
        Decides the order of the inputs.
    after_step : callable, optional
        Called as ``after_step(step, loss)`` with the steps counted from 1, the model in eval mode.

    Returns
    -------
    None

    Raises
    ------
    DynExplorerError
        Unknown optimizer, or a batch larger than the data.

    Example
    -------
    >>> from dyn_explorer import demo
    >>> images, labels = demo.digits("train")
    >>> model, losses = demo.mlp((64, 32, 10)), []
    >>> demo.train_steps(model, images.flatten(1), labels, steps=20, after_step=lambda step, loss: losses.append(loss))
    >>> losses[-1] < losses[0]
    True
    """
    for step, loss in stepping(
        model,
        inputs,
        labels,
        steps=steps,
        batch_size=batch_size,
        learning_rate=learning_rate,
        optimizer=optimizer,
        seed=seed,
    ):
        if after_step is not None:
            after_step(step, loss)
    model.eval()


def stepping(
    model: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    *,
    steps: int,
    batch_size: int | None,
    learning_rate: float,
    optimizer: str,
    seed: int,
) -> Iterator[tuple[int, float]]:
    """Train as `train_steps` does, and yield each step and its loss; the model is in eval mode meanwhile."""
    kinds = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}
    if optimizer not in kinds:
        raise DynExplorerError(f"`optimizer` (={optimizer!r}) must be one of {', '.join(map(repr, kinds))}")
    size = len(labels) if batch_size is None else batch_size
    if not 1 <= size <= len(labels):
        raise DynExplorerError(f"`batch_size` (={batch_size!r}) must lie in 1..{len(labels)}, the number of inputs")
    walker = kinds[optimizer](model.parameters(), lr=learning_rate)
    order, waiting = torch.Generator().manual_seed(seed), []
    for step in range(1, steps + 1):
        model.train()
        if not waiting:
            shuffled = torch.randperm(len(labels), generator=order)
            waiting = list(shuffled[: len(labels) // size * size].split(size))
        chosen = waiting.pop()
        walker.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs[chosen]), labels[chosen])
        loss.backward()
        walker.step()
        model.eval()
        yield step, loss.item()

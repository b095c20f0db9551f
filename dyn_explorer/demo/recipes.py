"""Small training runs that each show one phenomenon on the digits, with what came out when they were measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ..errors import DynExplorerError
from .data import digits
from .fully_connected import mlp, stepping
from .training import train

TRAINED_ON = 1297  # of the 1,797 digits; the others are the test
EPOCHS = 60


@dataclass(eq=False)
class Recipe:
    """A network, its data, and a training that stops where there is something to see.

    Attributes
    ----------
    name : str
    about : str
        Network and training; they are our choice where the paper leaves it open.
    outcome : str
        What `benchmarks/` measured with it, also where a published claim did not come out.
    model : torch.nn.Sequential
        Untrained until `run`.
    inputs, labels : Tensor, (n, 64) and (n,)
        What it is trained on: flattened digits with grey values from 0 to 1, and their classes.
    test_inputs, test_labels : Tensor, (500, 64) and (500,)
        Digits it is not trained on.
    marks : tuple of int
        Steps, or epochs, at which `run` stops; 0 is the untrained network.
    unit : {"step", "epoch"}
        What `marks` count.
    """

    name: str
    about: str
    outcome: str
    model: nn.Sequential
    inputs: Tensor
    labels: Tensor
    test_inputs: Tensor
    test_labels: Tensor
    marks: tuple[int, ...]
    unit: str
    _training: Callable[[Recipe], Iterator[int]] = field(repr=False)

    def run(self) -> Iterator[int]:
        """Train `model` where it stands, and yield each mark when it is reached, with the model in eval mode."""
        self.model.eval()
        if 0 in self.marks:
            yield 0
        for count in self._training(self):
            if count in self.marks:
                yield count


def recipe(name: str, *, size: int | None = None, seed: int = 0) -> Recipe:
    """A small training run for a phenomenon; each takes at most about a minute on two cores.

    Parameters
    ----------
    name : {"grokking", "parity", "batch_norm_lag", "width", "depth"}
    size : int, optional
        Of "width" the neurons of each hidden layer (default 64), of "depth" the number of hidden layers (default 2), of
        "parity" the number of training digits (default 1,297). The others have no size.
    seed : int, default 0
        Of the weights and of the order of the digits; the caller's random numbers are not touched.

    Returns
    -------
    Recipe

    Raises
    ------
    DynExplorerError
        If there is no such recipe, or it has no size, or not this one.

    References
    ----------
    The phenomena are those of arXiv:2501.02436.

    Example
    -------
    >>> from dyn_explorer import demo
    >>> lag = demo.recipe("batch_norm_lag")
    >>> lag.marks[:3]
    (10, 20, 40)
    >>> next(lag.run())
    10
    >>> demo.accuracy(lag.model, lag.test_inputs, lag.test_labels) < 0.5  # the running statistics lag behind
    True
    """
    if name not in RECIPES:
        raise DynExplorerError(f"there is no recipe {name!r}; there are {', '.join(map(repr, RECIPES))}")
    make, smallest, default, largest = RECIPES[name]
    if size is not None and default is None:
        raise DynExplorerError(f"the recipe {name!r} has no size; leave out `size` (={size!r})")
    if size is not None and not smallest <= size <= largest:
        raise DynExplorerError(f"`size` (={size!r}) of the recipe {name!r} must lie in {smallest}..{largest}")
    return make(default if size is None else size, seed)


def flat_digits() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Digits as vectors of grey values from 0 to 1: 1,297 to train on, and 500 others.

    Returns
    -------
    images : Tensor, (1297, 64), float32
    labels : Tensor, (1297,), int64
    test_images : Tensor, (500, 64), float32
    test_labels : Tensor, (500,), int64

    Example
    -------
    >>> from dyn_explorer import demo
    >>> [tuple(part.shape) for part in demo.flat_digits()]
    [(1297, 64), (1297,), (500, 64), (500,)]
    """
    parts = [digits(name) for name in ("train", "test")]
    images = torch.cat([images for images, _ in parts]).flatten(1)
    labels = torch.cat([labels for _, labels in parts])
    return images[:TRAINED_ON], labels[:TRAINED_ON], images[TRAINED_ON:], labels[TRAINED_ON:]


def _grokking(_size: None, seed: int) -> Recipe:
    images, labels, *test = flat_digits()
    return Recipe(
        "grokking",
        "64-200-200-10 ReLU, weights eight times as large, 150 digits, squared error, AdamW 1e-3, weight decay 0.1.",
        "The training accuracy is 1 from step 2,000 on; the test accuracy rises from 0.15 there to 0.95 at step "
        "20,000, and S50 and the gradient G with it. One seed shows no mechanism.",
        mlp((64, 200, 200, 10), gain=8.0, seed=seed),
        images[:150],
        labels[:150],
        *test,
        marks=(0, 100, 1000, 2000, 5000, 10_000, 20_000),
        unit="step",
        _training=_by_squares,
    )


def _by_squares(made: Recipe) -> Iterator[int]:
    target = nn.functional.one_hot(made.labels, 10).float()
    optimizer = torch.optim.AdamW(made.model.parameters(), lr=1e-3, weight_decay=0.1)
    for step in range(1, made.marks[-1] + 1):
        optimizer.zero_grad()
        nn.functional.mse_loss(made.model(made.inputs), target).backward()
        optimizer.step()
        yield step


def _by_steps(learning_rate: float, seed: int) -> Callable[[Recipe], Iterator[int]]:
    def training(made: Recipe) -> Iterator[int]:
        walk = stepping(
            made.model,
            made.inputs,
            made.labels,
            steps=made.marks[-1],
            batch_size=min(128, len(made.labels)),
            learning_rate=learning_rate,
            optimizer="adam",
            seed=seed,
        )
        return (step for step, _loss in walk)

    return training


def _parity(size: int, seed: int) -> Recipe:
    images, labels, test_images, test_labels = flat_digits()
    return Recipe(
        "parity",
        "64-128-2 tanh, whether a digit is odd, batches of 128, Adam 2e-3.",
        "G of the hidden layer is flat, peaks near step 100 and falls, as published; that of a linear network stays.",
        mlp((64, 128, 2), activation="tanh", seed=seed),
        images[:size],
        labels[:size] % 2,
        test_images,
        test_labels % 2,
        marks=(1, 30, 100, 300, 1000, 3000),
        unit="step",
        _training=_by_steps(2e-3, seed),
    )


def _batch_norm_lag(_size: None, seed: int) -> Recipe:
    return Recipe(
        "batch_norm_lag",
        "Nine hidden layers of 64 ReLU with BatchNorm, batches of 128, Adam 1e-3.",
        "With the running statistics the network answers at chance at steps 10 and 20, while with those of the batch "
        "it is right on more than half of the digits; from step 40 on both agree.",
        mlp((64, *[64] * 9, 10), batch_norm=True, seed=seed),
        *flat_digits(),
        marks=(10, 20, 40, 60, 100, 300, 2000),
        unit="step",
        _training=_by_steps(1e-3, seed),
    )


def _width(size: int, seed: int) -> Recipe:
    return Recipe(
        "width",
        f"Two hidden layers of {size} ReLU, {EPOCHS} epochs of batches of 128, Adam from 1e-3 evenly to 0.",
        "W50 rises with the width, as published; S50 is flat from width 64 on.",
        mlp((64, size, size, 10), zero_bias=True, seed=seed),
        *flat_digits(),
        marks=(0, EPOCHS),
        unit="epoch",
        _training=_by_epochs(seed),
    )


def _depth(size: int, seed: int) -> Recipe:
    return Recipe(
        "depth",
        f"{size} hidden layers of 64 ReLU with gain √6, {EPOCHS} epochs of batches of 128, Adam from 1e-3 evenly to 0.",
        "W50 falls with the depth, and the accuracy peaks at four to eight layers. S50 falls as well: the claim that "
        "it rises did not come out.",
        mlp((64, *[64] * size, 10), gain=math.sqrt(6), zero_bias=True, seed=seed),
        *flat_digits(),
        marks=(0, EPOCHS),
        unit="epoch",
        _training=_by_epochs(seed),
    )


def _by_epochs(seed: int) -> Callable[[Recipe], Iterator[int]]:
    def training(made: Recipe) -> Iterator[int]:
        train(made.model, made.inputs, made.labels, epochs=EPOCHS, batch_size=128, learning_rate=1e-3, seed=seed)
        yield EPOCHS

    return training


#: Of each training run that `recipe` makes, by name: what makes it, and the smallest, usual and largest size.
RECIPES: dict[str, tuple[Callable[[int | None, int], Recipe], int, int | None, int]] = {
    "grokking": (_grokking, 0, None, 0),
    "parity": (_parity, 2, TRAINED_ON, TRAINED_ON),
    "batch_norm_lag": (_batch_norm_lag, 0, None, 0),
    "width": (_width, 1, 64, 4096),
    "depth": (_depth, 0, 2, 64),
}

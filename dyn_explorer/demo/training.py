"""A plain training loop: Adam or SGD on the cross-entropy, ever smaller steps, a callback after every epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from ..errors import DynExplorerError

#: Optimisers that `train` takes.
OPTIMISERS: tuple[str, ...] = ("adam", "sgd")
LEARNING_RATES = {"adam": 2e-3, "sgd": 3e-2}
MOMENTUM = 0.9


def train(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    epochs: int = 12,
    batch_size: int = 64,
    optimiser: str = "adam",
    learning_rate: float | None = None,
    seed: int = 0,
    after_epoch: Callable[[int, float], None] | None = None,
) -> list[float]:
    """Train `model` where it stands, and leave it in eval mode.

    Parameters
    ----------
    model : torch.nn.Module
        Maps `images` to scores (n, n_classes). Changed in place.
    images : Tensor, (n, ...)
    labels : Tensor, (n,), int64
    epochs, batch_size : int
    optimiser : {"adam", "sgd"}
        SGD has momentum 0.9.
    learning_rate : float, optional
        In the first epoch; it falls in equal steps, towards 0 after the last. Default 0.002 for Adam, 0.03 for SGD.
    seed : int
        Decides the order of the images in each epoch.
    after_epoch : callable, optional
        Called as ``after_epoch(epoch, loss)`` with the epochs counted from 1.

    Returns
    -------
    list of float
        The mean cross-entropy of each epoch, in nats, over the batches as they were trained on.

    Raises
    ------
    DynExplorerError
        If there is no such optimiser.

    Example
    -------
    >>> from dyn_explorer import demo
    >>> model, (images, labels) = demo.small_cnn(), demo.digits("train")
    >>> first, second = demo.train(model, images[:256], labels[:256], epochs=2)
    >>> second < first
    True
    """
    optimizer = _optimiser(model, optimiser, learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1 - epoch / epochs)
    order = torch.Generator().manual_seed(seed)
    losses = []
    model.train()
    for epoch in range(1, epochs + 1):
        loss = _train_one_epoch(model, optimizer, _batches(images, labels, batch_size, order))
        schedule.step()
        losses.append(loss)
        if after_epoch is not None:
            after_epoch(epoch, loss)
    model.eval()
    return losses


def _optimiser(model: nn.Module, name: str, learning_rate: float | None) -> torch.optim.Optimizer:
    if name not in OPTIMISERS:
        raise DynExplorerError(f"`optimiser` (={name!r}) is unknown; choose one of {', '.join(OPTIMISERS)}")
    rate = LEARNING_RATES[name] if learning_rate is None else learning_rate
    if name == "adam":
        return torch.optim.Adam(model.parameters(), lr=rate)
    return torch.optim.SGD(model.parameters(), lr=rate, momentum=MOMENTUM)


def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """The share of `images` that `model` gives the right label.

    Parameters
    ----------
    model : torch.nn.Module
        Asked as it stands: put it in eval mode first if that is what you want to know about.
    images : Tensor, (n, ...)
    labels : Tensor, (n,)

    Returns
    -------
    float
        From 0 to 1; a guess among the ten digits scores 0.1.

    Example
    -------
    >>> from dyn_explorer import demo
    >>> demo.accuracy(demo.load("trained"), *demo.digits("test")) > 0.97
    True
    """
    with torch.inference_mode():
        return (model(images).argmax(dim=1) == labels).double().mean().item()


def _batches(images: Tensor, labels: Tensor, size: int, order: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    for chosen in torch.randperm(len(labels), generator=order).to(labels.device).split(size):
        yield images[chosen], labels[chosen]


def _train_one_epoch(
    model: nn.Module, optimizer: torch.optim.Optimizer, batches: Iterator[tuple[Tensor, Tensor]]
) -> float:
    total, count = 0.0, 0
    for images, labels in batches:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        count += len(labels)
    return total / count

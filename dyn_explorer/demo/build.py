"""Make the bundled checkpoints again: ``python -m dyn_explorer.demo.build [FOLDER]``, two minutes on one core."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors.torch import save
from torch import nn

from .checkpoints import CHECKPOINTS, WEIGHTS
from .data import digits, shuffled
from .model import small_cnn
from .training import train


def trained() -> nn.Module:
    """The network after twelve epochs on the digits as they are."""
    model = small_cnn()
    train(model, *digits("train"))
    return model


def shuffled_labels() -> nn.Module:
    """The network after as many epochs as it takes to learn shuffled labels by heart."""
    model, (images, labels) = small_cnn(), digits("train")
    train(model, images, shuffled(labels), epochs=120)
    return model


def untrained() -> nn.Module:
    """The network as it is made."""
    return small_cnn()


RECIPES = dict(zip(CHECKPOINTS, (trained, shuffled_labels, untrained), strict=True))


@contextmanager
def one_thread() -> Iterator[None]:
    """The same sums in the same order, however many cores there are."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def build(folder: Path = WEIGHTS) -> None:
    """Write every checkpoint to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, recipe in RECIPES.items():
        with one_thread():
            model = recipe()
        path = folder / f"{name}.safetensors"
        path.write_bytes(save(model.state_dict()))
        print(f"{name}: {path}")


if __name__ == "__main__":
    build(*map(Path, sys.argv[1:2]))

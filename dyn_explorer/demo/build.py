"""Make the bundled checkpoints and runs again: ``python -m dyn_explorer.demo.build [FOLDER]``, half an hour."""

from __future__ import annotations

import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import torch
from safetensors.torch import save
from torch import nn

from ..capture import History
from .checkpoints import CHECKPOINTS, WEIGHTS
from .data import digits, shuffled
from .model import small_cnn
from .runs import RUN_EPOCHS, RUN_LABELS, RUN_LENGTH, RUN_SEEDS, RUNS, run_name
from .training import OPTIMISERS, accuracy, train

PROBE = 16  # test images whose responses are kept


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


def record_run(labels: str, optimiser: str, seed: int, folder: Path) -> None:
    """Train the network for 120 epochs and write its history."""
    model, (images, own) = small_cnn(seed), digits("train")
    tests = digits("test")
    targets = own if labels == "true" else shuffled(own, seed=seed)
    chosen = History(
        model,
        tests[0][:PROBE],
        tests[1][:PROBE],
        layers=["relu1", "relu2", "relu3", "head"],
        checkpoints=RUN_EPOCHS,
        checkpoint_dtype="float16",
        folder=folder,
    )

    def note(epoch: int, loss: float | None) -> None:
        scores = {"accuracy": accuracy(model, images, targets), "test_accuracy": accuracy(model, *tests)}
        chosen.record(epoch=epoch, loss=loss, **scores)

    note(0, None)
    train(model, images, targets, epochs=RUN_LENGTH, optimiser=optimiser, seed=seed, after_epoch=note)


def pack(folder: Path, file: Path) -> None:
    """Put a run's folder into one file, whose bytes depend on nothing else."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(folder.iterdir()):
            packed.writestr(zipfile.ZipInfo(path.name), path.read_bytes(), zipfile.ZIP_DEFLATED)


def build_runs(folder: Path = RUNS) -> None:
    """Write every run to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for labels, optimiser, seed in product(RUN_LABELS, OPTIMISERS, RUN_SEEDS):
        file = folder / f"{run_name(labels, optimiser, seed)}.zip"
        with one_thread(), tempfile.TemporaryDirectory() as made:
            record_run(labels, optimiser, seed, Path(made) / "run")
            pack(Path(made) / "run", file)
        print(file)


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
    build_runs(*(Path(name) / "runs" for name in sys.argv[1:2]))

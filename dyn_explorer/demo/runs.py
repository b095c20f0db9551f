"""Bundled training runs of the small network: the digits as they are and with shuffled labels, Adam and SGD."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import threading
import zipfile
from functools import cache
from pathlib import Path

from ..capture import History
from ..errors import DynExplorerError
from .training import OPTIMISERS

#: Labels that the bundled runs were trained on.
RUN_LABELS: tuple[str, ...] = ("true", "shuffled")
#: Seeds of the bundled runs: of the initial weights, the order of the images, and the shuffling.
RUN_SEEDS: tuple[int, ...] = (0, 1, 2)
#: Epochs of a bundled run after the untrained one.
RUN_LENGTH = 120
RUN_EPOCHS: tuple[int, ...] = (0, 1, 2, 4, 8, 16, 32, 64, 120)
"""Epochs whose weights are bundled."""

RUNS = Path(__file__).parent / "runs"
_unpacking = threading.Lock()


def history(labels: str = "true", seed: int = 0, *, optimiser: str = "adam") -> History:
    """One of the bundled runs.

    Parameters
    ----------
    labels : {"true", "shuffled"}
        What the network was trained on.
    seed : {0, 1, 2}
        Of the initial weights, the order of the images, and the shuffling.
    optimiser : {"adam", "sgd"}
        As `train` has them.

    Returns
    -------
    History
        121 epochs from 0, untrained, to 120, with the responses of four layers to 16 test images; metrics `loss`,
        `accuracy` on the training images with the labels trained on, and `test_accuracy` with the true ones. The
        weights of nine epochs are there, in float16.

    Raises
    ------
    DynExplorerError
        If there is no such run.

    Example
    -------
    >>> from dyn_explorer import demo
    >>> bool(demo.history("shuffled").metrics["accuracy"][-1] > 0.9)
    True
    """
    _check("labels", labels, RUN_LABELS)
    _check("seed", seed, RUN_SEEDS)
    _check("optimiser", optimiser, OPTIMISERS)
    with _unpacking:
        folder = _unpacked(run_name(labels, optimiser, seed))
    return History.load(folder)


def run_name(labels: str, optimiser: str, seed: int) -> str:
    """The name of a run's file, without ending."""
    return f"{labels}_{optimiser}_{seed}"


def _check(name: str, value: object, known: tuple) -> None:
    if value not in known:
        raise DynExplorerError(f"`{name}` (={value!r}) is none of {', '.join(map(repr, known))}; name one of these")


@cache
def _unpacked(name: str) -> Path:
    """The folder of a run, which is shipped as one file; it is there as long as Python runs."""
    folder = _shelf() / name
    with zipfile.ZipFile(RUNS / f"{name}.zip") as packed:
        packed.extractall(folder)
    return folder


@cache
def _shelf() -> Path:
    made = Path(tempfile.mkdtemp(prefix="dyn_explorer_runs_"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made

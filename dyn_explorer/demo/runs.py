"""Bundled training runs of the small network: the digits as they are, and with shuffled labels, three seeds each."""

from __future__ import annotations

from pathlib import Path

from ..capture import History
from ..errors import DynExplorerError

RUN_LABELS: tuple[str, ...] = ("true", "shuffled")
RUN_SEEDS: tuple[int, ...] = (0, 1, 2)
RUN_EPOCHS: tuple[int, ...] = (0, 1, 2, 4, 8, 16, 32, 64, 120)

RUNS = Path(__file__).parent / "runs"


def history(labels: str = "true", seed: int = 0) -> History:
    """One of the bundled runs, with the weights of every recorded epoch.

    Parameters
    ----------
    labels : {"true", "shuffled"}
        What the network was trained on.
    seed : {0, 1, 2}
        Of the initial weights, the order of the images, and the shuffling.

    Returns
    -------
    History
        Nine epochs from 0, untrained, to 120; metrics `loss`, `accuracy` on the training images with the labels trained
        on, and `test_accuracy` with the true ones. Weights are kept in float16.

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
    if labels not in RUN_LABELS:
        raise DynExplorerError(
            f"`labels` (={labels!r}) is none of {', '.join(map(repr, RUN_LABELS))}; name one of these"
        )
    if seed not in RUN_SEEDS:
        raise DynExplorerError(f"`seed` (={seed!r}) is none of {', '.join(map(str, RUN_SEEDS))}; name one of these")
    return History.load(RUNS / f"{labels}_{seed}")

"""What a network keeps when its activations are made the identity from some layer on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from dyn_explorer.analysis.dmd_options import is_integer
from dyn_explorer.analysis.score_labels import checked_labels
from dyn_explorer.analysis.stand_in import HiddenActivation, StandIn, checked_batch_norm
from dyn_explorer.errors import Cancelled, DynExplorerError

POOLINGS = ("max", "average")


@dataclass(frozen=True, eq=False)
class Truncation:
    """A network against itself with activations l, l + 1, ... made the identity, for each hidden activation l.

    Parameters
    ----------
    activations : tuple of HiddenActivation
        In the order in which they run, n_layers of them.
    accuracy : ndarray (n_layers,), float64
        Share of the samples that get their label, 0 to 1.
    full_accuracy : float
        Of the network as it is.
    agreement : ndarray (n_layers,), float64
        Share of the samples whose class is that of the network as it is.
    relative_error : ndarray (n_layers,), float64
        Size of what the scores change by, over the size of the scores about their mean: 0 where the linear map is the
        network, 1 where it is no better than the mean score. ``nan`` where all scores are equal.
    largest_class : float
        Share of the most frequent label, which a constant answer gets.
    bn_stats, pooling : str
        As asked.
    """

    activations: tuple[HiddenActivation, ...]
    accuracy: np.ndarray
    full_accuracy: float
    agreement: np.ndarray
    relative_error: np.ndarray
    largest_class: float
    bn_stats: str
    pooling: str


def truncation_accuracy(model: nn.Module, inputs: object, labels: object, **options: object) -> np.ndarray:
    """Accuracy with the activations of each layer and of all above it made the identity.

    Parameters
    ----------
    model, inputs, labels
        As for `truncation`.
    **options
        Further options of `truncation`.

    Returns
    -------
    ndarray (n_layers,), float64
        Entry l has activations l, l + 1, ... made the identity; one entry per hidden activation.

    Raises
    ------
    DynExplorerError
        As for `truncation`.

    References
    ----------
    Lin, Zhang, Feng & Zhao, "An analysis framework for understanding deep neural networks based on network dynamics",
    arXiv:2501.02436.

    Example
    -------
    >>> import dyn_explorer as dx
    >>> images, labels = dx.demo.digits("test")
    >>> accuracy = truncation_accuracy(dx.demo.load("trained"), images, labels)
    >>> accuracy.shape, bool(accuracy[-1] > accuracy[0])
    ((3,), True)
    """
    return truncation(model, inputs, labels, **options).accuracy


def truncation(
    model: nn.Module,
    inputs: object,
    labels: object,
    *,
    bn_stats: str = "running",
    pooling: str = "max",
    batch_size: int = 256,
    activations: Iterable[str | type] = (),
    cancel: threading.Event | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> Truncation:
    """Accuracy of the truncated network, and how far its scores are from those of the network as it is.

    Parameters
    ----------
    model : torch.nn.Module
        In whatever mode; a copy of it is run in eval mode. It puts out class scores (P, C).
    inputs : tensor or array (P, ...)
    labels : tensor or array (P,) of int
    bn_stats : {"running", "batch"}, default "running"
        Whether BatchNorm uses its running statistics, or those of all `inputs` in one batch, truncated or not.
    pooling : {"max", "average"}, default "max"
        Whether max-pooling above a truncated layer stays, or takes the mean of its window as in `linear_map`, so that
        what is left is linear.
    batch_size : int, default 256
    activations : iterable of str or type
        Names or classes of modules that count as activations; PyTorch's own are known, and in a network that has none
        of them `torch.nn.Identity` counts.
    cancel : threading.Event, optional
        Looked at before each batch.
    progress : callable, optional
        Called as ``progress(done, text)`` after each layer; `done` in 0..1.

    Returns
    -------
    Truncation
        Without entries if there is no hidden activation.

    Raises
    ------
    DynExplorerError
        If there are no labels, they fit neither samples nor scores, the scores are no matrix with two columns, or an
        option is unknown.
    Cancelled
        `cancel` was set.

    Example
    -------
    >>> torch.manual_seed(0).initial_seed()
    0
    >>> model = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 2))
    >>> found = truncation(model, torch.randn(100, 5), torch.arange(100) % 2)
    >>> found.activations[0].layer, found.accuracy.shape
    ('0', (1,))
    """
    if pooling not in POOLINGS:
        raise DynExplorerError(f"`pooling` (={pooling!r}) must be one of {', '.join(map(repr, POOLINGS))}")
    if not is_integer(batch_size) or batch_size < 1:
        raise DynExplorerError(f"`batch_size` (={batch_size!r}) must be a whole number of at least 1")
    if labels is None:
        checked_labels(None, 0, 0)
    stand_in = StandIn(model, activations)
    batch_statistics = checked_batch_norm(bn_stats)
    given = stand_in.inputs(inputs)
    with stand_in.run_alone():
        stand_in.count_identities(given)
        hidden = stand_in.hidden(given)
    run = _Runs(stand_in, given.split(len(given) if batch_statistics else batch_size), batch_statistics, cancel)
    scores = run()
    classes = _checked(scores, labels)
    truncated = []
    for number in range(len(hidden)):
        changed = run(identity_from=number, identity_to=len(hidden), average_pooling=pooling == "average")
        truncated.append(_compare(scores, changed, classes))
        if progress is not None:
            progress((number + 1) / len(hidden), f"truncated from activation {number + 1} of {len(hidden)}")
    accuracy, agreement, error = np.array(truncated).reshape(-1, 3).T
    return Truncation(
        hidden,
        accuracy,
        float(np.mean(scores.argmax(axis=1) == classes)),
        agreement,
        error,
        float(np.bincount(classes).max() / len(classes)),
        bn_stats,
        pooling,
    )


class _Runs:
    """The whole data through the network, truncated or not."""

    def __init__(
        self,
        stand_in: StandIn,
        batches: tuple[torch.Tensor, ...],
        batch_statistics: bool,
        cancel: threading.Event | None,
    ) -> None:
        self._stand_in, self._batches, self._cancel = stand_in, batches, cancel
        self._batch_statistics = batch_statistics

    def __call__(self, **options) -> np.ndarray:
        parts = []
        with self._stand_in.run_alone(), torch.no_grad():
            for batch in self._batches:
                if self._cancel is not None and self._cancel.is_set():
                    raise Cancelled("the truncation was cancelled; the model is as it was")
                part = self._stand_in.scores(batch, batch_statistics=self._batch_statistics, **options)
                parts.append(part.double().cpu() if part.device.type != "mps" else part.cpu().double())
        return torch.cat(parts).numpy()


def _checked(scores: np.ndarray, labels: object) -> np.ndarray:
    if scores.shape[1] < 2:
        raise DynExplorerError(
            "the model puts out one number per sample, a regression or a single logit, and accuracy needs one score "
            "per class; for two classes return both scores"
        )
    return checked_labels(labels, *scores.shape)


def _compare(scores: np.ndarray, changed: np.ndarray, classes: np.ndarray) -> tuple[float, float, float]:
    """Accuracy, agreement and relative error."""
    answer = changed.argmax(axis=1)
    size = np.linalg.norm(scores - scores.mean(axis=0))
    error = np.linalg.norm(changed - scores) / size if size > 0 else np.nan
    return np.mean(answer == classes), np.mean(answer == scores.argmax(axis=1)), error

"""Every metric of the dynamics over the epochs of a training run, as one table."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from torch import nn

from .capture import History, copy_with
from .errors import Cancelled, DynExplorerError
from .tables import metrics_table

if TYPE_CHECKING:
    import pandas


def metrics_trend(
    model: nn.Module,
    history: History,
    inputs: object,
    layers: str | Iterable[str] | None = None,
    labels: object = None,
    *,
    epochs: Iterable[int] | None = None,
    cancel: threading.Event | None = None,
    progress: Callable[[float, str], None] | None = None,
    **options: object,
) -> pandas.DataFrame:
    """Tabulate the metrics of every layer's response to every sample, at every epoch whose weights were kept.

    Parameters
    ----------
    model : torch.nn.Module
        What was trained; copies of it take the weights of the epochs, and it is not touched itself.
    history : History
        With `checkpoints`; its metrics stand beside those of the dynamics.
    inputs, layers, labels
        As for `metrics_table`.
    epochs : iterable of int, optional
        Epochs to measure; default all of `history.checkpoint_epochs`.
    cancel : threading.Event, optional
        Looked at between layers.
    progress : callable, optional
        Called as ``progress(done, text)`` after each epoch; `done` in 0..1.
    **options
        Further options of `metrics_table`, such as `rank`, `axis` and `samples`.

    Returns
    -------
    pandas.DataFrame
        The columns of `metrics_table` after `epoch` and one column per metric of the history, named ``run_<name>``.

    Raises
    ------
    DynExplorerError
        If no epoch has weights, they do not fit the model, or `metrics_table` refuses an option.
    Cancelled
        `cancel` was set.

    References
    ----------
    *Unveiling learning trends in convolutional neural networks with dynamic mode decomposition*, Engineering
    Applications of Artificial Intelligence 144 (2025), doi:10.1016/j.engappai.2025.110146.

    Example
    -------
    >>> import dyn_explorer as dx
    >>> images, _ = dx.demo.digits("test")
    >>> trend = dx.metrics_trend(dx.demo.small_cnn(), dx.demo.history("true"), images[:2], "conv3")
    >>> trend.groupby("epoch").size().tolist()
    [2, 2, 2, 2, 2, 2, 2, 2, 2]
    """
    import pandas  # slow to import, and needed by nothing else here

    chosen = history.checkpoint_epochs if epochs is None else tuple(epochs)
    if not chosen:
        raise DynExplorerError(
            "this history holds no weights, and a trend of the dynamics needs them: record it with "
            "dx.History(model, probe_inputs, checkpoints=True), or every n-th epoch with checkpoints=n"
        )
    numbers = history.table().set_index("epoch").drop(columns="checkpoint").add_prefix("run_")
    parts = []
    for place, epoch in enumerate(chosen):
        if cancel is not None and cancel.is_set():
            raise Cancelled("the trend was cancelled; the model is as it was")
        then = copy_with(model, history.state(epoch), f"epoch {epoch}")
        part = metrics_table(then, inputs, layers, labels, cancel=cancel, **options)
        heads = {"epoch": epoch, **numbers.loc[epoch].to_dict()}
        for column, (name, value) in enumerate(heads.items()):
            part.insert(column, name, value)
        parts.append(part)
        if progress is not None:
            progress((place + 1) / len(chosen), f"measured epoch {epoch}")
    return pandas.concat(parts, ignore_index=True)

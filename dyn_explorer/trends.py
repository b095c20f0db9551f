"""What is measured of a model over the epochs of a training run, as tables."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from torch import nn

from .capture import History, copy_with
from .capture.names import nearest
from .errors import Cancelled, DynExplorerError
from .sweeps.epochs import findings_at, followed_epochs, of_layer, why_not
from .sweeps.measures import FOLLOWED
from .tables import metrics_table

if TYPE_CHECKING:
    import pandas
    import torch


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


def measure_trend(
    model: nn.Module | None,
    history: History,
    measure: str,
    inputs: object = None,
    labels: object = None,
    layer: str | None = None,
    *,
    epochs: Iterable[int] | None = None,
    samples: int = 8,
    shuffles: int = 5,
    device: torch.device | str | None = None,
    cancel: threading.Event | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> pandas.DataFrame:
    """Follow one measure of a sweep through a training run, beside its null.

    Parameters
    ----------
    model : torch.nn.Module or None
        What was trained; copies of it take the weights of the epochs. Not needed for ``"unit_purity"`` and
        ``"unit_jaccard_ratio"``, which are read from the responses that the history recorded.
    history : History
    measure : str
        A single measure of `sweep`, such as ``"alpha"``, ``"rank_alignment"`` or ``"sample_half_width"``.
    inputs, labels
        As for `sweep`; not needed for what is read from responses.
    layer : str, optional
        Which layer; not needed for measures of the whole model.
    epochs : iterable of int, optional
        Epochs to measure; default all with weights, or for what is read from responses all.
    samples, shuffles, device
        As for `sweep`.
    cancel : threading.Event, optional
        Looked at between layers, samples and draws.
    progress : callable, optional
        Called as ``progress(done, text)`` after each epoch; `done` in 0..1.

    Returns
    -------
    pandas.DataFrame
        One row per epoch: `epoch`, `value`, `null` (nan where there is none), `n` and `error`, as `sweep` has them.

    Raises
    ------
    DynExplorerError
        There is no such measure, or this history does not hold what it needs.
    Cancelled
        `cancel` was set.

    Example
    -------
    >>> import dyn_explorer as dx
    >>> trend = dx.measure_trend(None, dx.demo.history(), "unit_purity", layer="head", epochs=[0, 120])
    >>> trend["value"].round(2).tolist()
    [0.65, 0.72]
    """
    import pandas  # slow to import, and needed by nothing else here

    if measure not in FOLLOWED:
        raise DynExplorerError(f"there is no measure {measure!r} to follow; {nearest(measure, list(FOLLOWED))}")
    reason = why_not(history, measure, layer)
    if reason:
        raise DynExplorerError(reason)
    family = FOLLOWED[measure]
    if family.where and layer is None:
        raise DynExplorerError(f"{measure!r} is measured layer by layer; name the `layer`: {family.where}")
    chosen = followed_epochs(history, family) if epochs is None else tuple(epochs)
    given = {"layer": layer, "samples": samples, "shuffles": shuffles, "device": device, "cancel": cancel}
    rows = []
    for place, epoch in enumerate(chosen):
        found = of_layer(findings_at(history, epoch, family, model, inputs, labels, **given), measure, layer)
        rows.append((epoch, found.value, found.null, found.n, found.error))
        if progress is not None:
            progress((place + 1) / len(chosen), f"measured epoch {epoch}")
    table = pandas.DataFrame(rows, columns=["epoch", "value", "null", "n", "error"]).astype({"n": "Int64"})
    # Left to itself, pandas turns None among texts into nan.
    table["error"] = pandas.Series([row[-1] for row in rows], dtype=object)
    return table

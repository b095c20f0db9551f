"""Every metric of the dynamics of many images in many layers, as one table."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import nn

from .analysis import DMD_METHODS, CompressedSnapshots, DynamicsMetrics, compress, dmd, dynamics_metrics
from .analysis.dmd_options import is_integer
from .analysis.row_blocks import side_by_side, worker_count
from .capture import Recording, record, snapshots, unwrap
from .capture.inputs import Batch, Target, batches, count_samples
from .capture.names import nearest
from .capture.options import Options, check_choice
from .errors import Cancelled, DynExplorerError

if TYPE_CHECKING:
    import pandas

AXES = ("channel", "position")
_METRICS = tuple(field.name for field in fields(DynamicsMetrics))
# Mean entries of a layer's answer to one sample: from here on, two workers took less time than one.
_WORTH_A_WORKER = 2**16
_COLUMNS = ("sample", "label", "layer", *_METRICS, "n_snapshots", "dropped", "error")


def metrics_table(
    model: nn.Module,
    inputs: object,
    layers: str | Iterable[str] | None = None,
    labels: object = None,
    *,
    axis: str = "channel",
    rank: int | float | None = 0.99,
    method: str = "exact",
    samples: Iterable[int] | None = None,
    snapshot_options: Mapping[str, object] | None = None,
    stable_tol: float = 0.05,
    amplitude_tol: float = 1e-3,
    batch_size: int = 32,
    device: torch.device | str | None = None,
    cancel: threading.Event | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> pandas.DataFrame:
    """Decompose every layer's response to every sample, and tabulate the metrics.

    The model sees each sample once, and only one batch of activations is in memory at a time. The model is lent for
    each batch and given back bit-identical (see `record`); in train mode, layers that draw random numbers draw the
    same ones for every batch.

    Parameters
    ----------
    model, inputs, layers, labels
        As for `record`.
    axis : {"channel", "position"}, default "channel"
        What runs along the columns of a decomposition, see `snapshots`. The other axes join samples or layers.
    rank, method
        As for `dmd`; by default as many singular values as hold 99 % of the squares (our choice).
    samples : iterable of int, optional
        Indices of the samples that get rows, in the order of the inputs; all by default. Batches without one are not
        run.
    snapshot_options : mapping of str to object, optional
        Further keywords of `snapshots`, such as ``{"normalise": "l2", "max_columns": 64}``.
    stable_tol, amplitude_tol : float
        As for `dynamics_metrics`.
    batch_size : int, default 32
        Samples whose activations are held at once; the model's parameters are copied and compared once per batch.
    device : torch.device or str, optional
        As for `record`.
    cancel : threading.Event, optional
        Looked at between layers.
    progress : callable, optional
        Called as ``progress(done, text)`` after each sample; `done` in 0..1, nan if their number is unknown.

    Returns
    -------
    pandas.DataFrame
        One row per sample and layer, in execution order: `sample`, `label` (missing without labels), `layer`, every
        field of `DynamicsMetrics`, `n_snapshots` and `dropped` (columns decomposed, and left out because they carry
        nothing), and `error`: None, or why there is no decomposition; then the metrics are nan.

    Raises
    ------
    DynExplorerError
        An option, a layer, a sample or the inputs cannot be used, or the model's forward fails.
    Cancelled
        `cancel` was set.

    Example
    -------
    >>> import dyn_explorer as dx
    >>> images, labels = dx.demo.digits("test")
    >>> table = dx.metrics_table(dx.demo.load("trained"), images[:3], ["conv1", "head"], labels[:3])
    >>> table.groupby("layer")["error"].count().to_dict()
    {'conv1': 0, 'head': 3}
    """
    recipe = _Recipe(axis, rank, method, dict(snapshot_options or {}), stable_tol, amplitude_tol)
    recipe.check()
    asked = None if layers is None else [layers] if isinstance(layers, str) else list(layers)
    total = count_samples(inputs)
    chosen = None if samples is None else _checked_samples(samples, total)
    n_rows = total if chosen is None else len(chosen)
    rows, done = [], 0
    plain = unwrap(model)
    stream = batches(inputs, labels, Target.of(plain), batch_size=batch_size, device=device)
    for batch, first, wanted in _wanted_batches(stream, chosen):
        recording = record(
            model, batch.kwargs or batch.args, asked, batch.labels, batch_size=batch.size, device=device, cancel=cancel
        )
        for image_rows in _rows(recording, wanted, _names(recording, asked), recipe, cancel):
            rows.extend({**row, "sample": first + row["sample"]} for row in image_rows)
            done += 1
            if progress is not None:
                progress(done / n_rows if n_rows else float("nan"), f"decomposed {done} samples")
    if chosen is not None and done < len(chosen):
        raise DynExplorerError(f"`samples` names {max(chosen)}, and the inputs end before it")
    return _frame(rows)


@dataclass(frozen=True)
class _Recipe:
    """How an activation becomes a row of numbers."""

    axis: str
    rank: int | float | None
    method: str
    options: Mapping[str, object]
    stable_tol: float
    amplitude_tol: float

    def check(self) -> None:
        """Refuse before the first forward what would fail in every row."""
        check_choice("axis", self.axis, AXES)
        check_choice("method", self.method, tuple(DMD_METHODS))
        known = [field.name for field in fields(Options)]
        for name in self.options:
            if name not in known:
                raise DynExplorerError(f"`snapshot_options` holds an unknown {name!r}; {nearest(name, known)}")
        Options(**self.options)
        easy = dmd(torch.tensor([[1.0, 0.5, 0.25]]))
        dynamics_metrics(easy, stable_tol=self.stable_tol, amplitude_tol=self.amplitude_tol)

    def metrics(self, compressed: CompressedSnapshots) -> dict[str, float]:
        result = dmd(compressed, rank=self.rank, method=self.method)
        return dynamics_metrics(result, stable_tol=self.stable_tol, amplitude_tol=self.amplitude_tol).as_dict()


def _wanted_batches(stream: Iterable[Batch], chosen: set[int] | None) -> Iterator[tuple[Batch, int, list[int]]]:
    """Batches that hold a chosen sample, with the index of their first sample and the chosen ones' places."""
    first = 0
    for batch in stream:
        wanted = [place for place in range(batch.size) if chosen is None or first + place in chosen]
        if wanted:
            yield batch, first, wanted
        first += batch.size
        if chosen is not None and first > max(chosen):
            return


def _names(recording: Recording, asked: list[str] | None) -> list[str]:
    if asked is None:
        return [layer.name for layer in recording.layers if layer.is_leaf]
    ran = [name for name in recording.activations if name in asked]
    return ran + [name for name in dict.fromkeys(asked) if name not in recording.activations]


def _rows(
    recording: Recording, places: list[int], names: list[str], recipe: _Recipe, cancel: threading.Event | None
) -> Iterator[list[dict[str, object]]]:
    """The rows of each sample in turn.

    Tall matrices are made and factored by several workers. The small decompositions stay in the caller's thread: they
    take turns anyway, and not every method can run in several threads at once.
    """
    work = partial(_factor_layers, recording, names, recipe, cancel)
    workers = min(len(places), _workers(recording, names))
    with closing(side_by_side(work, places, workers)) as factored:
        for place, layers in zip(places, factored, strict=True):
            label = None if recording.labels is None else int(recording.labels[place])
            start = {"sample": place, "label": label}
            yield [{**start, **row, **_measured(recipe, compressed)} for row, compressed in layers]
            _check_cancelled(cancel)


def _workers(recording: Recording, names: list[str]) -> int:
    """One where the matrices are small: Python's own steps, which take turns, are then most of the work."""
    held = [recording.activations[name] for name in names if name in recording.activations]
    if not held or sum(tensor[0].numel() for tensor in held) / len(held) < _WORTH_A_WORKER:
        return 1
    return min(worker_count(device) for device in {tensor.device for tensor in held})


def _factor_layers(
    recording: Recording, names: list[str], recipe: _Recipe, cancel: threading.Event | None, place: int
) -> list[tuple[dict[str, object], CompressedSnapshots | DynExplorerError]]:
    """Of each layer, the first entries of its row, and the factored snapshots or why there are none."""
    factored = []
    for name in names:
        _check_cancelled(cancel)
        row: dict[str, object] = {"layer": name}
        try:
            made = snapshots(recording, name, recipe.axis, place, **recipe.options)
            row |= {"n_snapshots": made.matrix.shape[1], "dropped": len(made.dropped)}
            factored.append((row, compress(made.matrix, cancel=cancel)))
        except Cancelled:
            raise
        except DynExplorerError as error:
            factored.append((row, error))
    return factored


def _measured(recipe: _Recipe, compressed: CompressedSnapshots | DynExplorerError) -> dict[str, object]:
    if isinstance(compressed, DynExplorerError):
        return {"error": str(compressed)}
    try:
        return {**recipe.metrics(compressed), "error": None}
    except DynExplorerError as error:
        return {"error": str(error)}


def _check_cancelled(cancel: threading.Event | None) -> None:
    if cancel is not None and cancel.is_set():
        raise Cancelled("the table of metrics was cancelled; the model is as it was")


def _checked_samples(samples: Iterable[int], total: int | None) -> set[int]:
    asked = list(samples)
    if not asked:
        raise DynExplorerError("`samples` is empty; name at least one sample, or leave it out to measure all of them")
    for sample in asked:
        if not (is_integer(sample) and sample >= 0 and (total is None or sample < total)):
            limit = "of at least 0" if total is None else f"in 0..{total - 1}"
            raise DynExplorerError(f"`samples` holds {sample!r}; each must be a whole number {limit}")
    return {int(sample) for sample in asked}


def _frame(rows: list[dict[str, object]]) -> pandas.DataFrame:
    import pandas  # slow to import, and needed by nothing else here

    table = pandas.DataFrame(rows, columns=_COLUMNS)
    # Counts that may be missing; what is measured is always a float, whether or not a row failed.
    whole = dict.fromkeys(("label", "n_snapshots", "dropped"), "Int64")
    table = table.astype(whole | dict.fromkeys(_METRICS, "float64"))
    # Left to itself, pandas turns None among texts into nan.
    table["error"] = pandas.Series([row["error"] for row in rows], dtype=object)
    return table

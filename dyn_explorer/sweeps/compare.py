"""Many models measured alike, as one table."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from contextlib import closing
from functools import partial
from os import PathLike, fspath
from typing import TYPE_CHECKING

import torch
from torch import nn

from ..errors import Cancelled, DynExplorerError
from .cache import Cache
from .content import digest
from .frame import frame
from .held import held
from .in_turn import each_in_order
from .measures import asked_measures
from .options import SweepOptions
from .progress import ProgressLine
from .subjects import Epoch, Subject, subjects
from .task import Outcome, Task

if TYPE_CHECKING:
    import pandas


def sweep(
    models: Mapping[str, object],
    inputs: object,
    labels: object = None,
    measures: object = None,
    executor: Executor | None = None,
    cache: str | PathLike | None = None,
    *,
    layers: str | Iterable[str] | None = None,
    samples: int = 8,
    shuffles: int = 5,
    axis: str = "channel",
    rank: int | float | None = 0.99,
    method: str = "exact",
    seed: int = 0,
    threads: int = 1,
    device: torch.device | str | None = None,
    progress: bool | Callable[[float, str], None] = False,
    cancel: threading.Event | None = None,
) -> pandas.DataFrame:
    """Measure many models in the same way, here, on all cores, or on a cluster.

    Parameters
    ----------
    models : mapping of str to model
        Each a torch.nn.Module; a function without arguments that builds one; a name such as ``"torchvision:resnet18"``
        (see `named_model`); a pair of a checkpoint's path and its builder; a `History`, which gives one model per epoch
        whose weights it holds; or a pair of a loaded History and its builder. What is built is let go as soon as it is
        measured. Models are measured in eval mode and given back as they were. Checkpoints are safetensors, or files
        that torch loads with ``weights_only=True``.
    inputs, labels
        As for `record`; the same for every model.
    measures : str, callable, mapping, or iterable of these, optional
        Families: ``"accuracy"``, ``"size"``, ``"dynamics"``, ``"filters"``, ``"network"``, ``"run"``; single measures
        of them, such as ``"entropy_share"``; or functions of ``(model, inputs, labels)``, or of the first one or two
        of these, that return a number, or a mapping of layer names to numbers. A mapping gives functions their names.
        Default: the quick families, accuracy where there are labels; "spectrum", "classes", "units", "neurons"
        and "basins" must be named.
    executor : concurrent.futures.Executor, optional
        Default: this thread. A ``ProcessPoolExecutor`` uses all cores (make it with
        ``mp_context=multiprocessing.get_context("spawn")``: a fork of a process that has run torch may hang); a
        ``dask.distributed`` client's ``get_executor()`` a cluster, which measures anew what a lost machine had begun.
    cache : path, optional
        Folder in which each family's findings in each model are kept under the content of weights, inputs and options.
        A sweep that was interrupted, or that was given more models, computes only what is not there. A family that
        failed is tried again.
    layers : str or iterable of str, optional
        Layers whose dynamics are measured; default every layer with weights that puts out maps.
    samples : int, default 8
        Samples, from the first, whose responses are decomposed; accuracy takes all.
    shuffles : int, default 5
        Random orders behind each null.
    axis, rank, method
        As for `metrics_table`.
    seed : int, default 0
        Joined with the content of weights and inputs to seed each null, so that a null depends on nothing else.
    threads : int, default 1
        Torch's threads while a model is measured. The same number gives the same bits, whatever the executor.
    device : torch.device or str, optional
        Where the inputs are moved; models stay where they are.
    progress : bool or callable, default False
        True writes one line, in a notebook or a terminal; a function is called as ``progress(done, text)`` after each
        model, `done` in 0..1.
    cancel : threading.Event, optional
        Looked at between layers; with an executor, between models.

    Returns
    -------
    pandas.DataFrame
        One row per model, layer and measure: `model`, `layer` (empty for the whole model), `measure`, `value`, `null`
        (what chance gives: labels in other orders, shuffled columns, shuffled weights, an untrained copy; nan where
        there is none), `n` (samples, nodes or weights behind the value), `seconds` (the family's time, shared equally
        by its rows) and `error` (None, or why there is no value).

    Raises
    ------
    DynExplorerError
        A name, an option or the cache cannot be used. What fails in one model is said in its rows instead.
    Cancelled
        `cancel` was set; what is in the cache stays.

    Notes
    -----
    A measure of one's own is known to the cache by its code, its defaults and what it closes over. Global names that
    it uses are not followed: after changing one of those, give the measure another name. Another version of this
    package computes everything anew. A cluster's machines read and write the cache where they share its folder;
    elsewhere what they found is kept when it comes back, and looked up by none of them.

    References
    ----------
    *Unveiling learning trends in convolutional neural networks with dynamic mode decomposition*, Engineering
    Applications of Artificial Intelligence 144 (2025), doi:10.1016/j.engappai.2025.110146, compares 20 classifiers.

    Example
    -------
    >>> import dyn_explorer as dx
    >>> images, labels = dx.demo.digits("test")
    >>> models = {name: lambda name=name: dx.demo.load(name) for name in ("trained", "untrained")}
    >>> table = dx.sweep(models, images, labels, ["accuracy", "depth"])
    >>> table.pivot(index="model", columns="measure", values="value")["accuracy"].idxmax()
    'trained'
    """
    named = None if layers is None else (layers,) if isinstance(layers, str) else tuple(layers)
    options = SweepOptions(named, samples, shuffles, axis, rank, method, seed, threads)
    if executor is not None and not isinstance(executor, Executor):
        raise DynExplorerError(
            f"`executor` is a {type(executor).__name__}; give a concurrent.futures.Executor, such as "
            "ProcessPoolExecutor(2), or a Dask client's get_executor()"
        )
    compared = subjects(models)
    inputs, labels = held(inputs, labels)
    asked = asked_measures(measures, labels=labels is not None)
    folder = None if cache is None else str(Cache(fspath(cache)).folder.absolute())
    given = digest(inputs, labels)

    def task(subject: Subject | Epoch) -> Task:
        ready = _ready(subject)
        wanted = asked
        if measures is None and ready.recorded is None:
            wanted = tuple(each for each in asked if each.family.needs != "history")
        return Task(ready, wanted, inputs, labels, given, options, folder, device)

    tell = ProgressLine() if progress is True else progress or _silent
    outcomes: list[Outcome] = []
    with closing(each_in_order([partial(task, each) for each in compared], executor, cancel)) as stream:
        try:
            for outcome in stream:
                outcomes.append(outcome)
                tell(len(outcomes) / len(compared), _said(outcome, len(outcomes), len(compared)))
        except Cancelled as error:
            raise Cancelled(_cut_short(len(outcomes), len(compared), folder)) from error
    return frame(outcomes)


def _ready(subject: Subject | Epoch) -> Subject:
    if isinstance(subject, Subject):
        return subject
    try:
        return subject.ready()
    except DynExplorerError as error:
        return Subject(subject.name, partial(_refuse, str(error)))


def _refuse(reason: str) -> nn.Module:
    raise DynExplorerError(reason)


def _said(outcome: Outcome, done: int, total: int) -> str:
    how = "measured" if outcome.computed else "from the cache" if any(outcome.keys) else "failed"
    return f"{outcome.name} {how}, {done} of {total} models"


def _cut_short(done: int, total: int, folder: str | None) -> str:
    kept = "nothing is kept without a `cache`" if folder is None else f"what was measured is kept in {folder!r}"
    return f"the sweep was cancelled after {done} of {total} models; {kept}"


def _silent(_done: float, _text: str) -> None:
    """Say nothing."""

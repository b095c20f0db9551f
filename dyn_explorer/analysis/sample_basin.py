"""How much noise the inputs bear."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import nn

from dyn_explorer.analysis.basin import Basin
from dyn_explorer.analysis.basin_search import MEMORY_BUDGET, Reports, Task, checked_task, measure, normal, stream
from dyn_explorer.errors import DynExplorerError


def sample_basin(
    model: nn.Module,
    inputs: object,
    labels: object,
    *,
    sigmas: object = None,
    draws: int = 8,
    seed: int = 0,
    threshold: float | None = None,
    search: str = "grid",
    target: str = "label",
    clip: tuple[float, float] | None = None,
    memory_budget: int = MEMORY_BUDGET,
    cancel: threading.Event | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> Basin:
    """Accuracy against the amplitude of Gaussian noise added to the inputs, and the amplitude S50 that halves it.

    x' = x + σξ with ξ ~ N(0, 1) in every entry; draw t of a seed is the same at every amplitude, so curves are smooth
    and checkpoints comparable. The model is run in eval mode and not touched.

    Parameters
    ----------
    model : torch.nn.Module
        Gives one score per class.
    inputs : Tensor or array (P, ...)
        Floating. The paper takes training samples.
    labels : sequence of int (P,)
        May be None with ``target="prediction"``.
    sigmas : array (S,), optional
        Ascending amplitudes in units of the inputs; default 33 from 10⁻² to 16, evenly in their logarithm (ours).
    draws : int, default 8
    seed : int, default 0
        Same seed, same curve, whatever the memory budget, in single and double precision.
    threshold : float, optional
        Default 1/2 as in the paper, and (1 + 1/C)/2 with fewer than 4 classes (ours), where 1/2 is close to chance.
    search : {"grid", "bisection"}
        "bisection" looks at about 6 of 33 amplitudes and finds the grid's own crossing wherever the curve crosses the
        threshold once.
    target : {"label", "prediction"}
        What counts as right; "prediction" is the model's answer without noise, for models that are often wrong.
    clip : (low, high), optional
        Noisy inputs are cut to this range; off by default (ours).
    memory_budget : int
        Bytes of activations at a time; default 512 MiB.
    cancel : threading.Event, optional
        Looked at between batches.
    progress : callable, optional
        ``progress(done, text)``, `done` in 0..1.

    Returns
    -------
    Basin
        ``.sigmas .accuracy .half_width .area``, and per draw, class and sample.

    Raises
    ------
    DynExplorerError
        Whole-number inputs, no labels, no score per class, a forward that is random in eval mode, or a bad option.
    Cancelled
        `cancel` was set.

    References
    ----------
    Lin, Zhang, Feng & Zhao, "An analysis framework for understanding deep neural networks based on network dynamics",
    arXiv:2501.02436. Noise levels, number of draws and clipping are ours.

    Example
    -------
    >>> import torch
    >>> from dyn_explorer import analysis
    >>> model = torch.nn.Linear(1, 2, bias=False)
    >>> model.weight.data = torch.tensor([[-1.0], [1.0]])
    >>> x = torch.tensor([[-1.0], [1.0]]).repeat(500, 1)
    >>> basin = analysis.sample_basin(model, x, (x[:, 0] > 0).long())
    >>> basin.threshold, round(basin.half_width, 1)  # P(1 + σξ > 0) = 3/4 at σ = 1.48
    (0.75, 1.5)
    """
    limits = _checked_clip(clip)
    task = checked_task(
        model,
        inputs,
        labels,
        floating=True,
        sigmas=sigmas,
        draws=draws,
        seed=seed,
        threshold=threshold,
        search=search,
        target=target,
        memory_budget=memory_budget,
    )
    given = task.inputs.double()
    scale = {"low": float(given.min()), "high": float(given.max()), "sd": float(given.std(correction=0))}
    notes = () if limits is None else (f"noisy inputs are cut to {limits[0]:g}..{limits[1]:g}",)
    run = partial(_evaluate, task, limits)
    return measure(task, run, Reports(cancel, progress), space="sample", scale=scale, notes=notes)


def noisy_inputs(inputs: torch.Tensor, *, sigma: float, draws: int = 8, seed: int = 0) -> torch.Tensor:
    """The very inputs that `sample_basin` shows to the model at one amplitude.

    Parameters
    ----------
    inputs : Tensor (P, ...)
        Floating.
    sigma : float
    draws, seed : int

    Returns
    -------
    Tensor (draws, P, ...)

    Example
    -------
    >>> noisy_inputs(torch.zeros(2, 3), sigma=0.1, draws=4).shape
    torch.Size([4, 2, 3])
    """
    streams = [stream(seed, draw) for draw in range(draws)]
    return torch.stack([torch.add(inputs, normal(each, tuple(inputs.shape), inputs), alpha=sigma) for each in streams])


def _evaluate(
    task: Task, clip: tuple[float, float] | None, sigmas: np.ndarray, draws: range, reports: Reports
) -> np.ndarray:
    count, rows = len(task.inputs), task.classifier.rows
    together = min(len(draws), rows)  # draws in one batch
    size = max(1, rows // together)  # samples in one batch
    streams = [stream(task.seed, draw) for draw in draws]
    right = np.empty((len(sigmas), len(draws), count), dtype=bool)
    for start in range(0, count, size):
        part = slice(start, start + size)
        samples, labels = task.inputs[part], task.labels[part]
        for first in range(0, len(draws), together):
            chosen = streams[first : first + together]
            noise = torch.stack([normal(each, tuple(samples.shape), samples) for each in chosen])
            repeated = labels.repeat(len(chosen))
            for index, sigma in enumerate(sigmas):
                reports((start + len(samples) * (index / len(sigmas))) / count)
                noisy = torch.add(samples, noise, alpha=float(sigma)).flatten(0, 1)
                if clip is not None:
                    noisy = noisy.clamp_(*clip)
                answers = task.classifier.right(noisy, repeated).cpu().numpy()
                right[index, first : first + len(chosen), part] = answers.reshape(len(chosen), -1)
    return right


def _checked_clip(clip: tuple[float, float] | None) -> tuple[float, float] | None:
    if clip is None:
        return None
    try:
        low, high = (float(value) for value in clip)
    except (TypeError, ValueError):
        low = high = float("nan")
    if not low < high:
        raise DynExplorerError(f"`clip` (={clip!r}) must be a pair (low, high) with low < high, or None")
    return low, high

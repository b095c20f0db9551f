"""How much noise the weights bear."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
import torch
from torch import nn

from dyn_explorer.analysis.basin import Basin
from dyn_explorer.analysis.basin_search import (
    MEMORY_BUDGET,
    Reports,
    Task,
    checked_task,
    measure,
    name_key,
    normal,
    stream,
)
from dyn_explorer.analysis.classifier import Classifier
from dyn_explorer.errors import DynExplorerError

_SCORES = 1 << 20  # that are kept until they are compared, all at once because many small comparisons cost more


def weight_layers(model: nn.Module, *, biases: bool = False, norms: bool = False) -> dict[str, tuple[str, ...]]:
    """Layers whose weights can be perturbed, in order, each with the names of these parameters.

    Weights are the parameters of two or more dimensions outside normalisation layers (ours); a parameter that the
    model holds itself is a layer of its own.

    Parameters
    ----------
    model : torch.nn.Module
    biases : bool, default False
        Also the parameters of fewer dimensions.
    norms : bool, default False
        Also those of normalisation layers.

    Returns
    -------
    dict of str to tuple of str

    Example
    -------
    >>> weight_layers(nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Linear(2, 2)))
    {'0': ('0.weight',), '2': ('2.weight',)}
    """
    layers: dict[str, tuple[str, ...]] = {}
    modules = dict(model.named_modules())
    for name, parameter in model.named_parameters():
        owner = name.rpartition(".")[0]
        is_norm = "Norm" in type(modules[owner]).__name__
        wanted = norms if is_norm else biases or parameter.ndim >= 2
        if wanted and parameter.is_floating_point():
            layer = owner or name
            layers[layer] = (*layers.get(layer, ()), name)
    return layers


def weight_basin(
    model: nn.Module,
    inputs: object,
    labels: object,
    *,
    sigmas: object = None,
    draws: int = 8,
    seed: int = 0,
    layers: str | Iterable[str] | None = None,
    threshold: float | None = None,
    search: str = "grid",
    target: str = "label",
    biases: bool = False,
    norms: bool = False,
    memory_budget: int = MEMORY_BUDGET,
    cancel: threading.Event | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> Basin:
    """Accuracy against the amplitude of Gaussian noise added to the weights, and the amplitude W50 that halves it.

    W' = W + σ sd(W) ξ in every perturbed parameter, with the population standard deviation sd(W) of that parameter:
    our reading of the paper's "normalised by mean and variance". Draw t of a seed depends on the parameter's name and
    shape only, so two checkpoints see the same noise. The model is run through `torch.func.functional_call` on a copy
    in eval mode, and is not touched.

    Parameters
    ----------
    model : torch.nn.Module
        Gives one score per class.
    inputs : Tensor or array (P, ...)
        Whole numbers, such as tokens, are welcome here.
    labels : sequence of int (P,)
        May be None with ``target="prediction"``.
    sigmas : array (S,), optional
        Ascending amplitudes in units of sd(W); default 33 from 10⁻² to 16, evenly in their logarithm (ours).
    draws, seed, threshold, search, target, memory_budget, cancel, progress
        As for `sample_basin`.
    layers : str or iterable of str, optional
        Keys of `weight_layers`; default all of them at once.
    biases, norms : bool, default False
        Whether biases and the parameters of normalisation layers are perturbed too; they are fixed by default (ours).

    Returns
    -------
    Basin
        ``.sigmas .accuracy .half_width .area``, and per draw, class and sample.

    Raises
    ------
    DynExplorerError
        No labels, no score per class, a forward that is random in eval mode, no such layer, nothing to perturb, or a
        bad option.
    Cancelled
        `cancel` was set.

    References
    ----------
    Lin, Zhang, Feng & Zhao, "An analysis framework for understanding deep neural networks based on network dynamics",
    arXiv:2501.02436.

    Example
    -------
    >>> from dyn_explorer import analysis, demo
    >>> images, labels = demo.digits("test")
    >>> basin = analysis.weight_basin(demo.load("trained"), images[:50], labels[:50], draws=2, layers="head")
    >>> basin.accuracy.shape, 0.5 < basin.half_width < 16
    ((33,), True)
    """
    task = checked_task(
        model,
        inputs,
        labels,
        floating=False,
        sigmas=sigmas,
        draws=draws,
        seed=seed,
        threshold=threshold,
        search=search,
        target=target,
        memory_budget=memory_budget,
    )
    network = task.classifier.network
    chosen = _chosen(weight_layers(network, biases=biases, norms=norms), layers)
    parameters = dict(network.named_parameters())
    sds = {name: _sd(parameters[name]) for names in chosen.values() for name in names}
    constant = [name for name, sd in sds.items() if sd == 0]
    notes = ()
    if constant:
        notes = (f"constant parameters have no standard deviation and get no noise: {', '.join(constant)}",)
    perturbed = {name: parameters[name].detach() for name, sd in sds.items() if sd > 0}
    run = partial(_evaluate, task, perturbed, sds, _aliases(network))
    return measure(task, run, Reports(cancel, progress), space="weight", layers=chosen, scale=sds, notes=notes)


def _sd(parameter: torch.Tensor) -> float:
    return float(parameter.detach().double().std(correction=0))


def _aliases(network: nn.Module) -> dict[str, str]:
    """For each name of a parameter its first name, which differ where layers share it."""
    first: dict[int, str] = {}
    named = network.named_parameters(remove_duplicate=False)
    return {name: first.setdefault(id(parameter), name) for name, parameter in named}


def _evaluate(
    task: Task,
    weights: dict[str, torch.Tensor],
    sds: dict[str, float],
    aliases: dict[str, str],
    sigmas: np.ndarray,
    draws: range,
    reports: Reports,
) -> np.ndarray:
    classifier, inputs, count = task.classifier, task.inputs, len(task.inputs)
    names = [(name, first) for name, first in aliases.items() if first in weights]
    together = max(1, _SCORES // (count * classifier.n_classes))
    right = np.empty((len(sigmas), len(draws), count), dtype=bool)
    for place, draw in enumerate(draws):
        noise = {
            name: normal(stream(task.seed, draw, name_key(name)), tuple(values.shape), values).mul_(sds[name])
            for name, values in weights.items()
        }
        moved = partial(_moved, weights, noise, names)
        for first in range(0, len(sigmas), together):
            some = sigmas[first : first + together].tolist()
            scores = []
            for index, sigma in enumerate(some, start=first):
                reports((place + index / len(sigmas)) / len(draws))
                now = moved(sigma)
                scores += [classifier.scores(part, now) for part in inputs.split(classifier.rows)]
            alone = partial(_alone, classifier, inputs, moved, some)
            answers = classifier.decided(torch.cat(scores), task.labels.repeat(len(some)), alone)
            right[first : first + len(some), place] = answers.view(len(some), count).cpu().numpy()
    return right


def _moved(
    weights: dict[str, torch.Tensor], noise: dict[str, torch.Tensor], names: list[tuple[str, str]], sigma: float
) -> dict[str, torch.Tensor]:
    made = {name: torch.add(values, noise[name], alpha=sigma) for name, values in weights.items()}
    return {name: made[first] for name, first in names}


def _alone(
    classifier: Classifier,
    inputs: torch.Tensor,
    moved: Callable[[float], dict[str, torch.Tensor]],
    sigmas: list[float],
    index: int,
) -> torch.Tensor:
    """Scores of one input, of those that stand one amplitude after the other, in a batch of its own."""
    place, row = divmod(index, len(inputs))
    return classifier.scores(inputs[row : row + 1], moved(sigmas[place]))[0]


def _chosen(known: dict[str, tuple[str, ...]], layers: str | Iterable[str] | None) -> dict[str, tuple[str, ...]]:
    if not known:
        raise DynExplorerError("this model has no weights to perturb: no floating parameter of two or more dimensions")
    if layers is None:
        return known
    wanted = [layers] if isinstance(layers, str) else list(layers)
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        raise DynExplorerError(
            f"`layers` (={layers!r}) names no layer with weights to perturb; there are {', '.join(known)}"
        )
    return {name: names for name, names in known.items() if name in wanted}

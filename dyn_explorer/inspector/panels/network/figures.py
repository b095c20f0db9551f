"""Curves and the histogram of the Network panel."""

from __future__ import annotations

import numpy as np

from dyn_explorer.views import Curve, Curves, Densities, Distribution, DivergenceMap
from dyn_explorer.views.base import shortened

from ..base import Settings
from ..epoch_axis import EpochAxis
from ..layer_axis import layer_ticks
from .options import BINS, MEASURES
from .result import NetworkResult
from .tables import ratio

LONGEST = 20  # letters of a layer below a figure
LABELS = {key: label for key, label, _ in MEASURES}
NO_ENSEMBLE = "Choose networks to compare at the left: the epochs of this run, or the bundled runs."
NO_RUN = (
    "Open the model with the history of a run that kept its weights: "
    "dx.explore(model, inputs, history=dx.History(model, probe_inputs, checkpoints=True))."
)


def draw_distribution(view: Distribution, result: NetworkResult) -> None:
    """Strengths of the chosen nodes beside their null and the untrained copy; or a measure over data."""
    if result.data is not None:
        view.update(result.data.edges, result.data.density, x_label=result.data.label)
        view.summary += f" All neurons and {result.data.inputs} inputs together; a reconstruction, without a null."
        return
    found, own = result.comparison, result.strengths.ravel()
    untrained = None if found is None else found.untrained_strengths
    others = [] if found is None else [found.strengths.ravel()]
    every = np.concatenate([own, *others, *([] if untrained is None else [untrained])])
    low, high = float(every.min()), float(every.max())
    edges = np.linspace(low, high if high > low else low + 1.0, BINS + 1)
    null = None
    if found is not None:
        drawn = np.array([_density(values, edges) for values in found.strengths])
        mean, sd = drawn.mean(axis=0), drawn.std(axis=0, ddof=1)
        null = (mean - 2 * sd, mean + 2 * sd)
    other = None if untrained is None else _density(untrained, edges)
    view.update(
        edges, _density(own, edges), x_label=f"strength of {shortened(result.name, LONGEST)}", null=null, other=other
    )


def _density(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.histogram(values, edges)[0] / (values.size * np.diff(edges))


def draw_depth(view: Curves, result: NetworkResult, measure: str) -> None:
    """Fluctuation of every node layer, as it is or over its null."""
    found, values = result.comparison, result.measured.fluctuation
    place = np.arange(len(values), dtype=float)
    names = np.array([nodes.name for nodes in result.graph.nodes])
    curves = []
    if found is None:
        curves += [] if measure == "ratio" else [Curve("this model", place, values, epochs=names)]
    else:
        over = found.mean if measure == "ratio" else np.ones(len(values))
        curves.append(_null(place, ratio(found.mean, over), ratio(found.sd, over)))
        if found.untrained is not None:
            curves.append(Curve("untrained copy", place, ratio(found.untrained, over), run=1, epochs=names))
        curves.append(Curve("this model", place, ratio(values, over), epochs=names))
    cursor = float(result.place) if curves else None
    ticks = layer_ticks(names)
    x_label = "node layer" if ticks else "node layer (row of the table)"
    view.update(curves, x_label=x_label, y_label=LABELS[measure], cursor=cursor, ticks=ticks)
    if found is not None and found.reason:
        view.summary += f" There is no untrained copy: {found.reason}"


def draw_run(view: Curves, result: NetworkResult, measure: str) -> None:
    """Fluctuation of the chosen nodes from epoch to epoch."""
    run = None if result.comparison is None else result.comparison.run
    if run is None:
        if result.comparison is None:
            view.clear()
            view.summary = "The epochs are measured next."
        else:
            view.blank(NO_RUN)
        return
    over = run.null_mean if measure == "ratio" else np.ones(len(run.epochs))
    axis = EpochAxis.of(run.epochs)
    x = axis.place(run.epochs)
    curves = [
        _null(x, ratio(run.null_mean, over), ratio(run.null_sd, over)),
        Curve(f"nodes of {result.name}", x, ratio(run.fluctuation, over), epochs=run.epochs),
    ]
    at = [] if result.epoch is None else np.flatnonzero(run.epochs == result.epoch)
    cursor = float(x[at[0]]) if len(at) else None
    view.update(curves, x_label="epoch", y_label=LABELS[measure], cursor=cursor, ticks=axis.ticks)


def draw_many(densities: Densities, bins: DivergenceMap, result: NetworkResult, settings: Settings) -> None:
    """Densities by accuracy, and how far the bins lie apart."""
    made = result.many
    if made is None or made.found is None:
        why = NO_ENSEMBLE if settings.ensemble == "none" else "The networks are measured next."
        for view in (densities, bins):
            view.blank(why if made is None else made.reason)
        return
    found, place = made.found, made.place(result.name)
    what, drawn, divergence = (
        f"strength of {shortened(found.names[place], LONGEST)}",
        found.strengths,
        found.strength_divergence,
    )
    pool = f" The smallest pool has {found.smallest[place]:,} nodes."
    if settings.compare == "weights":
        name = found.names[place]
        place = found.layers.index(name) if name in found.layers else 0
        what, drawn, divergence = f"link weights of {found.layers[place]}", found.weights, found.weight_divergence
        pool = ""
    names = [f"{text} ({count})" for text, count in zip(made.bins, found.counts, strict=True)]
    densities.update(*drawn[place], names, x_label=what)
    densities.summary = f"{densities.summary[:-1]} of {made.score} (networks)."
    bins.update(divergence[place], names)
    bins.summary += pool


def _null(x: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> Curve:
    return Curve("shuffled weights", x, mean, mean - 2 * sd, mean + 2 * sd, is_null=True)

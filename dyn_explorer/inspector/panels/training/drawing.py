"""Which curves each card of the Training panel shows."""

from __future__ import annotations

import numpy as np

from dyn_explorer import views
from dyn_explorer.sweeps.measures import FOLLOWED
from dyn_explorer.views import Curve

from ..dynamics.tables import METRICS
from .options import NO_SCALAR, OF_THE_LOOP
from .result import Run, RunScalar, TrainingResult

LABELS = {name: label for name, label, _ in METRICS}
NUMBERS = ("accuracy", "loss")
MEASURES = {
    "integration": "integration I",
    "metastability": "metastability M",
    "index": "stability index",
}
ON_EPOCHS = (*NUMBERS, *MEASURES, "volatility", "scalar")
"""Cards that share one axis of epochs."""
CHOOSE = "Choose a measure of another panel at the left, and it is drawn here over the epochs of each run."


def draw(figures: dict[str, views.View], result: TrainingResult) -> None:
    """Draw every card."""
    _trend(figures["trend"], result)
    _against(figures["against"], result)
    for name in NUMBERS:
        _number(figures[name], result, name)
    for name, label in MEASURES.items():
        _measure(figures[name], result, name, label)
    _volatility(figures["volatility"], result)
    _plane(figures["plane"], result)
    draw_scalar(figures, result)
    draw_epoch(figures, result)


def draw_epoch(figures: dict[str, views.View], result: TrainingResult) -> None:
    """Draw what the chosen epoch changes: the lines that mark it, and the phases."""
    for name in ("trend", *ON_EPOCHS):
        known, axis = (result.trend_epochs, result.trend_axis) if name == "trend" else (result.epochs, result.axis)
        is_there = result.epoch is not None and result.epoch in known
        figures[name].mark(float(axis.place([result.epoch])[0]) if is_there else None)
    _order(figures["order"], result)
    _wheel(figures["wheel"], result)


def _aligned(known: np.ndarray, epochs: np.ndarray, values: np.ndarray | None) -> np.ndarray | None:
    """Values of some epochs among all of those known, nan elsewhere, so that every curve has the same rows."""
    if values is None:
        return None
    spread = np.full(len(known), np.nan)
    spread[np.searchsorted(known, epochs)] = values
    return spread


def _curve(result: TrainingResult, name: str, epochs, y, low=None, high=None, **look) -> Curve:
    """A curve on the axis that the cards share."""
    known = result.epochs
    y, low, high = (_aligned(known, np.asarray(epochs, dtype=float), values) for values in (y, low, high))
    return Curve(name, result.axis.place(known), y, low, high, epochs=known, **look)


def _on_epochs(view: views.View, result: TrainingResult, curves: list[Curve], label: str) -> None:
    axis = result.axis
    view.update(curves, x_label="epoch", y_label=label, ticks=axis.ticks, places=axis.place(result.epochs))


def _trend(view: views.View, result: TrainingResult) -> None:
    curves, known, axis = [], result.trend_epochs, result.trend_axis
    for index, run in _runs(result):
        if not run.trends:
            continue
        _, *heights, at = run.trend(result.metric)
        mean, low, high = (_aligned(known, at, values) for values in heights)
        curves.append(Curve(run.name, axis.place(known), mean, low, high, index, epochs=known))
        if run.null is not None and result.metric in run.null:
            null = run.null[result.metric].loc[at]
            middle, spread = null["mean"].to_numpy(), null["_population_sd"].to_numpy()
            name = f"{run.name}, shuffled columns"
            place = axis.place(at)
            curves.insert(0, Curve(name, place, middle, middle - spread, middle + spread, is_null=True))
    view.update(curves, x_label="epoch", y_label=LABELS[result.metric], ticks=axis.ticks)
    if result.reason:
        view.summary = f"{view.summary} {result.reason}" if curves else result.reason


def _against(view: views.View, result: TrainingResult) -> None:
    curves, known = [], result.trend_epochs
    for index, run in _runs(result):
        if not run.has("run_accuracy"):
            continue
        x, mean, _, _, at = run.trend(result.metric, "run_accuracy")
        x, mean = (_aligned(known, at, values) for values in (x, mean))
        curves.append(Curve(run.name, x, mean, None, None, index, epochs=known))
    view.update(curves, x_label="accuracy", y_label=LABELS[result.metric])
    if not curves:
        view.summary = result.reason or "This history has no metric named accuracy."


def _number(view: views.View, result: TrainingResult, name: str) -> None:
    curves = []
    for index, run in _runs(result):
        found = run.number(name)
        if found is not None:
            curves.append(_curve(result, run.name, *found, run=index))
    _on_epochs(view, result, curves, name)
    if not curves:
        view.summary = f"This history has no metric named {name}: history.record({name}=...)."


def _measure(view: views.View, result: TrainingResult, name: str, label: str) -> None:
    curves = []
    for index, run in _measured_runs(result):
        synchrony = run.synchrony
        if synchrony.bands is not None:
            low, high = synchrony.bands[name]
            null = _curve(result, f"{run.name}, null", synchrony.epochs, (low + high) / 2, low, high, is_null=True)
            curves.insert(0, null)
        curves.append(_curve(result, run.name, synchrony.epochs, *synchrony.over_seeds(name), run=index))
    _on_epochs(view, result, curves, label)
    _explain(view, result, curves)


def _volatility(view: views.View, result: TrainingResult) -> None:
    """Of one run only: four lines a run would be too many."""
    synchrony, curves = result.detailed.synchrony, []
    if synchrony.seeds:
        curves = [
            _curve(result, f"{result.detailed.name}: {name}", synchrony.epochs, values, run=index)
            for index, (name, values) in enumerate(synchrony.volatilities.items())
        ]
    _on_epochs(view, result, curves, "volatility / its largest")
    _explain(view, result, curves)


def draw_scalar(figures: dict[str, views.View], result: TrainingResult) -> None:
    """Draw the measure of another panel, as far as it is measured."""
    view, curves, told = figures["scalar"], [], []
    for (index, run), scalar in zip(_runs(result), result.scalars, strict=False):
        if scalar.values.size:
            curves.append(_curve(result, run.name, scalar.epochs, *scalar.over_seeds(scalar.values), run=index))
            curves = _null(result, run, scalar) + curves
        told += _told(run.name if len(result.runs) > 1 else "", scalar)
    _on_epochs(view, result, curves, _scalar_label(result))
    shown = any(np.isfinite(curve.y).any() for curve in curves)
    if result.scalar == NO_SCALAR:
        view.summary = CHOOSE
    elif told:
        view.summary = " ".join([view.summary, *told] if shown else told)


def _null(result: TrainingResult, run: Run, scalar: RunScalar) -> list[Curve]:
    if not np.isfinite(scalar.nulls).any():
        return []
    middle, low, high = scalar.over_seeds(scalar.nulls)
    band = (low, high) if len(scalar.nulls) > 1 else (None, None)
    words = FOLLOWED[result.scalar].words[result.scalar].null
    return [_curve(result, f"{run.name}, {words}", scalar.epochs, middle, *band, is_null=True)]


def _told(name: str, scalar: RunScalar) -> list[str]:
    start = f"{name}: " if name else ""
    told, done, total = [], len(scalar.epochs), scalar.total
    if done < total:
        told = [f"{start}{done} of {total} epochs are measured; beside a training loop the rest waits for Refresh."]
    return [*told, f"{start}{scalar.reason}."] if scalar.reason else told


def _scalar_label(result: TrainingResult) -> str:
    if result.scalar in FOLLOWED:
        family = FOLLOWED[result.scalar]
        label = family.words[result.scalar].label
        return f"{label}, {result.layer}" if family.where else label
    return " " if result.scalar == NO_SCALAR else result.scalar.removeprefix(OF_THE_LOOP)


def _plane(view: views.View, result: TrainingResult) -> None:
    curves, known = [], result.epochs
    for index, run in _measured_runs(result):
        across, up = (
            _aligned(known, run.synchrony.epochs, run.synchrony.over_seeds(name)[0])
            for name in ("integration", "metastability")
        )
        curves.append(Curve(run.name, across, up, run=index, epochs=known))
    view.update(curves, x_label=MEASURES["integration"], y_label=MEASURES["metastability"])
    _explain(view, result, curves)


def _order(view: views.View, result: TrainingResult) -> None:
    portraits = result.portraits
    if not portraits:
        view.clear()
        _explain(view, result, [])
        return
    over_epochs, curves, axis = result.follow == "epoch", [], result.axis
    for name, portrait in portraits.items():
        index = [run.name for run in result.runs].index(name)
        if over_epochs:
            curves.append(_curve(result, name, portrait.steps, portrait.order, run=index))
        else:
            curves.append(Curve(name, portrait.steps, portrait.order, run=index))
    first = portraits.get(result.detailed.name) or next(iter(portraits.values()))
    chance = np.full(2, first.independent)
    curves.insert(0, Curve("independent, mean", curves[0].x[[0, -1]], chance, is_null=True))
    view.update(
        curves,
        x_label="epoch" if over_epochs else "layer, counted from 0",
        y_label="order parameter R",
        cursor=float(axis.place([first.at])[0]) if over_epochs else first.at,
        ticks=axis.ticks if over_epochs else (),
    )


def _wheel(view: views.View, result: TrainingResult) -> None:
    name = result.detailed.name
    portrait = result.portraits.get(name)
    if portrait is None:
        view.clear()
        _explain(view, result, [])
        return
    view.update(portrait.phases, portrait.names, independent=portrait.independent)
    view.summary = f"{name}, {portrait.place}: {view.summary}"


def _measured_runs(result: TrainingResult) -> list[tuple[int, Run]]:
    return [(index, run) for index, run in _runs(result) if run.synchrony.seeds]


def _runs(result: TrainingResult) -> list[tuple[int, Run]]:
    return list(enumerate(result.runs))


def _explain(view: views.View, result: TrainingResult, curves: list[Curve]) -> None:
    """Say why a card is empty."""
    if not any(np.isfinite(curve.y).any() and np.isfinite(curve.x).any() for curve in curves):
        reasons = dict.fromkeys(run.synchrony.reason for run in result.runs if run.synchrony.reason)
        view.summary = "; ".join(reasons) or view.summary


def taps(result: TrainingResult) -> dict[str, list]:
    """Epochs that the marks of each card stand for."""
    recorded, trends = (epochs.astype(int).tolist() for epochs in (result.epochs, result.trend_epochs))
    cards = dict.fromkeys((*ON_EPOCHS, "plane"), recorded)
    return {**cards, "trend": trends, "against": trends, "order": recorded if result.follow == "epoch" else []}

"""Which curves each card of the Training panel shows."""

from __future__ import annotations

import numpy as np

from dyn_explorer import views
from dyn_explorer.views import Curve

from ..dynamics.tables import METRICS
from .result import Run, TrainingResult

LABELS = {name: label for name, label, _ in METRICS}
NUMBERS = ("accuracy", "loss")
MEASURES = {
    "integration": "integration I",
    "metastability": "metastability M",
    "index": "stability index",
}


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
    draw_epoch(figures, result)


def draw_epoch(figures: dict[str, views.View], result: TrainingResult) -> None:
    """Draw what the chosen epoch changes: the lines that mark it, and the phases."""
    epochs = taps(result)
    for name in ("trend", *NUMBERS, *MEASURES, "volatility"):
        is_there = result.epoch is not None and result.epoch in epochs[name]
        axis = result.trend_axis if name == "trend" else result.axis
        figures[name].mark(float(axis.place([result.epoch])[0]) if is_there else None)
    _order(figures["order"], result)
    _wheel(figures["wheel"], result)


def _on_epochs(view: views.View, result: TrainingResult, curves: list[Curve], label: str) -> None:
    view.update(curves, x_label="epoch", y_label=label, ticks=result.axis.ticks)


def _trend(view: views.View, result: TrainingResult) -> None:
    curves = []
    for index, run in enumerate(run for run in result.runs if run.trends):
        epochs, mean, low, high, at = run.trend(result.metric)
        place = result.trend_axis.place(epochs)
        curves.append(Curve(run.name, place, mean, low, high, index, epochs=at))
        if run.null is not None and result.metric in run.null:
            null = run.null[result.metric].loc[at]
            middle, spread = null["mean"].to_numpy(), null["_population_sd"].to_numpy()
            name = f"{run.name}, shuffled columns"
            curves.insert(0, Curve(name, place, middle, middle - spread, middle + spread, is_null=True))
    view.update(curves, x_label="epoch", y_label=LABELS[result.metric], ticks=result.trend_axis.ticks)
    if result.reason:
        view.summary = result.reason


def _against(view: views.View, result: TrainingResult) -> None:
    curves = []
    for index, run in enumerate(run for run in result.runs if run.has("run_accuracy")):
        x, mean, _, _, at = run.trend(result.metric, "run_accuracy")
        curves.append(Curve(run.name, x, mean, None, None, index, epochs=at))
    view.update(curves, x_label="accuracy", y_label=LABELS[result.metric])
    if not curves:
        view.summary = result.reason or "This history has no metric named accuracy."


def _number(view: views.View, result: TrainingResult, name: str) -> None:
    curves = []
    for index, run in enumerate(result.runs):
        found = run.number(name)
        if found is not None:
            epochs, mean, low, high = found
            curves.append(Curve(run.name, result.axis.place(epochs), mean, low, high, index, epochs=epochs))
    _on_epochs(view, result, curves, name)
    if not curves:
        view.summary = f"This history has no metric named {name}: history.record({name}=...)."


def _measure(view: views.View, result: TrainingResult, name: str, label: str) -> None:
    curves = []
    for index, run in _measured_runs(result):
        synchrony = run.synchrony
        place = result.axis.place(synchrony.epochs)
        if synchrony.bands is not None:
            low, high = synchrony.bands[name]
            curves.insert(0, Curve(f"{run.name}, null", place, (low + high) / 2, low, high, is_null=True))
        curves.append(Curve(run.name, place, *synchrony.over_seeds(name), index, epochs=synchrony.epochs))
    _on_epochs(view, result, curves, label)
    _explain(view, result, curves)


def _volatility(view: views.View, result: TrainingResult) -> None:
    """Of the first run only: four lines a run would be too many."""
    curves = []
    for _, run in _measured_runs(result)[:1]:
        synchrony = run.synchrony
        place = result.axis.place(synchrony.epochs)
        curves = [
            Curve(f"{run.name}: {name}", place, values, run=index, epochs=synchrony.epochs)
            for index, (name, values) in enumerate(synchrony.volatilities.items())
        ]
    _on_epochs(view, result, curves, "volatility / its largest")
    _explain(view, result, curves)


def _plane(view: views.View, result: TrainingResult) -> None:
    curves = []
    for index, run in _measured_runs(result):
        integration, metastability = (run.synchrony.over_seeds(name)[0] for name in ("integration", "metastability"))
        curves.append(Curve(run.name, integration, metastability, run=index, epochs=run.synchrony.epochs))
    view.update(curves, x_label=MEASURES["integration"], y_label=MEASURES["metastability"])
    _explain(view, result, curves)


def _order(view: views.View, result: TrainingResult) -> None:
    portraits = result.portraits
    if not portraits:
        view.clear()
        _explain(view, result, [])
        return
    over_epochs, curves = result.follow == "epoch", []
    for name, portrait in portraits.items():
        index = [run.name for run in result.runs].index(name)
        place = result.axis.place(portrait.steps) if over_epochs else portrait.steps
        curves.append(Curve(name, place, portrait.order, run=index, epochs=portrait.steps if over_epochs else None))
    first = next(iter(portraits.values()))
    chance = np.full(2, first.independent)
    curves.insert(0, Curve("independent, mean", curves[0].x[[0, -1]], chance, is_null=True))
    view.update(
        curves,
        x_label="epoch" if over_epochs else "layer, counted from 0",
        y_label="order parameter R",
        cursor=float(result.axis.place([first.at])[0]) if over_epochs else first.at,
        ticks=result.axis.ticks if over_epochs else (),
    )


def _wheel(view: views.View, result: TrainingResult) -> None:
    if not result.portraits:
        view.clear()
        _explain(view, result, [])
        return
    name, portrait = next(iter(result.portraits.items()))
    view.update(portrait.phases, portrait.names, independent=portrait.independent)
    view.summary = f"{name}, {portrait.place}: {view.summary}"


def _measured_runs(result: TrainingResult) -> list[tuple[int, Run]]:
    return [(index, run) for index, run in enumerate(result.runs) if run.synchrony.seeds]


def _explain(view: views.View, result: TrainingResult, curves: list[Curve]) -> None:
    """Say why a card is empty."""
    if not any(np.isfinite(curve.y).any() and np.isfinite(curve.x).any() for curve in curves):
        reasons = dict.fromkeys(run.synchrony.reason for run in result.runs if run.synchrony.reason)
        view.summary = "; ".join(reasons) or view.summary


def taps(result: TrainingResult) -> dict[str, list]:
    """Epochs that the marks of each card stand for."""
    run = result.runs[0]
    synchrony = run.synchrony.epochs.astype(int).tolist()
    cards = {
        "trend": run.trend_epochs,
        "against": run.trend_epochs,
        "order": synchrony if result.follow == "epoch" else [],
    }
    for name in NUMBERS:
        cards[name] = list(run.histories[0].epochs)
    for name in (*MEASURES, "volatility", "plane"):
        cards[name] = synchrony
    return cards

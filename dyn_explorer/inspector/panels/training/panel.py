"""The Training panel: figures, controls and the code behind them."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from dyn_explorer import demo, views
from dyn_explorer.errors import DynExplorerError
from dyn_explorer.inspector.controls import grouped, menu, slider, stops
from dyn_explorer.inspector.jobs import Job
from dyn_explorer.inspector.recorder import Memo
from dyn_explorer.inspector.source import Source
from dyn_explorer.inspector.state import InspectorState
from dyn_explorer.views import theme

from ..base import Card, Panel, Settings
from ..dynamics.tables import METRICS, number
from . import tables
from .code import code
from .measure import OWN, bundled_layer, bundled_runs, own_run, with_null
from .options import METRIC_MENU, NO_HISTORY, RUNS, TrainingOptions
from .result import Run, TrainingResult, positions

if TYPE_CHECKING:
    import pandas as pd

LABELS = {name: label for name, label, _ in METRICS}
KEPT = 8
KEPT_EPOCHS = 4096
LEGEND = (("●", theme.STABLE, "this run, or true labels"), ("▲", theme.GROWING, "shuffled labels"))


class TrainingPanel(Panel):
    """A run's loss and accuracy, and any metric of its dynamics against epochs and against accuracy."""

    key = "training"
    title = "Training"
    about = (
        "Each curve is the mean over images (and seeds, where there are several); its band is one standard deviation "
        "for metrics, and the range over seeds for loss and accuracy. The grey band is the metric with its columns "
        "shuffled: a curve inside it is no trace of dynamics. Epoch 0, where it was recorded, is untrained. "
        "A network that learns shuffled labels by heart has nothing else to learn, so what its curve shares with the "
        "other is training, not understanding. Rank correlations stand in the table with the number of points that "
        "they rest on; points of one run are not independent, so they describe and test nothing."
    )
    Options = TrainingOptions
    tap_chooses = "epoch"
    menus = MappingProxyType({})
    cards = (
        Card(
            "trend",
            "The metric from epoch to epoch",
            "Mean and spread over images and seeds.",
            half=True,
            legend=LEGEND,
        ),
        Card("against", "The metric against accuracy", "The same points; lines join epochs.", half=True, legend=LEGEND),
        Card("accuracy", "Accuracy", "As the training loop gave it.", half=True),
        Card("loss", "Loss", "As the training loop gave it.", half=True),
    )

    def __init__(self) -> None:
        super().__init__()
        self._parts = Memo(KEPT_EPOCHS)
        self._bundled = Memo(KEPT)
        self._nulls = Memo(KEPT)

    def make_views(self) -> dict[str, views.View]:
        """A view per card."""
        return {card.figure: views.Curves() for card in self.cards}

    def layers_needed(self, settings: Settings, source: Source) -> tuple[str, ...]:
        """The layer whose dynamics are followed."""
        return (settings.layer,)

    def compute(self, source: Source, state: InspectorState, settings: Settings, job: Job) -> TrainingResult:
        """Measure every epoch with weights, once."""
        bundled = settings.runs == "bundled"
        if not bundled and (source.history is None or not source.history.epochs):
            raise DynExplorerError(NO_HISTORY)
        layer = bundled_layer(settings.layer) if bundled else settings.layer
        runs = self._measured(source, layer, settings, job)
        reason = "" if all(run.trends for run in runs) else _no_trend(source)
        return TrainingResult(
            runs, layer, settings.metric, settings.images, None if bundled else settings.epoch, reason
        )

    def _measured(self, source: Source, layer: str, settings: Settings, job: Job) -> tuple[Run, ...]:
        if settings.runs == "own":
            return (own_run(source, layer, settings.images, self._parts, job),)
        key = (layer, settings.images)
        if key not in self._bundled:
            source.check_free()
        return self._bundled.get(key, lambda: bundled_runs(layer, settings.images, job))

    def refine(self, source: Source, result: TrainingResult, settings: Settings, job: Job) -> TrainingResult:
        """What shuffled columns give."""
        if settings.runs == "bundled":
            model, inputs = demo.small_cnn(), demo.digits("test")[0]
            key = ("bundled", result.layer)
        else:
            if source.held or not result.runs[0].trends:
                return result
            model, inputs = source.live_model, source.record((result.layer,), job).inputs
            key = (source.history.checkpoint_epochs, result.layer)
        nulls = self._nulls.get(
            key, lambda: [with_null(run, model, inputs, result.layer, job).null for run in result.runs]
        )
        runs = tuple(replace(run, null=null) for run, null in zip(result.runs, nulls, strict=True))
        return replace(result, runs=runs)

    def show(self, result: TrainingResult, settings: Settings) -> None:
        """Draw the curves."""
        label = LABELS[result.metric]
        self._show_trend(result, label)
        self._show_against(result, label)
        for name in ("accuracy", "loss"):
            self._show_number(result, name)

    def _show_trend(self, result: TrainingResult, label: str) -> None:
        curves, ticks = [], []
        for index, run in enumerate(run for run in result.runs if run.trends):
            epochs, mean, low, high, at = run.trend(result.metric)
            place, ticks = positions(epochs)
            if run.null is not None and result.metric in run.null:
                null = run.null[result.metric].loc[at]
                middle, spread = null["mean"].to_numpy(), null["_population_sd"].to_numpy()
                name = f"{run.name}, shuffled columns"
                curves.insert(0, views.Curve(name, place, middle, middle - spread, middle + spread, is_null=True))
            curves.append(views.Curve(run.name, place, mean, low, high, index, epochs=at))
        self.views["trend"].update(curves, x_label="epoch", y_label=label, cursor=_cursor(result, curves), ticks=ticks)
        if result.reason:
            self.views["trend"].summary = result.reason

    def _show_against(self, result: TrainingResult, label: str) -> None:
        curves = []
        for index, run in enumerate(run for run in result.runs if run.has("run_accuracy")):
            x, mean, _, _, at = run.trend(result.metric, "run_accuracy")
            curves.append(views.Curve(run.name, x, mean, None, None, index, epochs=at))
        self.views["against"].update(curves, x_label="accuracy", y_label=label)
        if not curves:
            self.views["against"].summary = result.reason or "This history has no metric named accuracy."

    def _show_number(self, result: TrainingResult, name: str) -> None:
        curves, ticks = [], []
        for index, run in enumerate(result.runs):
            found = run.number(name)
            if found is None:
                continue
            epochs, mean, low, high = found
            place, ticks = positions(epochs)
            curves.append(views.Curve(run.name, place, mean, low, high, index, epochs=epochs))
        self.views[name].update(curves, x_label="epoch", y_label=name, cursor=_cursor(result, curves), ticks=ticks)
        if not curves:
            self.views[name].summary = f"This history has no metric named {name}: history.record({name}=...)."

    def controls(self, settings: Settings, result: TrainingResult | None) -> list[dict]:
        """Runs, metric, and the epoch of the model's own history."""
        made = [
            menu("training.runs", "Runs", settings.runs, list(RUNS)),
            menu("training.metric", "Metric", settings.metric, list(METRIC_MENU)),
            slider("training.images", "Images", settings.images, 2, 64, 1, "Images that each mean is over.", digits=0),
        ]
        epochs = settings.limits.epochs
        if settings.runs == "own" and epochs:
            places = [*((epoch, str(epoch)) for epoch in epochs), (None, "now")]
            hint = "Every panel shows the weights of this epoch, where they were kept."
            made.append(stops("epoch", "Epoch", settings.epoch, places, hint))
        return grouped("Training", made)

    def numbers(self, result: TrainingResult) -> list[dict]:
        """What the curves rest on."""
        seeds = max(len(run.histories) for run in result.runs)
        return [
            number("layer", result.layer, "Whose channels are the snapshots."),
            number("runs", str(sum(len(run.histories) for run in result.runs)), "Histories behind these curves."),
            number("seeds", str(seeds), "Runs that differ only in their seed; with one there is no band over seeds."),
            number("images", str(result.images), "Images that each mean of a metric is over."),
        ]

    def metrics(self, result: TrainingResult) -> dict | None:
        """Rank correlations of every metric with epoch and accuracy."""
        return tables.correlations(result)

    def meaning(self, result: TrainingResult) -> str:
        """What stands at each epoch."""
        names = " and ".join(run.name for run in result.runs)
        kept = "decomposed at every epoch whose weights were kept, rank 99\u00a0%"
        return f"{names}: the channels of {result.layer}, {kept}"

    def table(self, result: TrainingResult) -> pd.DataFrame:
        """One row per epoch and run."""
        return tables.epochs(result)

    def row_values(self, result: TrainingResult, count: int) -> list:
        """The epoch of each row; the bundled runs are of another model, so their rows choose nothing."""
        own = len(result.runs) == 1 and result.runs[0].name == OWN
        return list(result.runs[0].histories[0].epochs) if own else []

    def code(self, settings: Settings, source: Source) -> str:
        """The view's numbers without the widget."""
        return code(settings, source)


def _no_trend(source: Source) -> str:
    if not source.history.checkpoint_epochs:
        return "This history holds no weights, so there is no trend: record it with History(..., checkpoints=True)."
    return "The trend is measured once training is over: press Refresh then."


def _cursor(result: TrainingResult, curves: list[views.Curve]) -> float | None:
    if result.epoch is None or not curves:
        return None
    known = curves[-1].epochs
    place = np.flatnonzero(known == result.epoch)
    return float(curves[-1].x[place[0]]) if len(place) else None

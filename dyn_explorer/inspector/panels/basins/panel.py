"""The Basins panel: figures, controls and the code behind them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from dyn_explorer import analysis, views
from dyn_explorer.errors import Cancelled, DynExplorerError
from dyn_explorer.inspector.jobs import Job
from dyn_explorer.inspector.source import Source
from dyn_explorer.inspector.state import InspectorState
from dyn_explorer.views import theme

from ..base import Card, Panel, Settings
from . import tables
from .code import code
from .drawing import draw
from .measure import PICTURES, Measure, NotYet, Question
from .options import BasinsOptions
from .result import NAMES, BasinsResult
from .sidebar import sidebar

if TYPE_CHECKING:
    import pandas as pd

COLORS = {"sample": theme.STABLE, "weight": theme.DECAYING}
UNITS = {"sample": "input units", "weight": "sd of each layer's weights"}
ODD = (("▲", theme.NEUTRAL, "beyond the grid"), ("×", theme.NEUTRAL, "undefined"))
NULL = ("▒", theme.NEUTRAL, "untrained copy, own answers")
PACE = 0.4  # seconds between two pictures of what comes later
THRESHOLD = ("- -", theme.NEUTRAL, "threshold")


class BasinsPanel(Panel):
    """Accuracy against noise in the inputs and in the weights."""

    key = "basins"
    title = "Basins"
    about = (
        "A basin is what surrounds a sample, or the weights, without a change of the answer. Its size is the amplitude "
        "of Gaussian noise at which the accuracy falls below the threshold: S50 for noise in the inputs, in their own "
        "units, W50 for noise in the weights, in units of each layer's standard deviation, biases and normalisation "
        "layers fixed. The threshold of one half is arbitrary, so the area under the curve stands beside it; with two "
        "or three classes it moves to halfway between chance and 1. Noise levels, number of draws and the reading of "
        "the normalisation are ours, since the paper's are not known to us. The model is asked in eval mode. A size "
        "says nothing by itself: compare it with the untrained copy, and S50 with the range of the inputs."
    )
    Options = BasinsOptions
    tap_chooses = "sample"
    menus = MappingProxyType({})
    cards = (
        Card(
            "sample",
            "Noise in the inputs",
            "Accuracy over all inputs and draws; the band is one standard deviation over draws. Drag the threshold at "
            "the left. A few points come first, the whole curve a moment later.",
            half=True,
            legend=(("●", theme.STABLE, "this model"), ("┊", theme.STABLE, "S50"), NULL, THRESHOLD,
                    ("│", theme.SELECTED, "noise shown below")),
        ),
        Card(
            "weight",
            "Noise in the weights",
            "The same for noise in all layers at once.",
            half=True,
            legend=(("■", theme.DECAYING, "this model"), ("┊", theme.DECAYING, "W50"), NULL, THRESHOLD),
        ),
        Card(
            "pictures",
            "The chosen input under noise",
            "With the model's answer; these draws are the curve's own. Choose the amplitude at the left.",
            wide=True,
            legend=(("□", theme.STABLE, "right"), ("□", theme.GROWING, "wrong")),
        ),
        Card(
            "plane",
            "A random plane through the chosen input",
            "Colour and number are the predicted class. Both directions are draws of noise: each point of the circle "
            "is the input with noise of amplitude S50. The plane is ours; the paper projects by PCA.",
            square=True,
            legend=(("+", theme.SELECTED, "the input"), ("○", theme.SELECTED, "its own S50")),
        ),
        Card(
            "path",
            "Both sizes over the run",
            "One point per epoch whose weights the history kept. Tap one to look at that epoch.",
            square=True,
            legend=(("●", theme.EARLY, "early"), ("●", theme.LATE, "late")),
        ),
        Card("class_sample", "S50 of each class", "From the whole curve.",
             legend=(("┄", theme.STABLE, "all"), *ODD)),
        Card("class_weight", "W50 of each class", "From the whole curve.",
             legend=(("┄", theme.DECAYING, "all"), *ODD)),
        Card("layers", "W50 of one layer at a time", "Noise in one layer only; ▲ bears all amplitudes of the grid.",
             legend=(("┄", theme.DECAYING, "all at once"), *ODD)),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._measure = Measure()

    def make_views(self) -> dict[str, views.View]:
        """A view per card."""
        axis = {space: f"noise amplitude σ ({unit})" for space, unit in UNITS.items()}
        size = {space: f"{NAMES[space]} ({'sd' if space == 'weight' else unit})" for space, unit in UNITS.items()}
        return {
            "sample": views.BasinCurve("S50", axis["sample"], COLORS["sample"], "circle"),
            "weight": views.BasinCurve("W50", axis["weight"], COLORS["weight"], "square"),
            "pictures": views.NoisyPictures(1 + PICTURES),
            "plane": views.ClassPlane(),
            "path": views.BasinPath(),
            "class_sample": views.HalfWidths("S50", "class", size["sample"], COLORS["sample"]),
            "class_weight": views.HalfWidths("W50", "class", size["weight"], COLORS["weight"]),
            "layers": views.HalfWidths("W50", "layer", size["weight"], COLORS["weight"]),
        }

    def layers_needed(self, settings: Settings, source: Source) -> tuple[str, ...]:
        """One that does not change with the chosen layer: only inputs and labels are read."""
        return (source.default_layer(),)

    def compute(self, source: Source, state: InspectorState, settings: Settings, job: Job) -> BasinsResult:
        """Both sizes by bisection, and what is shown of the chosen sample."""
        asked = self._measure.question(source, self.layers_needed(settings, source), job)
        state.limits.n_samples = len(asked.inputs)
        basins, reasons = {}, {}
        if asked.has_sample_space:
            basins["sample"] = self._measure.basin(source, asked, "sample", settings, job)
        else:
            reasons["sample"] = "whole-number inputs bear no Gaussian noise, so there is no basin in sample space"
        basins["weight"] = self._measure.basin(source, asked, "weight", settings, job)
        chosen = self._measure.chosen(source, asked, settings, job) if asked.has_sample_space else None
        run = () if source.history is None else source.history.checkpoint_epochs
        names = None if source.class_names is None else tuple(source.class_names)
        result = BasinsResult(basins, chosen, settings.sigma, {}, {}, (), run, settings.epoch, reasons, names)
        # What was measured before stays in view while the hand moves.
        known = result
        with suppress(NotYet):
            for piece in self._pieces(source, asked, result, settings, None):
                known = piece
        return known

    def refine(self, source: Source, result: BasinsResult, settings: Settings, job: Job) -> Iterator[BasinsResult]:
        """Nulls, whole curves, single layers and past epochs, shown as they come."""
        asked = self._measure.question(source, self.layers_needed(settings, source), job)
        shown, grown = time.monotonic(), result
        for grown in self._pieces(source, asked, result, settings, job):
            if time.monotonic() - shown > PACE:
                yield grown
                shown = time.monotonic()
        yield grown

    def _pieces(
        self, source: Source, asked: Question, result: BasinsResult, settings: Settings, job: Job | None
    ) -> Iterator[BasinsResult]:
        """The result with one more piece at a time, always in the same order."""
        measure, spaces, as_null = self._measure, tuple(result.basins), {"target": "prediction"}
        copy = None
        try:
            copy = measure.untrained(source, asked, job)
            nulls = {space: measure.basin(source, copy, space, settings, job, **as_null) for space in spaces}
            yield (result := replace(result, nulls=nulls))
        except Cancelled:
            raise
        except DynExplorerError as error:
            yield (result := replace(result, reasons={**result.reasons, "nulls": f"there is no null: {error}"}))
        for space in spaces:
            whole = measure.basin(source, asked, space, settings, job, search="grid")
            yield (result := replace(result, basins={**result.basins, space: whole}))
        for name in analysis.weight_layers(asked.model):
            alone = measure.basin(source, asked, "weight", settings, job, layers=name)
            yield (result := replace(result, layers={**result.layers, name: alone}))
        for epoch in result.run:
            at = measure.epoch(source, asked, epoch, settings, job)
            yield (result := replace(result, epochs=(*result.epochs, at)))
        for space in result.nulls:
            whole = measure.basin(source, copy, space, settings, job, search="grid", **as_null)
            yield (result := replace(result, nulls={**result.nulls, space: whole}))

    def show(self, result: BasinsResult, settings: Settings) -> None:
        """Draw everything that is known by now."""
        draw(self.views, result)

    def controls(self, settings: Settings, result: BasinsResult | None) -> list[dict]:
        """The threshold, the amplitude that is looked at, and how basins are measured."""
        return sidebar(settings, result)

    def numbers(self, result: BasinsResult) -> list[dict]:
        """Both sizes and what they depend on."""
        return tables.numbers(result)

    def metrics(self, result: BasinsResult) -> dict:
        """Both sizes beside an untrained copy."""
        return tables.metrics(result)

    def meaning(self, result: BasinsResult) -> str:
        """What counts as right."""
        basin = result.basins["weight"]
        right = "its label" if basin.target == "label" else "the answer it gives without noise"
        return f"{len(basin.labels)} inputs, {basin.draws} draws of noise each; right is {right}"

    def table(self, result: BasinsResult) -> pd.DataFrame:
        """One row per input, the most easily disturbed first."""
        return tables.samples(result)

    def row_values(self, result: BasinsResult, count: int) -> list:
        """The input of each row."""
        return [int(index) for index in tables.samples(result)["sample"][:count]]

    def taps(self, result: BasinsResult, row_values: list) -> dict[str, tuple[str, list]]:
        """A point of the run chooses its epoch."""
        return {"path": ("epoch", [at.epoch for at in result.epochs])}

    def code(self, settings: Settings, source: Source) -> str:
        """The view's numbers without the widget."""
        return code(settings, self.layers_needed(settings, source), source)

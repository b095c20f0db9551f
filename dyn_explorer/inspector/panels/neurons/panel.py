"""The Neurons panel: figures, controls and the code behind them."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from dyn_explorer import views
from dyn_explorer.inspector.controls import grouped, menu, slider, stops
from dyn_explorer.inspector.jobs import Job
from dyn_explorer.inspector.source import Source
from dyn_explorer.inspector.state import InspectorState
from dyn_explorer.views import theme

from ..base import Card, Panel, Settings
from . import drawing, tables
from .code import code
from .kept import Kept, Look
from .measure import check, shown_epochs
from .options import ABOUT, BN_STATS, POOLING, NeuronsOptions
from .result import LayerRanks, NeuronsResult

if TYPE_CHECKING:
    import pandas as pd

CLASS_LEGEND = (("▲", theme.GROWING, "the chosen class"), ("●", theme.STABLE, "all classes, or all other samples"))


class NeuronsPanel(Panel):
    """Whether the neurons of each layer rank samples as the layers above read them, and how much of those is linear."""

    key = "neurons"
    title = "Neurons"
    about = ABOUT
    Options = NeuronsOptions
    tap_chooses = "neurons.neuron"
    menus = MappingProxyType({})
    cards = (
        Card(
            "layers",
            "G of the hidden layers",
            "Over epochs where the model was opened with a history that has weights, else over classes. A tap chooses. "
            "Grey crosses: within 3 deviations of the larger null.",
            half=True,
            legend=(("×", theme.NEUTRAL, "no more than chance"),),
        ),
        Card(
            "density",
            "Density of ranks in the chosen layer",
            "Flat is no alignment. The grey bands are 2 deviations under permuted labels: the wide one of the class, "
            "the narrow one of the mean over classes.",
            half=True,
            legend=CLASS_LEGEND,
        ),
        Card(
            "neurons",
            "G of neurons, by readout weight",
            "The 40 neurons that the chosen class reads most; a chosen one that is none of them stands last. A "
            "tap chooses neuron and class. Grey crosses: within 3 deviations under permuted labels.",
            half=True,
            legend=(("×", theme.NEUTRAL, "no more than chance"),),
        ),
        Card(
            "fields",
            "The chosen neuron",
            "Its field times the sign of the weight with which the chosen class reads it.",
            half=True,
            legend=CLASS_LEGEND,
        ),
        Card(
            "truncation",
            "Activations made the identity from a layer on",
            "A tap or the slider chooses the layer. Grey: the answer is always the most frequent class.",
            half=True,
            legend=(
                ("●", theme.STABLE, "accuracy"),
                ("▲", theme.GROWING, "agrees with the whole"),
                ("■", theme.DECAYING, "whole network"),
            ),
        ),
        Card(
            "error",
            "What the scores change by, over their size",
            "Of the linear map in place of the layers above: 0 is the network itself, 1 (grey) no better than "
            "the mean score.",
            half=True,
            legend=(("●", theme.STABLE, "truncated"), ("┅", theme.NEUTRAL, "mean score")),
        ),
    )

    def __init__(self) -> None:
        super().__init__()
        self._kept = Kept()

    def make_views(self) -> dict[str, views.View]:
        """A view per card."""
        return {
            "layers": views.HeatMap("layer", "column", "G"),
            "density": views.RankDensity(),
            "neurons": views.HeatMap("class", "neuron", "G"),
            "fields": views.ClassHistograms(),
            "truncation": views.Curves("layer"),
            "error": views.Curves("layer"),
        }

    def layers_needed(self, settings: Settings, source: Source) -> tuple[str, ...]:
        """The chosen layer; the others are run without being kept."""
        return (settings.layer,)

    def compute(self, source: Source, state: InspectorState, settings: Settings, job: Job) -> NeuronsResult:
        """Rank the samples in every hidden layer of the model, and in the chosen layer."""
        # Any recording has the inputs, the labels and the outputs, which is all that is read of it.
        recording = source.recording or source.record((settings.layer,), job)
        check(recording)
        look = Look(source, recording, settings.bn_stats, job)
        network, chosen = self._kept.ranks(look, settings.layer)
        category = min(settings.category, len(chosen.readout) - 1)
        if category != settings.category:
            job.note(f"There is no class {settings.category}; this is class {category}.")
        epochs = shown_epochs(source.history)
        return NeuronsResult(
            settings.layer,
            chosen,
            network,
            recording.labels.numpy(),
            category,
            _index(chosen, category, settings.neuron, job),
            epochs,
            tuple(self._kept.known_column(look, epoch, network) for epoch in epochs),
            source.epoch,
            settings.bn_stats,
            settings.pooling,
            settings.start,
            self._kept.truncation(look, settings.pooling, only_known=True),
            *self._kept.untrained(look, network.names, only_known=True),
        )

    def refine(self, source: Source, result: NeuronsResult, settings: Settings, job: Job) -> NeuronsResult | None:
        """Truncation, the untrained copy, and the epochs that were not measured yet."""
        missing = result.truncation is None or result.untrained is None or None in result.columns
        if source.held or source.recording is None or not missing:
            return None
        look = Look(source, source.recording, result.bn_stats, job)
        names = result.network.names
        untrained, reason = self._kept.untrained(look, names)
        columns = tuple(
            self._kept.column(look, epoch, names) if known is None else known
            for epoch, known in zip(result.epochs, result.columns, strict=True)
        )
        truncation = self._kept.truncation(look, result.pooling)
        return replace(result, truncation=truncation, untrained=untrained, reason=reason, columns=columns)

    def show(self, result: NeuronsResult, settings: Settings) -> None:
        """Draw all figures."""
        drawing.show_layers(self.views["layers"], result)
        drawing.show_density(self.views["density"], result)
        drawing.show_neurons(self.views["neurons"], result)
        drawing.show_fields(self.views["fields"], result)
        drawing.show_truncation(self.views["truncation"], self.views["error"], result)

    def controls(self, settings: Settings, result: NeuronsResult | None) -> list[dict]:
        """Class, BatchNorm, truncation, and the epoch of the model's own history."""
        made = []
        if result is not None:
            hint = "Whose samples are compared with all others."
            made.append(
                slider("neurons.category", "Class", result.category, 0, result.n_classes - 1, 1, hint, digits=0)
            )
        made.append(menu("neurons.bn_stats", "BatchNorm", settings.bn_stats, list(BN_STATS)))
        made.append(menu("neurons.pooling", "Pooling", settings.pooling, list(POOLING)))
        if result is not None and result.truncation is not None and len(result.truncation.accuracy):
            count = len(result.truncation.accuracy)
            places = [*((index, tables.activation_name(result, index)) for index in range(count)), (None, "none")]
            start = settings.start if settings.start is not None and settings.start < count else None
            hint = "Activations from this layer on are made the identity."
            made.append(stops("neurons.start", "Truncate from", start, places, hint))
        if epochs := settings.limits.epochs:
            places = [*((epoch, str(epoch)) for epoch in epochs), (None, "now")]
            made.append(stops("epoch", "Epoch", settings.epoch, places, "Every panel shows the weights of this epoch."))
        return grouped("Neurons", made)

    def numbers(self, result: NeuronsResult) -> list[dict]:
        """The chosen layer, and the truncated network beside the whole one."""
        return tables.numbers(result)

    def metrics(self, result: NeuronsResult) -> dict | None:
        """G of every hidden layer beside its nulls."""
        return tables.layers(result)

    def meaning(self, result: NeuronsResult) -> str:
        """What was ranked."""
        per_class = np.bincount(result.labels, minlength=result.n_classes)
        counted = f"{len(result.labels)} samples, {per_class.min()} to {per_class.max()} of each class"
        undefined = f"; {result.chosen.aligned.reason}" if result.chosen.aligned.reason else ""
        return f"Outputs of {result.layer}, ranked over {counted}, read by all that stands above made linear{undefined}"

    def table(self, result: NeuronsResult) -> pd.DataFrame:
        """One row per neuron."""
        return tables.neurons(result)

    def row_values(self, result: NeuronsResult, count: int) -> list:
        """Where each neuron stands in the layer's flattened output."""
        chosen = result.chosen
        return chosen.places[chosen.by_weight(result.category)][:count].tolist()

    def taps(self, result: NeuronsResult, row_values: list) -> dict[str, tuple[str, list]]:
        """A cell of a grid chooses its row and column, a point of the truncation its layer."""
        layers, classes = result.network.names, drawing.shown_classes(result).tolist()
        if result.epochs:
            cells = ("layer,epoch", [(layer, epoch) for layer in layers for epoch in result.epochs])
        else:
            cells = ("layer,neurons.category", [(name, k) for name in layers for k in classes])
        shown = result.chosen.places[drawing.shown_neurons(result)].tolist()
        pairs = [(category, place) for category in classes for place in shown]
        steps = [] if result.truncation is None else list(range(len(result.truncation.accuracy)))
        return {
            "layers": cells,
            "neurons": ("neurons.category,neurons.neuron", pairs),
            "truncation": ("neurons.start", steps),
            "error": ("neurons.start", steps),
        }

    def code(self, settings: Settings, source: Source) -> str:
        """The view's numbers without the widget."""
        return code(settings, source)


def _index(chosen: LayerRanks, category: int, neuron: int | None, job: Job) -> int:
    """The chosen neuron as an index into those that were drawn."""
    if neuron is not None:
        place = np.flatnonzero(chosen.places == neuron)
        if len(place):
            return int(place[0])
        job.note(f"Neuron {neuron} is not among those of this layer; this is the one that the class reads most.")
    return int(chosen.by_weight(category)[0])

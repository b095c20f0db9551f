"""The Filters panel: figures, controls and the code behind them."""

from __future__ import annotations

import math
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from dyn_explorer import views
from dyn_explorer.errors import Cancelled, DynExplorerError
from dyn_explorer.inspector.jobs import Job
from dyn_explorer.inspector.source import Source
from dyn_explorer.inspector.state import InspectorState

from ..base import Panel, Settings
from . import tables
from .code import code
from .figures import CARDS, draw, make_views
from .measure import Measures
from .neighbours import neighbours_of
from .options import FiltersOptions
from .patches import with_boxes
from .result import Comparison, Directions, FiltersResult
from .sidebar import sidebar
from .signals import response, signals_of

if TYPE_CHECKING:
    import pandas as pd

    from dyn_explorer import capture


class FiltersPanel(Panel):
    """Spectrum of a layer's weight, its singular directions, what each of them sees and feeds."""

    key = "filters"
    title = "Filters"
    about = (
        "A layer's weight, unfolded to one row per filter, is a sum of directions: an input pattern v, a gain σ and an "
        "output direction u. Along u the layer answers a patch of its input with σ v·patch. Eigenvalues beyond the "
        "Marchenko-Pastur edge are not explained by random entries; how many of them shuffled weights and an untrained "
        "copy have stands beside. An exponent α from few eigenvalues says little, and none says that a layer is "
        "trained: read it beside its nulls. Signs are fixed so that the largest entry of u is positive; a direction "
        "and its opposite are the same thing. The strongest direction need not be the most telling one. Which layer "
        "feeds this one is our guess: the nearest one, in the order of execution, with as many channels."
    )
    Options = FiltersOptions
    tap_chooses = "layer"
    menus = MappingProxyType({})
    cards = CARDS

    def __init__(self) -> None:
        super().__init__()
        self._measures = Measures()

    def make_views(self) -> dict[str, views.View]:
        """A view per card."""
        return make_views()

    def layers_needed(self, settings: Settings, source: Source) -> tuple[str, ...]:
        """The layer whose weight is decomposed."""
        return (settings.layer,)

    def compute(self, source: Source, state: InspectorState, settings: Settings, job: Job) -> FiltersResult:
        """Decompose the layer, follow the chosen direction over the inputs."""
        recording = source.record((settings.layer,), job)
        state.limits.n_samples = len(recording.inputs)
        weights = self._measures.weights(source, settings.fold_batchnorm)
        mine = _of_layer(settings, weights)
        job.progress(math.nan, f"decomposing {settings.layer}")
        directions = self._measures.directions(_of_part(settings, mine))
        direction = min(settings.direction, len(directions) - 1)
        try:
            signals, reason = signals_of(recording, settings.layer, directions, direction, settings.sample), ""
        except DynExplorerError as error:
            signals, reason = None, str(error)
        made, made_reason = self._made(source, settings, directions, direction, signals, job)
        profiles, profiles_reason = self._measures.profiles(source, directions, settings, wait=False)
        return FiltersResult(
            made=made,
            made_reason=made_reason,
            directions=directions,
            direction=direction,
            signals=signals,
            signals_reason=reason,
            pictures=_pictures(source, settings.sample, signals),
            input_shape=tuple(recording.inputs.shape[1:]),
            parts=tuple(weight.part for weight in mine if weight.part),
            labels=None if recording.labels is None else tuple(recording.labels.tolist()),
            rows=self._measures.table(weights, job, wait=False),
            profiles=profiles,
            profiles_reason=profiles_reason,
        )

    def _made(self, source: Source, settings: Settings, directions: Directions, direction: int, signals, job: Job):
        """An image that drives the chosen direction, if it is asked for, and why there is none."""
        if not settings.make_image:
            return None, ""
        if signals is None:
            return None, "its signals are not known."
        try:
            return self._measures.made(source, settings.layer, directions, direction, job), ""
        except Cancelled:
            raise
        except DynExplorerError as error:
            return None, f"{error}."

    def refine(self, source: Source, result: FiltersResult, settings: Settings, job: Job) -> FiltersResult:
        """What the numbers are compared with, the neighbouring layers, patches and profiles."""
        weights = self._measures.weights(source, settings.fold_batchnorm)
        weight = result.directions.weight
        untrained, untrained_reason = None, ""
        try:
            untrained = self._measures.untrained(source, weight, settings.fold_batchnorm)
        except Cancelled:
            raise
        except DynExplorerError as error:
            untrained_reason = str(error)
        value, gain_reason = float("nan"), ""
        try:
            value = self._measures.gain(weight, source.recording.shapes.get(settings.layer, ()))
        except DynExplorerError as error:
            gain_reason = str(error)
        comparison = Comparison(
            shuffled=self._measures.shuffled(weight, job),
            untrained=untrained,
            untrained_reason=untrained_reason,
            gain=value,
            gain_reason=gain_reason,
            neighbours=neighbours_of(result.directions, weights, self._measures),
        )
        profiles, profiles_reason = self._measures.profiles(source, result.directions, settings)
        return replace(
            result,
            profiles=profiles,
            profiles_reason=profiles_reason,
            comparison=comparison,
            rows=self._measures.table(weights, job, wait=True),
            signals=self._seen(source, result, settings),
        )

    def _seen(self, source: Source, result: FiltersResult, settings: Settings):
        """The signals with what their extremes look at, where the model can be asked for it."""
        if result.signals is None or not result.pictures or source.held:
            return result.signals
        signal = response(source.recording, settings.layer, result.directions, result.direction)
        field = self._measures.field(source, settings.layer)
        note = f"Framed is where the gradient is not zero: {field}." if isinstance(field, str) else ""
        try:
            found = with_boxes(result.signals, source.model, source.recording, settings.layer, signal, field)
        except DynExplorerError as error:
            return replace(result.signals, boxes_note=f"No patches: {error}.")  # the ring is there all the same
        return replace(found, boxes_note=note)

    def show(self, result: FiltersResult, settings: Settings) -> None:
        """Draw the layer and the chosen direction."""
        draw(self.views, result, settings)

    def controls(self, settings: Settings, result: FiltersResult | None) -> list[dict]:
        """Direction and weight, profiles, and how the table is sorted."""
        return sidebar(settings, result)

    def numbers(self, result: FiltersResult) -> list[dict]:
        """What everything else depends on."""
        return tables.numbers(result)

    def metrics(self, result: FiltersResult) -> dict | None:
        """Each metric beside its nulls."""
        return tables.metrics(result)

    def meaning(self, result: FiltersResult) -> str:
        """What is decomposed."""
        weight = result.directions.weight
        part = f" ({weight.part})" if weight.part else ""
        folded = f", with {weight.folded} folded in" if weight.folded else ""
        note = f"; {weight.reason}" if weight.reason else ""
        return f"The {' × '.join(map(str, weight.values.shape))} weights of {weight.layer}{part}{folded}{note}"

    def table(self, result: FiltersResult) -> pd.DataFrame:
        """One row per weight of the model."""
        if result.rows is None:
            import pandas as pd

            return pd.DataFrame({"layer": [result.directions.weight.layer], "": ["measuring all layers …"]})
        return tables.layers(result, self.options.order)

    def row_values(self, result: FiltersResult, count: int) -> list:
        """The layer of each row."""
        return self.table(result)["layer"].tolist()

    def taps(self, result: FiltersResult, row_values: list) -> dict[str, tuple[str, list]]:
        """Directions are chosen in every figure but two, inputs in those."""
        directions = ("filters.direction", list(range(len(result.directions))))
        signals = result.signals
        samples = [] if signals is None else [each.sample for each in (*signals.most, *signals.least)]
        every = [] if result.profiles is None else list(range(len(result.profiles.found.weights)))
        return {
            **dict.fromkeys(self.views, directions),
            "excite": ("sample", samples),
            "alike": ("sample", every),
        }

    def code(self, settings: Settings, source: Source) -> str:
        """The view's numbers without the widget."""
        base = settings.layer.partition("#")[0]
        return code(
            settings,
            source,
            self._measures.part_of(base, settings.part),
            has_field=self._measures.has_field(source, settings.layer),
            profiles=self._measures.known_profiles(source, settings),
        )


def _of_layer(settings: Settings, weights: list[capture.LayerWeight]) -> list[capture.LayerWeight]:
    base = settings.layer.partition("#")[0]
    mine = [weight for weight in weights if weight.layer == base]
    usable = list(dict.fromkeys(weight.layer for weight in weights if weight.values is not None))
    if not any(weight.values is not None for weight in mine):
        why = mine[0].reason if mine else "it has no weights of its own"
        raise DynExplorerError(
            f"layer {settings.layer!r} has no filters to decompose: {why}. Choose one of {_listed(usable)}."
        )
    return [weight for weight in mine if weight.values is not None]


def _listed(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 6 else f"{', '.join(names[:5])}, … {names[-1]}"


def _of_part(settings: Settings, mine: list[capture.LayerWeight]) -> capture.LayerWeight:
    return next((weight for weight in mine if weight.part == settings.part), mine[0])


def _pictures(source: Source, sample: int, signals) -> dict[int, np.ndarray]:
    wanted = {sample, *(each.sample for each in (*signals.most, *signals.least))} if signals else {sample}
    made = {each: source.picture(each) for each in wanted}
    return {each: picture for each, picture in made.items() if picture is not None}

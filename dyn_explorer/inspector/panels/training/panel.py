"""The Training panel: figures, controls and the code behind them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from dyn_explorer import demo, views
from dyn_explorer.errors import DynExplorerError
from dyn_explorer.inspector.jobs import Job
from dyn_explorer.inspector.recorder import Memo
from dyn_explorer.inspector.source import Source
from dyn_explorer.inspector.state import InspectorState

from ..base import Panel, Settings
from ..dynamics.tables import number
from . import tables
from .cards import CARDS, cards_of
from .code import code
from .controls import controls
from .drawing import ON_EPOCHS, draw, draw_epoch, draw_scalar, taps
from .measure import bundled_layer, bundled_runs, own_runs, with_null
from .options import NO_HISTORY, TrainingOptions
from .result import Run, TrainingResult
from .scalars import Scalars
from .synchrony import RunSynchrony, Signals, measured, portrait, with_band

if TYPE_CHECKING:
    import pandas as pd

KEPT = 8
KEPT_EPOCHS = 4096
KEPT_FINDINGS = 65536  # small ones: one an epoch, layer and family of measures


class TrainingPanel(Panel):
    """Loss and accuracy of up to four runs, and any measure of them over epochs."""

    key = "training"
    title = "Training"
    about = (
        "Each curve is the mean over images (and seeds, where there are several); its band is one standard deviation "
        "for metrics, and the range over seeds for loss and accuracy. The grey band is the metric with its columns "
        "shuffled: a curve inside it is no trace of dynamics. Epoch 0, where it was recorded, is untrained. "
        "A network that learns shuffled labels by heart has nothing else to learn, so what its curve shares with the "
        "other is training, not understanding. Rank correlations stand in the table with the number of points that "
        "they rest on; points of one run are not independent, so they describe and test nothing. A measure of another "
        "panel is measured as a sweep measures it, with the null that it has there, over the chosen number of images "
        "for the dynamics and over all of them for the rest."
    )
    Options = TrainingOptions
    tap_chooses = "epoch"
    menus = MappingProxyType({})
    cards = CARDS

    def __init__(self) -> None:
        super().__init__()
        self._parts = Memo(KEPT_EPOCHS)
        self._bundled = Memo(KEPT)
        self._nulls = Memo(KEPT)
        self._runs = Memo(KEPT)
        self._signals = Signals(KEPT)
        self._scalars = Scalars(KEPT_FINDINGS)
        self._tables = Memo(1)
        self._drawn: TrainingResult | None = None

    def make_views(self) -> dict[str, views.View]:
        """A view per card; those on the axis of recorded epochs are zoomed together."""
        first = views.Curves()
        made = {name: views.Curves(beside=first) for name in ON_EPOCHS}
        made[ON_EPOCHS[0]] = first
        return {
            card.figure: made.get(card.figure) or (views.PhaseWheel() if card.square else views.Curves())
            for card in self.cards
        }

    def layers_needed(self, settings: Settings, source: Source) -> tuple[str, ...]:
        """The layer whose dynamics are followed."""
        return (settings.layer,)

    def layers_while_training(self, settings: Settings, source: Source) -> tuple[str, ...]:
        """None: what is drawn meanwhile is read from the histories."""
        return ()

    def compute(self, source: Source, state: InspectorState, settings: Settings, job: Job) -> TrainingResult:
        """Measure every epoch with weights, once."""
        bundled = settings.runs == "bundled"
        if not bundled and (source.history is None or not source.history.epochs):
            raise DynExplorerError(NO_HISTORY)
        layer = bundled_layer(settings.layer) if bundled else settings.layer
        key = self._key(source, layer, settings)
        runs = self._runs.get(key, lambda: self._measured(source, layer, settings, job))
        epoch = settings.at if bundled else settings.epoch
        portraits = {run.name: portrait(run.histories[0], settings, epoch, self._signals) for run in runs}
        return TrainingResult(
            runs=runs,
            layer=layer,
            metric=settings.metric,
            images=settings.images,
            epoch=epoch,
            follow=settings.follow,
            portraits={name: each for name, each in portraits.items() if each is not None},
            bundled=bundled,
            detail=min(settings.detail, len(runs) - 1),
            scalar=settings.scalar,
            scalars=self._scalars.known(runs, layer, settings),
            reason=_why_no_trend(runs),
        )

    def _key(self, source: Source, layer: str, settings: Settings) -> tuple:
        """What the runs depend on: all but what is drawn of them."""
        asked = (layer, settings.images, settings.follow, settings.window_epochs, settings.force, settings.null)
        if settings.runs == "bundled":
            return ("bundled", settings.optimiser, *asked)
        grown = [(run.run_id, len(run.epochs), run.checkpoint_epochs) for run in source.histories.values()]
        return (*grown, source.held, *asked)

    def _measured(self, source: Source, layer: str, settings: Settings, job: Job) -> tuple[Run, ...]:
        if settings.runs == "own":
            runs = own_runs(source, layer, settings.images, self._parts, job)
        else:
            asked = (layer, settings.images, settings.optimiser)
            if asked not in self._bundled:
                source.check_free()
            runs = self._bundled.get(asked, lambda: bundled_runs(*asked, job))
        return tuple(replace(run, synchrony=measured(run.histories, settings, self._signals)) for run in runs)

    def refine(self, source: Source, result: TrainingResult, settings: Settings, job: Job) -> Iterator[TrainingResult]:
        """The measure of another panel epoch by epoch, then what chance gives; kept, so that epochs change at once."""
        for scalars in self._scalars.measure(source, result.runs, result.layer, settings, job):
            result = replace(result, scalars=scalars)
            yield result
        refined = self._with_nulls(source, result, settings, job)
        if refined is not None:
            yield refined

    def _with_nulls(
        self, source: Source, result: TrainingResult, settings: Settings, job: Job
    ) -> TrainingResult | None:
        key = self._key(source, result.layer, settings)
        if source.held or all(run.has_nulls for run in result.runs):
            return None
        runs = tuple(
            replace(run, synchrony=with_band(run.synchrony, run.histories[0], settings, self._signals, job))
            for run in self._with_trend_nulls(source, result, settings, job)
        )
        self._runs.put(key, runs)
        return replace(result, runs=runs)

    def _with_trend_nulls(
        self, source: Source, result: TrainingResult, settings: Settings, job: Job
    ) -> tuple[Run, ...]:
        if settings.runs == "bundled":
            model, inputs = demo.small_cnn(), demo.digits("test")[0]
            key = ("bundled", result.layer, settings.optimiser)
        else:
            if not any(run.trends for run in result.runs):
                return result.runs
            model, inputs = source.live_model, source.record((result.layer,), job).inputs
            key = (*((run.histories[0].run_id, tuple(run.trend_epochs)) for run in result.runs), result.layer)
        nulls = self._nulls.get(
            key, lambda: [with_null(run, model, inputs, result.layer, job).null for run in result.runs]
        )
        return tuple(replace(run, null=null) for run, null in zip(result.runs, nulls, strict=True))

    def show(self, result: TrainingResult, settings: Settings) -> None:
        """Draw every card, or where only the epoch is another one, what it changes."""
        before, self._drawn = self._drawn, result
        if before is None or before.runs is not result.runs or _look(before) != _look(result):
            self.cards = cards_of([run.name for run in result.runs])
            draw(self.views, result)
            return
        if _scalar_look(before) != _scalar_look(result):
            draw_scalar(self.views, result)
        draw_epoch(self.views, result)

    def clear(self) -> None:
        """Empty every figure."""
        self._drawn = None
        super().clear()

    def controls(self, settings: Settings, result: TrainingResult | None) -> list[dict]:
        """Runs, metric, a further measure, and the epoch of the model's own history."""
        return controls(settings, result)

    def numbers(self, result: TrainingResult) -> list[dict]:
        """What the curves rest on."""
        seeds = max(len(run.histories) for run in result.runs)
        synchrony = result.detailed.synchrony
        return [
            number("layer", result.layer, "Whose channels are the snapshots."),
            number("runs", str(sum(len(run.histories) for run in result.runs)), "Histories behind these curves."),
            number("seeds", str(seeds), "Runs that differ only in their seed; with one there is no band over seeds."),
            *_synchrony_numbers(synchrony),
            number("images", str(result.images), "Images that each mean of a metric is over."),
        ]

    def metrics(self, result: TrainingResult) -> dict | None:
        """Rank correlations of every metric with epoch and accuracy."""
        return self._tabulated(result)[1]

    def meaning(self, result: TrainingResult) -> str:
        """What stands at each epoch."""
        names = " and ".join(run.name for run in result.runs)
        kept = "decomposed at every epoch whose weights were kept, rank 99\u00a0%"
        limits = result.detailed.synchrony.reason
        return f"{names}: the channels of {result.layer}, {kept}" + (f". Synchrony: {limits}" if limits else "")

    def table(self, result: TrainingResult) -> pd.DataFrame:
        """One row per epoch and run."""
        return self._tabulated(result)[0]

    def _tabulated(self, result: TrainingResult) -> tuple[pd.DataFrame, dict | None]:
        # The runs stand in the value too, so that their identity is theirs as long as it is the key.
        key = (id(result.runs), result.metric, _scalar_look(result))

        def make() -> tuple:
            return tables.epochs(result), tables.correlations(result), result.runs, result.scalars

        return self._tables.get(key, make)[:2]

    def row_values(self, result: TrainingResult, count: int) -> list:
        """The epoch of each row; the bundled runs are of another model, so their rows choose nothing."""
        return [] if result.bundled else [epoch for run in result.runs for epoch in run.histories[0].epochs]

    def taps(self, result: TrainingResult, row_values: list) -> dict[str, tuple[str, list]]:
        """Marks of different cards stand for different epochs; those of the bundled runs set the panel's own."""
        chosen = "training.at" if result.bundled else "epoch"
        return {card: (chosen, values) for card, values in taps(result).items()}

    def code(self, settings: Settings, source: Source) -> str:
        """The view's numbers without the widget."""
        return code(settings, source)


def _look(result: TrainingResult) -> tuple:
    return (result.metric, result.detail)


def _scalar_look(result: TrainingResult) -> tuple:
    return (result.scalar, result.layer, tuple((len(line.epochs), line.total) for line in result.scalars))


def _why_no_trend(runs: tuple[Run, ...]) -> str:
    """What is lacking in which run, or nothing."""
    reasons = {run.name: run.reason or ("" if run.trends else _no_trend(run)) for run in runs}
    told = {name: reason for name, reason in reasons.items() if reason}
    if len(runs) == 1:
        return "".join(told.values())
    return " ".join(f"{name}: {reason}" for name, reason in told.items())


def _no_trend(run: Run) -> str:
    if not run.histories[0].checkpoint_epochs:
        return "This history holds no weights, so there is no trend: record it with History(..., checkpoints=True)."
    return "The trend is measured once training is over: press Refresh then."


def _synchrony_numbers(synchrony: RunSynchrony) -> list[dict]:
    made = []
    if synchrony.seeds:
        measures = synchrony.seeds[0]
        made = [
            number("oscillators", str(int(measures.oscillators[-1])), "That vary, at the last epoch."),
            number("steps", str(measures.steps), "Along which each oscillator is followed."),
            number("α", f"{measures.alpha[-1]:.2f}", "Exponent of the fluctuation analysis at the last epoch."),
        ]
    return made

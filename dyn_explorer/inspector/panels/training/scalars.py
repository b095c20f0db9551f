"""A measure of another panel over the epochs of each run: kept epoch by epoch, so that a run that grows goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dyn_explorer import demo
from dyn_explorer.capture import History
from dyn_explorer.errors import Cancelled, DynExplorerError
from dyn_explorer.inspector.jobs import Job
from dyn_explorer.inspector.recorder import Memo
from dyn_explorer.inspector.source import Source
from dyn_explorer.sweeps.epochs import findings_at, followed_epochs, of_layer, why_not
from dyn_explorer.sweeps.finding import Finding
from dyn_explorer.sweeps.measures import FOLLOWED

from ..base import Settings
from .options import NO_SCALAR, OF_THE_LOOP
from .result import Run, RunScalar

BUNDLED_INPUTS = 256
EVERY = 0.3  # seconds between two pictures of a line that is being measured


@dataclass(frozen=True, eq=False)
class Asked:
    """What is measured, and on what.

    Attributes
    ----------
    measure, layer : str
    settings : Settings
    model, inputs, labels
        As `dyn_explorer.sweeps.epochs.findings_at` takes them.
    """

    measure: str
    layer: str
    settings: Settings
    model: object
    inputs: object
    labels: object

    @property
    def key(self) -> tuple:
        """What the numbers depend on beside the run and the epoch."""
        family = FOLLOWED[self.measure]
        return (family.name, self.layer if family.where else "", self.settings.images)


def asked_of(source: Source, layer: str, settings: Settings, job: Job) -> Asked:
    """The measure that is chosen, with inputs of the bundled runs or of the inspector."""
    if settings.runs == "bundled":
        images, labels = demo.digits("test")
        model, inputs, labels = demo.small_cnn(), images[:BUNDLED_INPUTS], labels[:BUNDLED_INPUTS]
    elif FOLLOWED[settings.scalar].reads == "responses":
        model = inputs = labels = None
    else:
        recording = source.record((layer,), job)
        model, inputs, labels = source.live_model, recording.inputs, recording.labels
    return Asked(settings.scalar, layer, settings, model, inputs, labels)


class Scalars:
    """What was measured of each run and epoch, kept."""

    def __init__(self, most: int) -> None:
        self._found = Memo(most)

    def known(self, runs: tuple[Run, ...], layer: str, settings: Settings) -> tuple[RunScalar, ...]:
        """The lines as far as they are measured, without computing anything."""
        name = settings.scalar
        if name == NO_SCALAR:
            return ()
        if name.startswith(OF_THE_LOOP):
            return tuple(_of_the_loop(run, name.removeprefix(OF_THE_LOOP)) for run in runs)
        asked = Asked(name, layer, settings, None, None, None)
        return tuple(self._line(run, asked) for run in runs)

    def measure(
        self, source: Source, runs: tuple[Run, ...], layer: str, settings: Settings, job: Job
    ) -> Iterator[tuple[RunScalar, ...]]:
        """Measure what is missing, epoch by epoch; yield the lines as they grow."""
        if settings.scalar not in FOLLOWED or source.held:
            return
        family = FOLLOWED[settings.scalar]
        waiting = [
            (run, history, epoch)
            for run in runs
            for history in run.histories
            if not why_not(history, settings.scalar, layer if family.where else None)
            for epoch in followed_epochs(history, family)
        ]
        asked = Asked(settings.scalar, layer, settings, None, None, None)
        waiting = [each for each in waiting if (each[1].run_id, each[2], asked.key) not in self._found]
        if not waiting:
            return
        asked, shown = asked_of(source, layer, settings, job), time.monotonic()
        for _, history, epoch in sorted(waiting, key=lambda each: each[2]):
            if job.cancel.is_set():
                raise Cancelled("the measure was cancelled; the epochs that are measured are kept")
            self._found.put((history.run_id, epoch, asked.key), _found(history, epoch, asked, source, job))
            if time.monotonic() - shown > EVERY:
                yield self.known(runs, layer, settings)
                shown = time.monotonic()
        yield self.known(runs, layer, settings)

    def _line(self, run: Run, asked: Asked) -> RunScalar:
        family = FOLLOWED[asked.measure]
        layer = asked.layer if family.where else None
        reasons = [why_not(history, asked.measure, layer) for history in run.histories]
        if any(reasons):
            return RunScalar(np.empty(0), np.empty((0, 0)), np.empty((0, 0)), 0, next(filter(None, reasons)))
        epochs = followed_epochs(run.histories[0], family)
        keys = [[(history.run_id, epoch, asked.key) for history in run.histories] for epoch in epochs]
        there = [place for place, seeds in enumerate(keys) if all(key in self._found for key in seeds)]
        rows = [[of_layer(self._kept(key), asked.measure, layer) for key in keys[place]] for place in there]
        return _line_of([epochs[place] for place in there], rows, len(epochs))

    def _kept(self, key: tuple) -> tuple[Finding, ...]:
        return self._found.get(key, tuple)


def _found(history: History, epoch: int, asked: Asked, source: Source, job: Job) -> tuple[Finding, ...]:
    family = FOLLOWED[asked.measure]
    try:
        return findings_at(
            history,
            epoch,
            family,
            asked.model,
            asked.inputs,
            asked.labels,
            layer=asked.layer if family.where else None,
            samples=asked.settings.images,
            device=source.device,
            cancel=job.cancel,
        )
    except Cancelled:
        raise
    except DynExplorerError as error:  # weights that are damaged, or of another model
        return tuple(Finding(measure, error=str(error)) for measure in family.measures)


def _line_of(epochs: list[int], rows: list[list[Finding]], total: int) -> RunScalar:
    seeds = len(rows[0]) if rows else 0
    values = np.array([[each.value for each in row] for row in rows]).T.reshape(seeds, len(epochs))
    nulls = np.array([[each.null for each in row] for row in rows]).T.reshape(seeds, len(epochs))
    return RunScalar(np.array(epochs, dtype=float), values, nulls, total, _reason(epochs, rows))


def _reason(epochs: list[int], rows: list[list[Finding]]) -> str:
    """Why values are missing, in the words of the first of them."""
    failed = [(epoch, error) for epoch, row in zip(epochs, rows, strict=True) if (error := _error(row))]
    if not failed:
        return ""
    first, reason = failed[0]
    if len(failed) == len(epochs):
        return reason
    which = f"Epoch {first} has no value" if len(failed) == 1 else f"{len(failed)} epochs from {first} have no value"
    return f"{which}: {reason}"


def _error(row: list[Finding]) -> str:
    return next((each.error for each in row if each.error), "")


def _of_the_loop(run: Run, name: str) -> RunScalar:
    there = [history for history in run.histories if name in history.metrics]
    if not there:
        return RunScalar(np.empty(0), np.empty((0, 0)), np.empty((0, 0)), 0, f"{run.name} has no metric named {name}")
    values = np.array([history.metrics[name] for history in there])
    epochs = np.array(there[0].epochs, dtype=float)
    return RunScalar(epochs, values, np.full(values.shape, np.nan), len(epochs))

"""The computations behind the Training panel: trends and their nulls, made once per run, layer and number of images."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from dyn_explorer import analysis, capture, demo
from dyn_explorer.errors import Cancelled, DynExplorerError
from dyn_explorer.inspector.jobs import Job
from dyn_explorer.inspector.recorder import Memo
from dyn_explorer.inspector.source import Source
from dyn_explorer.trends import metrics_trend

from .options import SHUFFLED_IMAGES, SHUFFLES
from .result import Run

if TYPE_CHECKING:
    import pandas as pd

BUNDLED_LAYER = "conv3"  # where the demo network has no layer of the chosen name
NAMES = {"true": "true labels", "shuffled": "shuffled labels"}


def bundled_layer(name: str) -> str:
    """The layer of the demo network that stands for a layer of the person's model."""
    return name if name in dict(demo.small_cnn().named_modules()) else BUNDLED_LAYER


def bundled_runs(layer: str, images: int, optimiser: str, job: Job) -> tuple[Run, ...]:
    """The bundled runs with their trends in a layer of the demo network."""
    model, inputs = demo.small_cnn(), demo.digits("test")[0][:images]
    total = len(demo.RUN_LABELS) * len(demo.RUN_SEEDS)
    runs = []
    for labels in demo.RUN_LABELS:
        histories = tuple(demo.history(labels, seed, optimiser=optimiser) for seed in demo.RUN_SEEDS)
        trends = []
        for history in histories:
            done = len(runs) * len(demo.RUN_SEEDS) + len(trends)
            trends.append(_trend(model, history, inputs, layer, job, done / total, 1 / total))
        runs.append(_run(NAMES[labels], histories, trends, layer))
    return tuple(runs)


def own_runs(source: Source, layer: str, images: int, parts: Memo, job: Job) -> tuple[Run, ...]:
    """The runs that the inspector was opened with, with what can be measured of them now.

    Parameters
    ----------
    source : Source
        With histories. While a training loop is running, epochs that were not measured yet are left for later.
    layer : str
    images : int
    parts : Memo
        Keeps the trend of each epoch, so that a run that grows is not measured again.
    job : Job
    """
    n_runs = len(source.histories)
    runs = []
    for run, (name, history) in enumerate(source.histories.items()):
        trends, failures = [], []
        for place, epoch in enumerate(epochs := history.checkpoint_epochs):
            key = (history.run_id, layer, images, epoch)
            if source.held and key not in parts:
                continue
            share = 1 / (n_runs * len(epochs))
            start = run / n_runs + place * share
            make = partial(_measure, source, history, layer, images, epoch, job, start, share)
            try:
                trends.append(parts.get(key, make))
            except Cancelled:
                raise
            except DynExplorerError as error:
                failures.append((epoch, str(error)))
        made = _run(name, (history,), [_joined(trends)] if trends else [], layer)
        runs.append(replace(made, reason=made.reason or _told(failures)))
    return tuple(runs)


def _told(failures: list[tuple[int, str]]) -> str:
    """Which epochs could not be measured, and why: damaged weights, or those of another model."""
    if not failures:
        return ""
    (first, reason), (last, _) = failures[0], failures[-1]
    which = f"Epoch {first}" if len(failures) == 1 else f"{len(failures)} epochs from {first} to {last}"
    return f"{which} could not be measured: {reason}"


def _run(name: str, histories: tuple[capture.History, ...], trends: list[pd.DataFrame], layer: str) -> Run:
    """A run, without trends where the layer has no dynamics at all; what else was recorded is there all the same."""
    failed = [trend["error"].iloc[0] for trend in trends if trend["error"].notna().all()]
    if failed:
        return Run(name, histories, (), reason=f"Layer {layer!r} has no dynamics to follow: {failed[0]}")
    return Run(name, histories, tuple(trends))


def _measure(source: Source, history, layer: str, images: int, epoch: int, job: Job, start: float, share: float):
    inputs = source.record((layer,), job).inputs[:images]
    return _trend(source.live_model, history, inputs, layer, job, start, share, epochs=[epoch])


def _joined(trends: list[pd.DataFrame]) -> pd.DataFrame:
    import pandas

    return pandas.concat(trends, ignore_index=True)


def _trend(model, history, inputs, layer: str, job: Job, start: float, share: float, **options) -> pd.DataFrame:
    def progress(done: float, text: str) -> None:
        job.progress(start + share * done, text)

    return metrics_trend(model, history, inputs, layer, cancel=job.cancel, progress=progress, **options)


def with_null(run: Run, model, inputs, layer: str, job: Job) -> Run:
    """The run with what shuffled columns give, over a few images at each epoch of its first seed."""
    import pandas

    if not run.trends:
        return run
    history = run.histories[0]
    rows = []
    for epoch in sorted(set(history.checkpoint_epochs) & set(run.trend_epochs)):
        then = capture.copy_with(model, history.state(epoch), f"epoch {epoch}")
        recording = capture.record(then, inputs[:SHUFFLED_IMAGES], layers=[layer], cancel=job.cancel)
        rows += [{"epoch": epoch, **values} for values in _shuffled(recording, layer, job)]
    if not rows:
        return run
    return replace(run, null=pandas.DataFrame(rows).groupby("epoch").agg(["mean", _population_sd]))


def _shuffled(recording: capture.Recording, layer: str, job: Job) -> list[dict[str, float]]:
    rows = []
    for sample in range(recording.n_samples):
        try:
            compressed = analysis.compress(capture.snapshots(recording, layer, axis="channel", sample=sample).matrix)
            null = analysis.shuffled_columns_null(compressed, rank=0.99, shuffles=SHUFFLES, cancel=job.cancel)
        except Cancelled:
            raise
        except DynExplorerError:
            continue  # an image whose columns are all dead has no null either; the trend says why
        rows += [{name: float(values[k]) for name, values in null.values.items()} for k in range(SHUFFLES)]
    return rows


def _population_sd(values: pd.Series) -> float:
    return float(np.std(values.to_numpy()))

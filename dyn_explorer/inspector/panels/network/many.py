"""Many networks binned by accuracy: the bundled runs, or the epochs of one's own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from dyn_explorer import analysis, capture, demo
from dyn_explorer.errors import Cancelled, DynExplorerError
from dyn_explorer.inspector.jobs import Job
from dyn_explorer.inspector.recorder import SEED
from dyn_explorer.inspector.source import Source

from ..base import Settings
from .options import EDGES, EPOCH_SHUFFLES, SCORES, options_of
from .result import Many


def many(source: Source, settings: Settings, job: Job) -> Many:
    """Bin the networks of the chosen runs, and compare the bins."""
    try:
        if settings.ensemble == "bundled":
            histories = [demo.history("true", seed) for seed in demo.RUN_SEEDS]
            images = demo.digits("test")[0][:2]
            read = partial(capture.layer_graph, inputs=images, fold_bn=settings.fold_bn, seed=SEED, cancel=job.cancel)
            return _binned(histories, demo.small_cnn(), read, settings, job)
        if source.history is None:
            raise DynExplorerError("There is no history here; choose the bundled runs, or open the model with one.")
        read = partial(source.layer_graph, fold_bn=settings.fold_bn, job=job)
        return _binned([source.history], source.live_model, read, settings, job)
    except Cancelled:
        raise
    except DynExplorerError as error:
        return Many(None, reason=str(error))


def _binned(histories: list, model, read: Callable, settings: Settings, job: Job) -> Many:
    score = next((name for name in SCORES if all(name in history.metrics for history in histories)), None)
    if score is None:
        raise DynExplorerError("This history has no metric named test_accuracy or accuracy to bin its epochs by.")
    known = [(run, epoch) for run, history in enumerate(histories) for epoch in history.checkpoint_epochs]
    scores = [_score(histories[run], score, epoch) for run, epoch in known]
    chosen = analysis.accuracy_bins(scores, [run for run, _ in known], EDGES)
    used = [number for number, members in enumerate(chosen) if members]
    if len(used) < 2:
        raise DynExplorerError(f"All epochs with weights lie in one bin of {score}, so there is nothing to compare.")

    def graph(place: int) -> analysis.LayerGraph:
        run, epoch = known[place]
        return read(capture.copy_with(model, histories[run].state(epoch), f"epoch {epoch}"))

    bins = [[graph(place) for place in chosen[number]] for number in used]
    found = analysis.ensemble(bins, shuffles=EPOCH_SHUFFLES, seed=SEED, cancel=job.cancel, **options_of(settings))
    return Many(
        found,
        tuple(f"{EDGES[number]:g} to {EDGES[number + 1]:g}" for number in used),
        score,
        len(histories),
    )


def _score(history: capture.History, name: str, epoch: int) -> float:
    return float(history.metrics[name][list(history.epochs).index(epoch)])


def table_of(result_name: str, made: Many) -> dict | None:
    """Fluctuation by bin beside its null, as a page section."""
    if made.found is None:
        return None
    found, place = made.found, made.place(result_name)
    rows = [
        {
            "label": name,
            "help": f"Networks whose {made.score} lies in this bin, the first of each run.",
            "cells": [str(found.counts[k]), f"{found.fluctuation[k, place]:.3f}", f"{found.ratio[k, place]:.2f}"],
        }
        for k, name in enumerate(made.bins)
    ]
    note = (
        f"Nodes of {found.names[place]}; {made.runs} run{'s' * (made.runs > 1)}, one network of each per bin. With few "
        "networks in a bin this describes them and no others."
    )
    return {
        "title": f"Networks by {made.score}",
        "nulls": False,
        "columns": [made.score, "networks", "Y", "Y / Y shuffled"],
        "rows": rows,
        "note": note,
    }

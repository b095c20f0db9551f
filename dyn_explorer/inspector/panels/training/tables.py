"""The Training panel in digits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..dynamics.tables import METRICS
from .result import Run, RunScalar, TrainingResult

if TYPE_CHECKING:
    import pandas as pd


def epochs(result: TrainingResult) -> pd.DataFrame:
    """One row per run and epoch: the numbers of the loop, and the chosen metric with its spread and null."""
    import pandas as pd

    frames = [_rows(run, result.metric) for run in result.runs]
    for place, scalar in enumerate(result.scalars):
        if scalar.values.size:
            name = result.scalar if result.scalar != result.metric else f"{result.scalar}_beside"
            frames[place] = frames[place].merge(_column(name, scalar), on="epoch", how="left")
    return pd.concat(frames, ignore_index=True)


def _column(name: str, scalar: RunScalar) -> pd.DataFrame:
    import pandas as pd

    made = pd.DataFrame({"epoch": scalar.epochs.astype(int), name: scalar.over_seeds(scalar.values)[0]})
    if np.isfinite(scalar.nulls).any():
        made[f"{name}_null"] = scalar.over_seeds(scalar.nulls)[0]
    return made


def _rows(run: Run, metric: str) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame({"run": run.name, "epoch": run.histories[0].epochs})
    for name in run.histories[0].metrics:
        frame[name] = run.number(name)[1]
    if not run.trends:
        return frame
    _, mean, _, high, at = run.trend(metric)
    measured = pd.DataFrame({"epoch": at, metric: mean, "sd": high - mean})
    if run.null is not None and metric in run.null:
        null = run.null[metric].loc[at]
        measured["shuffled"], measured["shuffled_sd"] = null["mean"].to_numpy(), null["_population_sd"].to_numpy()
    return frame.merge(measured, on="epoch", how="left")


def correlations(result: TrainingResult) -> dict | None:
    """Spearman's rho of every metric with the epoch and with the accuracy, per run, as a page section."""
    runs = [run for run in result.runs if run.trends]
    if not runs:
        return None
    against = [(run, x, text) for run in runs for x, text in (("epoch", "epoch"), ("run_accuracy", "accuracy"))]
    against = [(run, x, text) for run, x, text in against if x == "epoch" or run.has(x)]
    rows = [
        {
            "label": label,
            "help": hint,
            "cells": [_shown(*run.rank_correlation(name, x)) for run, x, _ in against],
        }
        for name, label, hint in METRICS
    ]
    note = (
        "Spearman's ρ over epochs and seeds, of the mean over images, with the number of points. Points of one run are "
        "not independent: no p-value is given."
    )
    return {
        "title": "Rank correlations over training",
        "nulls": False,
        "columns": ["metric", *(f"{run.name}, ρ with {text}" for run, _, text in against)],
        "rows": rows,
        "note": note,
    }


def _shown(rho: float, count: int) -> str:
    return f"n/a ({count})" if math.isnan(rho) else f"{np.round(rho, 2):+.2f} ({count})"
